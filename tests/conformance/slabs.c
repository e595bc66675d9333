/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "slabs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verdict.h"

#define CACHES "/sys/kernel/slab"
/* What takes what is written to an attribute: shrunk last, for it is in use until then. */
#define OF_WRITES CACHES "/kmalloc-8"

static void open_shrink(struct slabs *slabs, const char *cache)
{
	char path[320];
	int fd;

	snprintf(path, sizeof(path), "%s/shrink", cache);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	check(slabs->n < SLABS_MAX, CACHES ": more than %d caches", SLABS_MAX);
	slabs->shrink[slabs->n++] = fd;
}

static void open_caches(struct slabs *slabs)
{
	DIR *dir = opendir(CACHES);
	struct dirent *entry;
	char path[280];

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), CACHES "/%s", entry->d_name);
		/* Links are aliases of a cache. */
		if (entry->d_name[0] != '.' && entry->d_type == DT_DIR &&
		    strcmp(path, OF_WRITES) != 0)
			open_shrink(slabs, path);
	}
	closedir(dir);
	open_shrink(slabs, OF_WRITES);
}

static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t at = 0;
	ssize_t got;

	while (at < size - 1 && (got = pread(fd, text + at, size - 1 - at, (off_t)at)) != 0) {
		if (got < 0)
			return -errno;
		at += (size_t)got;
	}
	text[at] = 0;
	return (ssize_t)at;
}

static void nothing(void *context, const char *name, double objects)
{
	(void)context;
	(void)name;
	(void)objects;
}

void slabs_open(struct slabs *slabs)
{
	slabs->n = 0;
	open_caches(slabs);
	slabs->info = open("/proc/slabinfo", O_RDONLY | O_CLOEXEC);
	check(slabs->info >= 0 || errno == ENOENT, "/proc/slabinfo: %s", strerror(errno));
	/* What the kernel needs to answer, it takes at the first question. */
	slabs_count(slabs, nothing, NULL);
}

void slabs_shrink(const struct slabs *slabs)
{
	for (size_t i = 0; i < slabs->n; i++) {
		/* A cache may be gone meanwhile. */
		check(pwrite(slabs->shrink[i], "1", 1, 0) == 1 || errno == ENODEV,
		      CACHES ": not shrunk: %s", strerror(errno));
	}
}

void slabs_count(const struct slabs *slabs,
		 void (*each)(void *context, const char *name, double objects), void *context)
{
	static char text[128 * 1024];
	char name[40], *line, *rest = text;
	double objects;
	ssize_t r;

	if (slabs->info < 0)
		return;
	r = read_all(slabs->info, text, sizeof(text));
	check(r > 0, "/proc/slabinfo: %s", strerror((int)-r));
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%39s %lf", name, &objects) == 2 && name[0] != '#')
			each(context, name, objects);
	}
}
