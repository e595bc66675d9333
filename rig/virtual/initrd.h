/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The initial RAM disk of a target: archives one after the other, in memory that has no name. */
#ifndef COLDRIG_INITRD_H
#define COLDRIG_INITRD_H

#include <stddef.h>

#include "err.h"

/* One of: an archive as it is (archive alone), a file (name and fd, read from its begin), or a
 * directory (name alone), both for root alone. Names are without the leading '/'. */
struct initrd_part {
	const char *archive;
	const char *name;
	int fd;
};

#define INITRD_ARCHIVE(path)                                                                       \
	{                                                                                          \
		.archive = (path), .fd = -1                                                        \
	}
#define INITRD_DIRECTORY(path)                                                                     \
	{                                                                                          \
		.name = (path), .fd = -1                                                           \
	}
#define INITRD_FILE(path, opened)                                                                  \
	{                                                                                          \
		.name = (path), .fd = (opened)                                                     \
	}

/* A file descriptor (close-on-exec) to be closed by the caller, or a negative errno. The emulator
 * opens it as /proc/self/fd/N, so that nothing is left behind however it ends. */
int initrd_join(const struct initrd_part *parts, size_t n, struct err *err);

#endif
