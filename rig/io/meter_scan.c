/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "meter_backend.h"

/* What a child said, put together. */
struct scan {
	meter_scan_callback *on_found;
	void (*on_name)(void *context, const char *name);
	void *context;
	struct meter_found found;
	size_t n;
	int64_t limit_ns;
	char why[160];
};

static void scan_take(struct scan *s, const struct meter_event *event)
{
	if (event->kind == METER_EVENT_OPTION && s->on_name) {
		s->on_name(s->context, event->text);
	} else if (event->kind == METER_EVENT_OPTION) {
		snprintf(s->found.spec, sizeof(s->found.spec), "%s", event->text);
	} else if (event->kind == METER_EVENT_READY) {
		s->found.identity = event->identity;
		s->n++;
		s->on_found(s->context, &s->found);
	} else if (event->kind == METER_EVENT_LOST) {
		snprintf(s->why, sizeof(s->why), "%s", event->text);
	}
}

/* Until the child has no more to say; -ETIMEDOUT. */
static int scan_listen(struct scan *s, int fd)
{
	int64_t end_ns = meter_now_ns() + s->limit_ns;

	for (;;) {
		struct pollfd pipe_end = {.fd = fd, .events = POLLIN};
		int64_t left_ns = end_ns - meter_now_ns();
		struct meter_record record;
		ssize_t n;

		if (left_ns <= 0)
			return -ETIMEDOUT;
		if (poll(&pipe_end, 1, (int)(left_ns / 1000000) + 1) <= 0)
			continue;
		n = read(fd, &record, sizeof(record)); /* they are written whole */
		if (n != (ssize_t)sizeof(record))
			return 0;
		record.u.event.text[sizeof(record.u.event.text) - 1] = '\0';
		if (record.kind == METER_RECORD_EVENT)
			scan_take(s, &record.u.event);
	}
}

static int scan_run(struct scan *s, const struct meter_spec *spec)
{
	pid_t pid, parent = getpid();
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		struct meter_link *link = meter_link_start(ends[1], NULL, parent);

		if (spec)
			meter_sigrok_scan(spec, link);
		else
			meter_sigrok_list(link);
		_exit(0);
	}
	r = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (r == 0) {
		r = scan_listen(s, ends[0]);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	close(ends[0]);
	return r;
}

int meter_scan(const char *text, int64_t limit_ns, meter_scan_callback *callback, void *context,
	       struct err *err)
{
	struct scan scan = {.on_found = callback, .context = context, .limit_ns = limit_ns};
	struct meter_spec spec;
	int r = meter_spec_parse(text, &spec, err);

	if (r < 0)
		return r;
	r = scan_run(&scan, &spec);
	if (r == -ETIMEDOUT)
		return err_set(err, r, "meter %s: does not answer within %g s", text,
			       (double)limit_ns * 1e-9);
	if (r < 0)
		return err_set(err, r, "meter %s: %s", text, strerror(-r));
	if (scan.n == 0)
		return err_set(err, -ENODEV, "meter %s: %s", text,
			       scan.why[0] ? scan.why : "no such meter found");
	return 0;
}

int meter_scan_drivers(int64_t limit_ns, void (*callback)(void *context, const char *name),
		       void *context, struct err *err)
{
	struct scan scan = {.on_name = callback, .context = context, .limit_ns = limit_ns};
	int r = scan_run(&scan, NULL);

	return r < 0 ? err_set(err, -EIO, "libsigrok does not tell its drivers: %s", strerror(-r))
		     : 0;
}
