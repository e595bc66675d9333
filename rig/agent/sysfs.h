/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The only place that reads and writes sysfs. An allow-list says which attributes may be touched:
 * those that the kernel serves from memory, without resuming the device. Anything else (config,
 * current_link_*, resource*, rom, vpd, hwmon...) is refused with -EPERM, because asking for it is a
 * bug of the agent. Paths are relative to /sys.
 */
#ifndef COLDRIG_SYSFS_H
#define COLDRIG_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#include "host.h"

enum sysfs_use {
	SYSFS_READ = 1, /* the text of an attribute */
	SYSFS_WRITE = 2,
	SYSFS_LOOK = 4, /* where a link points, and the names in a directory */
};

bool sysfs_allows(const char *path, enum sysfs_use use);

/* The attribute's text without its last newline, cut off at size. -EPERM, -ENOENT, -errno. */
int sysfs_read(const struct host *host, char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* An attribute that is no text: how many of its bytes were read, at most size. */
int sysfs_read_bytes(const struct host *host, void *bytes, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

int sysfs_write(const struct host *host, const char *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Where a path leads when all its links are followed, relative to /sys. -ENOENT for a link that is
 * not there. */
int sysfs_resolve(const struct host *host, char place[static PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Names in a directory, sorted, without "." and "..". Empty where there is no such directory. */
struct sysfs_names {
	char **at;
	size_t n;
};

struct sysfs_names sysfs_list(const struct host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void sysfs_names_free(struct sysfs_names *names);

/* The last part of a path. */
const char *sysfs_base(const char *path);

#endif
