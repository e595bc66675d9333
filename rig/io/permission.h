/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What to say, and what to do, where the kernel refused to open a device. */
#ifndef COLDRIG_PERMISSION_H
#define COLDRIG_PERMISSION_H

#include <stdbool.h>

#include "err.h"

/* Does this code (positive or negative errno) say so? */
bool permission_is_denied(int code);

/*
 * Sets "PATH: no permission: it is OWNER:GROUP MODE: what to do" and returns -EACCES: to join its group
 * if that may do all with it, else to give it to one by a udev rule.
 */
int permission_err(const char *path, struct err *err);

#endif
