/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "instrument.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linebuf.h"

/* Room for the answers to all that one receive can bring, so that none is lost: the most for a byte
 * asked is *IDN?, 45 bytes for 6. */
#define IN_SIZE	 1024
#define OUT_SIZE 16384

struct client {
	struct instrument *instrument;
	int fd; /* -1: free */
	uint64_t last_use;
	struct scpi scpi;
	struct linebuf in;
	size_t out_n; /* answers that did not go out yet */
	char out[OUT_SIZE];
};

struct instrument {
	int listener;
	uint16_t port;
	bool dead, unplugged;
	uint64_t uses;
	scpi_source *source;
	void *context;
	struct client clients[INSTRUMENT_CLIENTS];
};

static int listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int code;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, INSTRUMENT_CLIENTS) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
		code = -errno;
		close(fd);
		return code;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

int instrument_new(scpi_source *source, void *context, struct instrument **out, struct err *err)
{
	struct instrument *instrument = calloc(1, sizeof(*instrument));

	if (!instrument)
		return err_set(err, -ENOMEM, "virtual instrument: out of memory");
	instrument->listener = listen_on_loopback(&instrument->port);
	if (instrument->listener < 0) {
		int code = instrument->listener;

		free(instrument);
		return err_set(err, code, "virtual instrument: cannot listen on 127.0.0.1: %s",
			       strerror(-code));
	}
	instrument->source = source;
	instrument->context = context;
	for (size_t i = 0; i < INSTRUMENT_CLIENTS; i++) {
		instrument->clients[i].instrument = instrument;
		instrument->clients[i].fd = -1;
	}
	*out = instrument;
	return 0;
}

uint16_t instrument_port(const struct instrument *instrument)
{
	return instrument->port;
}

void instrument_set_dead(struct instrument *instrument, bool dead)
{
	instrument->dead = dead;
}

static void drop(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

void instrument_set_unplugged(struct instrument *instrument, bool unplugged)
{
	instrument->unplugged = unplugged;
	for (size_t i = 0; unplugged && i < INSTRUMENT_CLIENTS; i++)
		drop(&instrument->clients[i]);
}

/* A free place, or that of the client that has been quiet for longest. */
static struct client *place(struct instrument *instrument)
{
	struct client *best = &instrument->clients[0];

	for (size_t i = 0; i < INSTRUMENT_CLIENTS; i++) {
		struct client *c = &instrument->clients[i];

		if (c->fd < 0)
			return c;
		if (c->last_use < best->last_use)
			best = c;
	}
	return best;
}

static void accept_client(struct instrument *instrument)
{
	int fd = accept4(instrument->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int on = 1;
	struct client *c;

	if (fd < 0)
		return;
	if (instrument->unplugged) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = place(instrument);
	drop(c);
	c->fd = fd;
	c->last_use = ++instrument->uses;
	c->in.used = 0;
	c->out_n = 0;
	scpi_init(&c->scpi, instrument->source, instrument->context);
}

static void flush(struct client *c)
{
	ssize_t n;

	if (c->out_n == 0)
		return;
	n = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			drop(c);
		return;
	}
	c->out_n -= (size_t)n;
	memmove(c->out, c->out + n, c->out_n);
}

static void on_line(char *line, void *context)
{
	struct client *c = context;
	char reply[SCPI_REPLY_SIZE];
	size_t n;

	if (c->instrument->dead)
		return;
	n = scpi_handle(&c->scpi, line, reply);
	if (c->out_n + n > sizeof(c->out))
		return;
	memcpy(c->out + c->out_n, reply, n);
	c->out_n += n;
}

static void receive(struct client *c)
{
	char bytes[IN_SIZE];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	int on = 1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	/* libsigrok sends channel and query as two small packets: without a quick ACK for the
	 * first, its side waits 40 ms before it sends the second. The kernel forgets the option. */
	setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	c->last_use = ++c->instrument->uses;
	linebuf_feed(&c->in, bytes, (size_t)n, on_line, c);
	flush(c);
}

/* A client that does not take its answers is not listened to until it does. */
void instrument_pollfds(const struct instrument *instrument,
			struct pollfd fds[static INSTRUMENT_POLLFDS])
{
	fds[0] = (struct pollfd){.fd = instrument->listener, .events = POLLIN};
	for (size_t i = 0; i < INSTRUMENT_CLIENTS; i++) {
		const struct client *c = &instrument->clients[i];

		fds[1 + i] =
			(struct pollfd){.fd = c->fd, .events = c->out_n > 0 ? POLLOUT : POLLIN};
	}
}

void instrument_handle(struct instrument *instrument,
		       const struct pollfd fds[static INSTRUMENT_POLLFDS])
{
	for (size_t i = 0; i < INSTRUMENT_CLIENTS; i++) {
		struct client *c = &instrument->clients[i];

		if (c->fd < 0 || fds[1 + i].fd != c->fd || !fds[1 + i].revents)
			continue;
		if (c->out_n > 0)
			flush(c);
		else
			receive(c);
	}
	if (fds[0].revents)
		accept_client(instrument);
}

void instrument_free(struct instrument *instrument)
{
	if (!instrument)
		return;
	for (size_t i = 0; i < INSTRUMENT_CLIENTS; i++)
		drop(&instrument->clients[i]);
	close(instrument->listener);
	free(instrument);
}
