/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines without hardware. `fake` appends each level that it is given to a file, "T_NS 0" or "T_NS 1"
 * a line, and reads the last one of it, whoever wrote that. `replay` plays such a file, from the time of
 * its first line on, as if it happened from the opening on.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "line_backend.h"

struct fake {
	char *path;
	int64_t opened_ns; /* of replay */
};

static int cannot(struct err *why, const char *path, int code)
{
	return err_set(why, code, "%s: %s", path, strerror(-code));
}

static int fake_new(const char *path, int flags, void **state, struct err *why)
{
	struct fake *fake = calloc(1, sizeof(*fake));
	int fd = open(path, flags | O_CLOEXEC, 0644), code = -errno;

	if (fd >= 0)
		close(fd);
	if (fd < 0 || !fake || !(fake->path = strdup(path))) {
		free(fake);
		return cannot(why, path, fd < 0 ? code : -ENOMEM);
	}
	fake->opened_ns = line_now_ns();
	*state = fake;
	return 0;
}

static int fake_open(const struct lab_line *line, void **state, struct err *why)
{
	return fake_new(line->file, O_RDWR | O_CREAT, state, why);
}

static int replay_open(const struct lab_line *line, void **state, struct err *why)
{
	return fake_new(line->file, O_RDONLY, state, why);
}

static int fake_set(void *state, bool active, struct err *why)
{
	struct fake *fake = state;
	int fd = open(fake->path, O_WRONLY | O_APPEND | O_CLOEXEC), code = -errno;

	if (fd < 0)
		return cannot(why, fake->path, code);
	if (dprintf(fd, "%" PRId64 " %d\n", line_now_ns(), active) < 0)
		code = -EIO;
	else
		code = 0;
	close(fd);
	return code ? cannot(why, fake->path, code) : 0;
}

/* The last level of those that were until since_first_ns after the first; -ENODATA if none is. */
static int level_at(const char *path, int64_t since_first_ns, bool *active, struct err *why)
{
	FILE *file = fopen(path, "re");
	int64_t t_ns, first_ns = 0;
	size_t n = 0;
	int level;

	if (!file)
		return cannot(why, path, -errno);
	while (fscanf(file, "%" SCNd64 " %d", &t_ns, &level) == 2) {
		if (n++ == 0)
			first_ns = t_ns;
		if (t_ns - first_ns > since_first_ns)
			break;
		*active = level != 0;
	}
	fclose(file);
	return n ? 0 : -ENODATA;
}

/* A fake that was never set is inactive. */
static int fake_read(void *state, bool *active, struct err *why)
{
	struct fake *fake = state;
	int r = level_at(fake->path, INT64_MAX, active, why);

	if (r == -ENODATA)
		*active = false;
	return r == -ENODATA ? 0 : r;
}

static int replay_read(void *state, bool *active, struct err *why)
{
	struct fake *fake = state;
	int r = level_at(fake->path, line_now_ns() - fake->opened_ns, active, why);

	return r == -ENODATA
		       ? err_set(why, r, "%s: no line \"T_NS 0\" or \"T_NS 1\" in it", fake->path)
		       : r;
}

static void fake_describe(void *state, char text[static LINE_TEXT_SIZE])
{
	const struct fake *fake = state;

	snprintf(text, LINE_TEXT_SIZE, "%s", fake->path);
}

static void fake_close(void *state)
{
	struct fake *fake = state;

	free(fake->path);
	free(fake);
}

const struct line_backend line_fake_backend = {
	.open = fake_open,
	.set = fake_set,
	.read = fake_read,
	.describe = fake_describe,
	.close = fake_close,
};

const struct line_backend line_replay_backend = {
	.open = replay_open,
	.read = replay_read,
	.describe = fake_describe,
	.close = fake_close,
};
