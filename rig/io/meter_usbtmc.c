/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_usbtmc.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "usbtmc.h"

/* Longer than the parent's patience, and the relay's, which decide. */
#define ANSWER_MS ((unsigned)(METER_START_MAX_NS / 1000000) + 10000)

static struct bridge {
	struct meter_link *link;
	struct usbtmc *instrument;
	int socket; /* our end */
	pthread_t thread;
	bool running;
} bridge;

static _Noreturn void bridge_lost(const struct bridge *b, int error)
{
	const char *why = strerror(-error);

	if (error == -ENODEV)
		meter_link_lost(b->link, "the meter was unplugged or switched off");
	if (error == -EPIPE)
		why = "the meter halted it";
	if (error == -EPROTO)
		why = "not an answer to the question";
	meter_link_lost(b->link, "USB: %s", why);
}

/* The answer as one line, in as many writes as it has parts. */
static void bridge_take_answer(const struct bridge *b)
{
	char part[USBTMC_MESSAGE_MAX];
	bool last = false, ends = false;

	while (!last) {
		ssize_t n = usbtmc_receive(b->instrument, part, sizeof(part), &last, ANSWER_MS);

		if (n < 0)
			bridge_lost(b, (int)n);
		if (n > 0)
			ends = part[n - 1] == '\n';
		if (n > 0 && send(b->socket, part, (size_t)n, MSG_NOSIGNAL) < 0)
			return; /* it is closing: the next read says so */
	}
	if (!ends)
		send(b->socket, "\n", 1, MSG_NOSIGNAL);
}

static void bridge_pass(const struct bridge *b, const char *line, size_t n)
{
	int ret = usbtmc_send(b->instrument, line, n);

	if (ret < 0)
		bridge_lost(b, ret);
	if (memchr(line, '?', n))
		bridge_take_answer(b);
}

static void *bridge_run(void *argument)
{
	struct bridge *b = argument;
	char text[USBTMC_MESSAGE_MAX];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(text) && (got = recv(b->socket, text + n, sizeof(text) - n, 0)) > 0) {
		const char *end;

		n += (size_t)got;
		while ((end = memchr(text, '\n', n))) {
			size_t line = (size_t)(end + 1 - text);

			bridge_pass(b, text, line);
			n -= line;
			memmove(text, text + line, n);
		}
	}
	usbtmc_close(b->instrument);
	close(b->socket);
	return NULL;
}

/* Signals are for the main thread: one of its calls has to come back, and a transfer must not. */
static int bridge_start_thread(struct bridge *b)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&b->thread, NULL, bridge_run, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int meter_usbtmc_start(const char *which, struct meter_link *link)
{
	struct bridge *b = &bridge;
	struct err err = {""};
	int pair[2], ret;

	b->link = link;
	if (usbtmc_open(which, &b->instrument, &err) < 0)
		meter_link_lost(link, "%s", err.text);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		meter_link_lost(link, "cannot relay: %s", strerror(errno));
	b->socket = pair[0];
	ret = bridge_start_thread(b);
	if (ret)
		meter_link_lost(link, "cannot relay: %s", strerror(ret));
	b->running = true;
	return pair[1];
}

void meter_usbtmc_stop(void)
{
	if (bridge.running)
		pthread_join(bridge.thread, NULL);
	bridge.running = false;
}
