/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void relay_init(struct relay *relay, int a, int b)
{
	relay->fd[0] = a;
	relay->fd[1] = b;
	relay->is_cut = false;
	relay->to[0].n = relay->to[1].n = 0;
	for (int i = 0; i < 2; i++) {
		if (relay->fd[i] >= 0)
			(void)fcntl(relay->fd[i], F_SETFL, O_NONBLOCK);
	}
}

void relay_cut(struct relay *relay, bool is_cut)
{
	relay->is_cut = is_cut;
	relay->to[0].n = relay->to[1].n = 0;
}

/* An end that has more to take than it takes is asked for room, and its other end for nothing. */
void relay_pollfds(const struct relay *relay, struct pollfd fds[static RELAY_POLLFDS])
{
	for (int i = 0; i < 2; i++) {
		short events = relay->to[i].n ? POLLOUT : 0;

		if (relay->to[!i].n < RELAY_SIZE)
			events |= POLLIN;
		fds[i] = (struct pollfd){.fd = relay->fd[i], .events = events};
	}
}

static void flush(struct relay *relay, int to)
{
	struct relay_way *way = &relay->to[to];
	ssize_t n = way->n && relay->fd[to] >= 0
			    ? send(relay->fd[to], way->bytes, way->n, MSG_NOSIGNAL)
			    : 0;

	if (n <= 0)
		return;
	way->n -= (size_t)n;
	memmove(way->bytes, way->bytes + n, way->n);
}

static void take(struct relay *relay, int from)
{
	struct relay_way *way = &relay->to[!from];
	ssize_t n;

	if (way->n == RELAY_SIZE)
		return;
	n = recv(relay->fd[from], way->bytes + way->n, RELAY_SIZE - way->n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		relay->fd[from] = -1;
	else if (!relay->is_cut)
		way->n += (size_t)n;
	flush(relay, !from);
}

void relay_handle(struct relay *relay, const struct pollfd fds[static RELAY_POLLFDS])
{
	for (int i = 0; i < 2; i++) {
		if (relay->fd[i] < 0 || fds[i].fd != relay->fd[i])
			continue;
		if (fds[i].revents & POLLOUT)
			flush(relay, i);
		if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			take(relay, i);
	}
}
