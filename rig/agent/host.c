/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "host.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

/* Attributes of sysfs go through its allow-list; tracefs only happens to be mounted below it. */
static bool is_sysfs(const char *path)
{
	return strncmp(path, "/sys/", 5) == 0 && strncmp(path, "/sys/kernel/tracing/", 20) != 0 &&
	       strncmp(path, "/sys/kernel/debug/tracing/", 26) != 0;
}

int host_path(const struct host *host, char path[static PATH_MAX], const char *format, ...)
{
	size_t n = strlen(host->root);
	va_list ap;
	int r;

	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, host->root, n);
	va_start(ap, format);
	r = vsnprintf(path + n, PATH_MAX - n, format, ap);
	va_end(ap);
	return r < 0 || (size_t)r >= PATH_MAX - n ? -ENAMETOOLONG : 0;
}

static int read_all(int fd, char **text)
{
	size_t used = 0, size = 4096;
	char *buffer = host_grow(NULL, size, 1);
	ssize_t n;

	while ((n = read(fd, buffer + used, size - used - 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			free(buffer);
			return (int)n;
		}
		used += (size_t)n;
		if (used + 1 == size) {
			size *= 2;
			buffer = host_grow(buffer, size, 1);
		}
	}
	buffer[used] = 0;
	*text = buffer;
	return 0;
}

int host_read(const struct host *host, const char *path, char **text)
{
	char full[PATH_MAX];
	int fd, r;

	assert(!is_sysfs(path));
	r = host_path(host, full, "%s", path);
	if (r < 0)
		return r;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = read_all(fd, text);
	close(fd);
	return r;
}

int host_write(const struct host *host, const char *path, const char *text, int flags)
{
	char full[PATH_MAX];
	ssize_t n;
	int fd, r;

	assert(!is_sysfs(path));
	r = host_path(host, full, "%s", path);
	if (r < 0)
		return r;
	fd = open(full, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	r = n < 0 ? -errno : 0;
	close(fd);
	return r;
}

bool host_exists(const struct host *host, const char *path)
{
	char full[PATH_MAX];

	return host_path(host, full, "%s", path) == 0 && access(full, F_OK) == 0;
}

int64_t host_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void host_sleep_ns(int64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};

	nanosleep(&ts, NULL);
}

void host_say(const char *format, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	fprintf(stderr, "coldrig-agent: %s\n", line);
}

void *host_grow(void *old, size_t n, size_t size)
{
	void *grown = reallocarray(old, n ? n : 1, size);

	if (!grown)
		abort();
	return grown;
}
