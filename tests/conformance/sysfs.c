/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void path_of(char path[static PATH_MAX], const char *format, va_list ap)
{
	int n = snprintf(path, PATH_MAX, "/sys/");

	vsnprintf(path + n, PATH_MAX - (size_t)n, format, ap);
}

static int read_path(char text[static SYSFS_TEXT_SIZE], const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	ssize_t n;

	text[0] = 0;
	if (fd < 0)
		return -errno;
	n = read(fd, text, SYSFS_TEXT_SIZE - 1);
	if (n < 0)
		r = -errno;
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	text[strcspn(text, "\n")] = 0;
	return r;
}

int sysfs_read(char text[static SYSFS_TEXT_SIZE], const char *format, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, format);
	path_of(path, format, ap);
	va_end(ap);
	return read_path(text, path);
}

int sysfs_write(const char *value, const char *format, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int fd, r;

	va_start(ap, format);
	path_of(path, format, ap);
	va_end(ap);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return r;
}

long sysfs_number(const char *format, ...)
{
	char path[PATH_MAX], text[SYSFS_TEXT_SIZE], *end;
	va_list ap;
	long number;
	int r;

	va_start(ap, format);
	path_of(path, format, ap);
	va_end(ap);
	r = read_path(text, path);
	if (r < 0)
		return r;
	number = strtol(text, &end, 0);
	return end == text ? -EINVAL : number;
}

bool sysfs_has(const char *format, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, format);
	path_of(path, format, ap);
	va_end(ap);
	return access(path, F_OK) == 0;
}

void sysfs_link_name(char name[static SYSFS_TEXT_SIZE], const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	va_list ap;
	ssize_t n;

	va_start(ap, format);
	path_of(path, format, ap);
	va_end(ap);
	name[0] = 0;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = 0;
	slash = strrchr(target, '/');
	snprintf(name, SYSFS_TEXT_SIZE, "%.*s", SYSFS_TEXT_SIZE - 1, slash ? slash + 1 : target);
}
