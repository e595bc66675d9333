/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Power and reset of an emulated machine by QEMU's monitor. Off, and held in reset, is a machine that is
 * stopped; on is one that starts from its reset. A connection each time: QEMU serves one, and may be
 * another one by the next time.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "line_backend.h"
#include "permission.h"
#include "qmp.h"

#define LIMIT_NS INT64_C(5000000000) /* of one conversation */

struct qmp {
	struct sockaddr_un address;
	enum lab_qmp_does does;
};

struct talk {
	int fd;
	int64_t deadline_ns;
	char bytes[8192]; /* what has come, lines and the begin of one */
	size_t n;
	char line[8192];
};

static int cannot(const struct qmp *qmp, int code, struct err *why)
{
	const char *what = strerror(-code), *help = "";

	if (permission_is_denied(code))
		return permission_err(qmp->address.sun_path, why);
	if (code == -ENOENT || code == -ECONNREFUSED)
		help = ": no QEMU listens there: start it with -qmp unix:PATH,server=on,wait=off";
	else if (code == -ETIMEDOUT)
		what = "the monitor does not answer: is somebody else connected to it?";
	return err_set(why, code, "%s: %s%s", qmp->address.sun_path, what, help);
}

/* A line without its end, into talk->line. */
static int next_line(struct talk *talk)
{
	for (;;) {
		struct pollfd p = {.fd = talk->fd, .events = POLLIN};
		char *end = memchr(talk->bytes, '\n', talk->n);
		int64_t left_ns = talk->deadline_ns - line_now_ns();
		ssize_t got;

		if (end) {
			size_t size = (size_t)(end - talk->bytes);

			memcpy(talk->line, talk->bytes, size);
			talk->line[size] = '\0';
			talk->n -= size + 1;
			memmove(talk->bytes, end + 1, talk->n);
			return 0;
		}
		if (talk->n == sizeof(talk->bytes))
			return -EBADMSG;
		if (left_ns <= 0 || poll(&p, 1, (int)(left_ns / 1000000) + 1) == 0)
			return -ETIMEDOUT;
		got = recv(talk->fd, talk->bytes + talk->n, sizeof(talk->bytes) - talk->n,
			   MSG_DONTWAIT);
		if (got > 0)
			talk->n += (size_t)got;
		else if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return -EPIPE;
	}
}

#define GREETING (1u << QMP_GREETING)
#define DONE	 (1u << QMP_DONE)
#define RESET	 (1u << QMP_RESET)

/* All of these, in any order: an event may come before the answer to what caused it, or after. */
static int await(struct talk *talk, unsigned wanted)
{
	while (wanted) {
		int r = next_line(talk);
		enum qmp_line kind = r == 0 ? qmp_parse(talk->line) : QMP_OTHER;

		if (r < 0)
			return r;
		if (kind == QMP_REFUSED)
			return -EPROTO;
		wanted &= ~(1u << kind);
	}
	return 0;
}

static int ask(struct talk *talk, const char *command, unsigned wanted)
{
	const size_t size = strlen(command);

	if (send(talk->fd, command, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
		return -EPIPE;
	return await(talk, wanted);
}

static int begin(const struct qmp *qmp, struct talk *talk)
{
	int r;

	talk->n = 0;
	talk->deadline_ns = line_now_ns() + LIMIT_NS;
	talk->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (talk->fd < 0)
		return -errno;
	/* A connect to a unix socket waits for nothing but room in its queue. */
	r = connect(talk->fd, (const struct sockaddr *)&qmp->address, sizeof(qmp->address)) < 0
		    ? -errno
		    : await(talk, GREETING);
	if (r == 0)
		r = ask(talk, QMP_HELLO, DONE);
	if (r < 0)
		close(talk->fd);
	return r;
}

static int is_running(struct talk *talk, bool *running)
{
	int r = ask(talk, QMP_QUERY, DONE);

	if (r == 0)
		*running = qmp_is_running(talk->line);
	return r;
}

/* Only after its reset does a machine that was off go on. */
static int start_machine(struct talk *talk)
{
	int r = ask(talk, QMP_POWER, DONE | RESET);

	return r < 0 ? r : ask(talk, QMP_CONT, DONE);
}

/* A machine that is on already stays so; one that is let go from reset starts anew. */
static int make_running(const struct qmp *qmp, struct talk *talk, bool running)
{
	bool now;
	int r = is_running(talk, &now);

	if (r == 0 && !running)
		r = ask(talk, QMP_STOP, DONE);
	else if (r == 0 && (!now || qmp->does == LAB_QMP_RESET))
		r = start_machine(talk);
	if (r == 0)
		r = is_running(talk, &now);
	return r == 0 && now != running ? -EPROTO : r;
}

static int qmp_set(void *state, bool active, struct err *why)
{
	const struct qmp *qmp = state;
	struct talk talk;
	int r = begin(qmp, &talk);

	if (r < 0)
		return cannot(qmp, r, why);
	r = make_running(qmp, &talk, active == (qmp->does == LAB_QMP_POWER));
	close(talk.fd);
	return r < 0 ? cannot(qmp, r, why) : 0;
}

static int qmp_read(void *state, bool *active, struct err *why)
{
	const struct qmp *qmp = state;
	struct talk talk;
	bool running = false;
	int r = begin(qmp, &talk);

	if (r < 0)
		return cannot(qmp, r, why);
	r = is_running(&talk, &running);
	close(talk.fd);
	*active = running == (qmp->does == LAB_QMP_POWER);
	return r < 0 ? cannot(qmp, r, why) : 0;
}

static void qmp_close(void *state)
{
	free(state);
}

static int qmp_open(const struct lab_line *line, void **state, struct err *why)
{
	struct qmp *qmp = calloc(1, sizeof(*qmp));
	bool active;
	int r;

	if (!qmp)
		return err_set(why, -ENOMEM, "%s", strerror(ENOMEM));
	qmp->does = line->qmp.does;
	qmp->address.sun_family = AF_UNIX;
	r = snprintf(qmp->address.sun_path, sizeof(qmp->address.sun_path), "%s", line->qmp.socket);
	if ((size_t)r >= sizeof(qmp->address.sun_path))
		r = err_set(why, -ENAMETOOLONG, "%s: longer than a socket's path may be (%zu)",
			    line->qmp.socket, sizeof(qmp->address.sun_path) - 1);
	else
		r = qmp_read(qmp, &active, why);
	if (r < 0) {
		free(qmp);
		return r;
	}
	*state = qmp;
	return 0;
}

static void qmp_describe(void *state, char text[static LINE_TEXT_SIZE])
{
	const struct qmp *qmp = state;

	snprintf(text, LINE_TEXT_SIZE, "%s of the machine at %s", lab_qmp_does_name(qmp->does),
		 qmp->address.sun_path);
}

const struct line_backend line_qmp_backend = {
	.open = qmp_open,
	.set = qmp_set,
	.read = qmp_read,
	.describe = qmp_describe,
	.close = qmp_close,
};
