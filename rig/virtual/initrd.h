/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The initial RAM disk of a target: archives one after the other, in memory that has no name. */
#ifndef COLDRIG_INITRD_H
#define COLDRIG_INITRD_H

#include <stddef.h>

#include "err.h"

/* A file descriptor (close-on-exec) to be closed by the caller, or a negative errno. The emulator
 * opens it as /proc/self/fd/N, so that nothing is left behind however it ends. */
int initrd_join(const char *const *paths, size_t n, struct err *err);

#endif
