/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Attributes of sysfs. Paths are formats relative to /sys. Functions return 0 or a negative errno.
 */
#ifndef CONFORMANCE_SYSFS_H
#define CONFORMANCE_SYSFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define SYSFS_TEXT_SIZE 128

/* Without the newline at the end; on an error text is empty. */
int sysfs_read(char text[static SYSFS_TEXT_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

int sysfs_write(const char *value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A number in any base of strtol(); negative errno when there is none. */
long sysfs_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool sysfs_has(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The last part of where a link leads; empty when there is no such link. */
void sysfs_link_name(char name[static SYSFS_TEXT_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
