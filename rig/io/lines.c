/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parent's side. */
#include "lines.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "line_backend.h"

#define OPEN_LIMIT_NS	INT64_C(15000000000) /* of each line; an external query may take long */
#define ANSWER_LIMIT_NS INT64_C(15000000000)
#define CLOSE_LIMIT_MS	15000
#define QUEUE_MAX	64

struct lines {
	pid_t pid; /* 0: none, or reaped */
	int fd;
	bool lost;
	size_t n;
	struct line_options options[LINES_MAX];
	bool driven[LINES_MAX]; /* and to be left safe */
	uint32_t last;
	int64_t limit_ns[LINES_MAX]; /* of an answer */
	char text[LINES_MAX][LINE_TEXT_SIZE];
	/* Events that came while an answer was waited for; the oldest go if they are too many. */
	struct line_event queue[QUEUE_MAX];
	size_t first, queued;
};

/* Ends the guardian; true if it had not the time to leave the lines safe. */
static bool drop_child(struct lines *lines)
{
	int status = 0;

	if (lines->fd >= 0)
		close(lines->fd);
	lines->fd = -1;
	if (lines->pid <= 0)
		return false;
	for (int waited_ms = 0; waited_ms < CLOSE_LIMIT_MS; waited_ms += 5) {
		struct timespec pause = {.tv_nsec = 5000000};

		if (waitpid(lines->pid, &status, WNOHANG) != 0) {
			lines->pid = 0;
			return status != 0;
		}
		nanosleep(&pause, NULL);
	}
	kill(lines->pid, SIGKILL);
	waitpid(lines->pid, NULL, 0);
	lines->pid = 0;
	return true;
}

static int start(struct lines *lines, const struct line_options *options, size_t n)
{
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	lines->pid = fork();
	if (lines->pid == 0)
		line_guard(options, n, ends[1], parent);
	close(ends[1]);
	lines->fd = ends[0];
	if (lines->pid > 0)
		return 0;
	lines->pid = 0;
	return -errno;
}

/* One event from the guardian: 1, 0 if none came in time, -EPIPE when it is gone. */
static int receive(struct lines *lines, int64_t deadline_ns, struct line_event *event)
{
	for (;;) {
		struct pollfd p = {.fd = lines->fd, .events = POLLIN};
		int64_t left_ns = deadline_ns - line_now_ns();
		ssize_t size = recv(lines->fd, event, sizeof(*event), MSG_DONTWAIT);

		if (size == (ssize_t)sizeof(*event)) {
			event->why.text[sizeof(event->why.text) - 1] = '\0';
			return 1;
		}
		if (size >= 0 || (errno != EAGAIN && errno != EINTR))
			return -EPIPE;
		if (left_ns <= 0)
			return 0;
		/* A signal is the caller's to look at, after this. */
		(void)poll(&p, 1, (int)(left_ns / 1000000) + 1);
	}
}

static int await_open(struct lines *lines, const struct line_options *options, struct err *err)
{
	for (size_t i = 0; i < lines->n; i++) {
		const char *where = options[i].where;
		struct line_event event;
		int r;

		lines->limit_ns[i] = ANSWER_LIMIT_NS + 2 * options[i].wire->command.limit_ns;
		r = receive(lines, line_now_ns() + OPEN_LIMIT_NS + lines->limit_ns[i], &event);
		if (r == 1 && event.code < 0)
			return err_set(err, event.code, "%s", event.why.text);
		if (r <= 0)
			return err_set(err, r ? r : -ETIMEDOUT, "%s%s%s", where ? where : "",
				       where ? ": " : "",
				       r ? "the process that opens it ended"
					 : "opening it takes too long");
		snprintf(lines->text[i], sizeof(lines->text[i]), "%.*s",
			 (int)sizeof(lines->text[i]) - 1, event.why.text);
	}
	return 0;
}

int lines_open(const struct line_options *options, size_t n, struct lines **out, struct err *err)
{
	struct lines *lines;
	int r;

	assert(n > 0 && n <= LINES_MAX);
	lines = calloc(1, sizeof(*lines));
	if (!lines)
		return err_set(err, -ENOMEM, "lines: %s", strerror(ENOMEM));
	lines->fd = -1;
	lines->n = n;
	memcpy(lines->options, options, n * sizeof(*options));
	r = start(lines, options, n);
	if (r < 0)
		err_set(err, r, "lines: cannot start their guardian: %s", strerror(-r));
	else
		r = await_open(lines, options, err);
	if (r < 0) {
		lines_close(lines);
		return r;
	}
	*out = lines;
	return 0;
}

const char *lines_text(const struct lines *lines, size_t line)
{
	return lines->text[line];
}

int lines_fd(const struct lines *lines)
{
	return lines->fd;
}

/* What the guardian would have done at its end: another one does it. */
static int make_safe(const struct lines *lines, struct err *why)
{
	struct line_options some[LINES_MAX];
	struct lines *again = NULL;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < lines->n; i++) {
		if (lines->driven[i] && lines->options[i].wire->safe != LAB_SAFE_KEEP)
			some[n++] = lines->options[i];
	}
	if (n == 0)
		return 0;
	r = lines_open(some, n, &again, why);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = lines_set(again, i, some[i].wire->safe == LAB_SAFE_ON, why);
	if (again)
		again->lost = true; /* once: hardware that hangs has an end, too */
	lines_close(again);
	return r;
}

void lines_close(struct lines *lines)
{
	if (!lines)
		return;
	if (drop_child(lines) && !lines->lost)
		(void)make_safe(lines, NULL);
	free(lines);
}

static void lose(struct lines *lines, struct line_event *event)
{
	struct err why = {""};

	*event = (struct line_event){.kind = LINE_LOST, .code = -EPIPE, .t_ns = line_now_ns()};
	lines->lost = true;
	if (!drop_child(lines))
		err_set(&event->why, 0, "the guardian of the lines (coldrig-lines) was ended");
	else if (make_safe(lines, &why) == 0)
		err_set(&event->why, 0,
			"the guardian of the lines (coldrig-lines) was killed: what was driven is "
			"in its safe state, and no line is had any more");
	else
		err_set(&event->why, 0,
			"the guardian of the lines (coldrig-lines) was killed, and a line "
			"cannot be left safe: %.300s",
			why.text);
}

/* To who wanted something of a line. */
static int say_lost(const struct lines *lines, size_t line, const struct line_event *event,
		    struct err *err)
{
	const char *where = lines->options[line].where;

	return err_set(err, event->code, "%s%s%s", where ? where : "", where ? ": " : "",
		       event->why.text);
}

static void enqueue(struct lines *lines, const struct line_event *event)
{
	if (lines->queued == QUEUE_MAX) {
		lines->first = (lines->first + 1) % QUEUE_MAX;
		lines->queued--;
	}
	lines->queue[(lines->first + lines->queued++) % QUEUE_MAX] = *event;
}

bool lines_next(struct lines *lines, struct line_event *event)
{
	int r;

	if (lines->queued) {
		*event = lines->queue[lines->first];
		lines->first = (lines->first + 1) % QUEUE_MAX;
		lines->queued--;
		return true;
	}
	if (lines->lost)
		return false;
	r = receive(lines, 0, event);
	if (r < 0)
		lose(lines, event);
	return r != 0;
}

int lines_begin(struct lines *lines, size_t line, enum line_op op, bool active, int64_t hold_ns,
		uint32_t *request, struct err *err)
{
	const struct line_ask ask = {
		.request = ++lines->last,
		.line = (uint32_t)line,
		.op = op,
		.active = active,
		.hold_ns = hold_ns,
	};

	assert(line < lines->n);
	if (lines->lost)
		return err_set(err, -EPIPE, "the guardian of the lines ended");
	if (send(lines->fd, &ask, sizeof(ask), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		struct line_event event;

		lose(lines, &event);
		return say_lost(lines, line, &event, err);
	}
	if (op == LINE_SET || op == LINE_PULSE)
		lines->driven[line] = true;
	if (op == LINE_KEEP)
		lines->driven[line] = false;
	*request = ask.request;
	return 0;
}

static int await_done(struct lines *lines, size_t line, uint32_t request, int64_t deadline_ns,
		      struct line_event *event, struct err *err)
{
	for (;;) {
		int r = receive(lines, deadline_ns, event);

		if (r == 0)
			return err_set(err, -ETIMEDOUT, "%s: it does not answer",
				       lines->text[line]);
		if (r < 0) {
			lose(lines, event);
			return say_lost(lines, line, event, err);
		}
		if (event->kind == LINE_DONE && event->request == request)
			return event->code < 0 ? err_set(err, event->code, "%s", event->why.text)
					       : 0;
		enqueue(lines, event);
	}
}

static int carry_out(struct lines *lines, size_t line, enum line_op op, bool active,
		     int64_t hold_ns, bool *now, struct err *err)
{
	struct line_event event;
	uint32_t request;
	int r = lines_begin(lines, line, op, active, hold_ns, &request, err);

	if (r == 0)
		r = await_done(lines, line, request,
			       line_now_ns() + hold_ns + lines->limit_ns[line], &event, err);
	if (r == 0 && now)
		*now = event.active;
	return r;
}

int lines_set(struct lines *lines, size_t line, bool active, struct err *err)
{
	return carry_out(lines, line, LINE_SET, active, 0, NULL, err);
}

int lines_read(struct lines *lines, size_t line, bool *active, struct err *err)
{
	return carry_out(lines, line, LINE_READ, false, 0, active, err);
}

int lines_pulse(struct lines *lines, size_t line, bool active, int64_t hold_ns, struct err *err)
{
	return carry_out(lines, line, LINE_PULSE, active, hold_ns, NULL, err);
}

int lines_watch(struct lines *lines, size_t line, struct err *err)
{
	return carry_out(lines, line, LINE_WATCH, false, 0, NULL, err);
}

int lines_keep(struct lines *lines, size_t line, struct err *err)
{
	return carry_out(lines, line, LINE_KEEP, false, 0, NULL, err);
}
