/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_relay.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define RELAY_QUERY_MAX	 1024
#define RELAY_ANSWER_MAX 256

struct meter_relay {
	int driver; /* our end of the socket pair */
	int peer;   /* the meter */
	int64_t silence_ns;
	struct meter_link *link;
	pthread_t thread;
	pthread_mutex_t lock; /* guards last */
	struct meter_exchange last;
	char query[RELAY_QUERY_MAX];
	size_t query_n;
	char answer[RELAY_ANSWER_MAX + 1];
	size_t answer_n;
};

bool meter_relay_is_number(const char *line, size_t size)
{
	char text[RELAY_ANSWER_MAX + 1], *end;
	double value;

	if (size > RELAY_ANSWER_MAX || memchr(line, '\0', size))
		return false;
	memcpy(text, line, size);
	text[size] = '\0';
	if (strpbrk(text, "xX")) /* hexadecimal is strtod's idea, not SCPI's */
		return false;
	value = strtod(text, &end);
	if (end == text || !isfinite(value))
		return false;
	while (*end == ' ')
		end++;
	if (*end == 'W')
		end++;
	while (*end == ' ' || *end == '\r' || *end == '\n')
		end++;
	return *end == '\0';
}

static void relay_printable(const char *from, size_t size, char to[static 48])
{
	size_t n = 0;

	while (size && (from[size - 1] == '\n' || from[size - 1] == '\r'))
		size--;
	for (; n < size && n < 47; n++)
		to[n] = isprint((unsigned char)from[n]) ? from[n] : '.';
	to[n] = '\0';
}

static _Noreturn void relay_lost(struct meter_relay *r, const char *what)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		meter_link_lost(r->link, "no answer for %.1f s", (double)r->silence_ns * 1e-9);
	meter_link_lost(r->link, "%s: %s", what, strerror(errno));
}

static void relay_send(struct meter_relay *r)
{
	size_t done = 0;

	while (done < r->query_n) {
		ssize_t n = send(r->peer, r->query + done, r->query_n - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			relay_lost(r, "sending to the meter");
		done += (size_t)n;
	}
	r->query_n = 0;
}

/* What comes without having been asked for would be taken for the next answer. */
static void relay_drop_unasked(struct meter_relay *r)
{
	char text[48];
	ssize_t n;

	while ((n = recv(r->peer, r->answer, RELAY_ANSWER_MAX, MSG_DONTWAIT)) > 0) {
		relay_printable(r->answer, (size_t)n, text);
		meter_link_event(r->link, METER_EVENT_NOTE, "dropped what nobody asked for: '%s'",
				 text);
	}
	if (n == 0)
		meter_link_lost(r->link, "the meter closed the connection");
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		relay_lost(r, "reading from the meter");
}

/*
 * Gathers the driver's lines up to one that wants an answer: what selects a channel then goes out
 * in one segment with the query. False when the driver has closed its end.
 */
static bool relay_take_query(struct meter_relay *r)
{
	while (!r->query_n || r->query[r->query_n - 1] != '\n' ||
	       !memchr(r->query, '?', r->query_n)) {
		ssize_t n;

		if (r->query_n == RELAY_QUERY_MAX)
			relay_send(r);
		n = recv(r->driver, r->query + r->query_n, RELAY_QUERY_MAX - r->query_n, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		r->query_n += (size_t)n;
	}
	return true;
}

/* Reads up to the line's end. */
static void relay_take_answer(struct meter_relay *r)
{
	r->answer_n = 0;
	while (!r->answer_n || !memchr(r->answer, '\n', r->answer_n)) {
		ssize_t n;

		if (r->answer_n == RELAY_ANSWER_MAX)
			meter_link_lost(r->link, "an answer of more than %d bytes has no end",
					RELAY_ANSWER_MAX);
		n = recv(r->peer, r->answer + r->answer_n, RELAY_ANSWER_MAX - r->answer_n, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			meter_link_lost(r->link, "the meter closed the connection");
		if (n < 0)
			relay_lost(r, "reading from the meter");
		r->answer_n += (size_t)n;
	}
}

static void relay_give_answer(struct meter_relay *r, int64_t query_ns)
{
	struct meter_exchange done = {.query_ns = query_ns, .answer_ns = meter_now_ns()};
	const char *end = memchr(r->answer, '\n', r->answer_n);

	relay_printable(r->answer, r->answer_n, done.text);
	if (end != r->answer + r->answer_n - 1)
		done.fault = "more than one answer";
	else if (!meter_relay_is_number(r->answer, r->answer_n))
		done.fault = "no number";
	pthread_mutex_lock(&r->lock);
	r->last = done;
	pthread_mutex_unlock(&r->lock);
	/* The driver has to get something, or it would wait and fall out of step. */
	if (done.fault)
		send(r->driver, "nan\n", 4, MSG_NOSIGNAL);
	else
		send(r->driver, r->answer, r->answer_n, MSG_NOSIGNAL);
}

static void *relay_run(void *argument)
{
	struct meter_relay *r = argument;
	int64_t query_ns;

	while (relay_take_query(r)) {
		relay_drop_unasked(r);
		query_ns = meter_now_ns();
		relay_send(r);
		relay_take_answer(r);
		relay_give_answer(r, query_ns);
	}
	relay_send(r);
	return NULL;
}

static int relay_set_socket(int fd, int64_t silence_ns)
{
	struct timeval limit = {.tv_sec = silence_ns / 1000000000,
				.tv_usec = silence_ns / 1000 % 1000000};
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return 0;
}

int meter_relay_start(int fd, int64_t silence_ns, struct meter_link *link, struct meter_relay **out)
{
	struct meter_relay *r = calloc(1, sizeof(*r));
	int pair[2], ret;

	if (!r)
		return -ENOMEM;
	r->silence_ns = silence_ns;
	r->link = link;
	pthread_mutex_init(&r->lock, NULL);
	r->peer = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (r->peer < 0) {
		ret = -errno;
		goto err_free;
	}
	ret = relay_set_socket(r->peer, silence_ns);
	if (ret)
		goto err_close_peer;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		ret = -errno;
		goto err_close_peer;
	}
	r->driver = pair[1];
	if (dup2(pair[0], fd) < 0) {
		ret = -errno;
		goto err_close_pair;
	}
	ret = -pthread_create(&r->thread, NULL, relay_run, r);
	if (ret)
		goto err_close_pair;
	close(pair[0]);
	*out = r;
	return 0;

err_close_pair:
	close(pair[0]);
	close(pair[1]);
err_close_peer:
	close(r->peer);
err_free:
	free(r);
	return ret;
}

void meter_relay_last(struct meter_relay *r, struct meter_exchange *out)
{
	pthread_mutex_lock(&r->lock);
	*out = r->last;
	pthread_mutex_unlock(&r->lock);
}

void meter_relay_stop(struct meter_relay *r)
{
	if (!r)
		return;
	pthread_join(r->thread, NULL);
	close(r->driver);
	close(r->peer);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
