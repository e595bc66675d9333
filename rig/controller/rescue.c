/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rescue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"

#define LOG_LIMIT_NS INT64_C(70000000000) /* vmcore-dmesg reads the memory of the dead kernel */
#define LOG_MAX	     (16 << 20)
#define FILES_MAX    10000

struct text {
	char *bytes;
	size_t n;
};

/* Adds a part of the log; how much there is in all goes to *size. */
static int take_part(struct rig *rig, struct text *log, int64_t *size, struct err *err)
{
	struct msg *request = rig_request("dead-log", NULL), *answer;
	const char *data;
	void *part = NULL;
	char *grown;
	size_t n = 0;
	int r;

	msg_set_int(request, "at", (int64_t)log->n);
	r = rig_ask_for(rig, request, LOG_LIMIT_NS, &answer, err);
	if (r < 0)
		return r;
	data = msg_get_str(answer, "data");
	*size = msg_get_int(answer, "size", -1);
	r = data && *size >= 0 && *size <= LOG_MAX ? base64_decode(data, &part, &n) : -EINVAL;
	msg_free(answer);
	if (r == 0 && n == 0 && (int64_t)log->n < *size)
		r = -EINVAL;
	grown = r == 0 ? realloc(log->bytes, log->n + n + 1) : NULL;
	if (grown) {
		memcpy(grown + log->n, part, n);
		log->bytes = grown;
		log->n += n;
	}
	free(part);
	return grown ? 0 : err_set(err, -EPROTO, "the agent sent a log that makes no sense");
}

static int fetch(struct rig *rig, struct text *log, struct err *err)
{
	int64_t size;
	int r;

	do {
		r = take_part(rig, log, &size, err);
	} while (r == 0 && (int64_t)log->n < size);
	return r;
}

/* A new file, under the first number that is free. */
static int open_next(const char *run_dir, const char *arm, char *path, size_t path_size,
		     struct err *err)
{
	for (int i = 1; i < FILES_MAX; i++) {
		int fd;

		snprintf(path, path_size, "%s/panic-%s-%d.txt", run_dir, arm, i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return err_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	return err_set(err, -EEXIST, "%s: too many panics", run_dir);
}

static int write_log(int fd, const struct text *log, const char *path, struct err *err)
{
	size_t at = 0;

	while (at < log->n) {
		ssize_t n = write(fd, log->bytes + at, log->n - at);

		if (n < 0 && errno != EINTR)
			return err_set(err, -errno, "%s: %s", path, strerror(errno));
		at += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) < 0 ? err_set(err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

static int save(struct rig *rig, const char *run_dir, const char *arm, const struct text *log,
		const struct msg *hello, struct err *err)
{
	char path[4096];
	struct msg *body;
	int fd = open_next(run_dir, arm, path, sizeof(path), err), r;

	if (fd < 0)
		return fd;
	r = write_log(fd, log, path, err);
	close(fd);
	if (r < 0)
		return r;
	body = msg_object();
	msg_set_str(body, "file", strrchr(path, '/') + 1);
	msg_set_int(body, "bytes", (int64_t)log->n);
	msg_set_str(body, "crash_kernel", msg_get_str(hello, "release"));
	return rig_note(rig, "panic", body, err);
}

int rescue_log(struct rig *rig, const char *run_dir, const char *arm, const struct msg *hello,
	       struct err *err)
{
	struct text log = {NULL, 0};
	int r = fetch(rig, &log, err);

	if (r == 0)
		r = save(rig, run_dir, arm, &log, hello, err);
	free(log.bytes);
	return r;
}
