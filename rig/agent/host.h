/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine that the agent runs on: its files outside sysfs (sysfs.h has those), below a prefix
 * that is empty except in tests, and its clock.
 */
#ifndef COLDRIG_HOST_H
#define COLDRIG_HOST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct host {
	const char *root; /* put before every path; "" on a real target; borrowed */
	/* For tests: plays the kernel after a write to an attribute, its path relative to /sys. */
	void (*wrote)(const struct host *host, const char *path, const char *value);
};

/* A path with the prefix. -ENAMETOOLONG. */
int host_path(const struct host *host, char path[static PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The whole text of a file of /proc; *text is freed with free(). Not for sysfs. */
int host_read(const struct host *host, const char *path, char **text);

/* One write() of text with these open flags beside O_WRONLY; for tracefs and /proc, not for sysfs.
 */
int host_write(const struct host *host, const char *path, const char *text, int flags);

bool host_exists(const struct host *host, const char *path);

/* CLOCK_MONOTONIC. */
int64_t host_now_ns(void);
void host_sleep_ns(int64_t ns);

/* One line of words on stderr, as "coldrig-agent: what: why". */
void host_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory that a rig cannot do without: never NULL. */
void *host_grow(void *old, size_t n, size_t size);

#endif
