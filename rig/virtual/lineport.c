/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lineport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 4096

enum { POLL_LISTENER, POLL_CLIENT, POLL_SERIAL };

struct lineport {
	int listener, client, serial;
	uint16_t port;
	bool dead, unplugged;
	bool asked;	/* the client has sent something, or is gone */
	bool amid_line; /* the line was given the begin of one */
	size_t held;	/* of what came from the line */
	char buffer[BUFFER_SIZE];
};

static int listen_on_loopback(struct lineport *p)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);

	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->listener < 0 ||
	    bind(p->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(p->listener, 1) < 0 ||
	    getsockname(p->listener, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	p->port = ntohs(address.sin_port);
	return 0;
}

int lineport_new(int serial_fd, struct lineport **out, struct err *err)
{
	struct lineport *p = calloc(1, sizeof(*p));
	int code;

	if (!p) {
		close(serial_fd);
		return err_set(err, -ENOMEM, "virtual probe: out of memory");
	}
	p->client = -1;
	p->serial = serial_fd;
	code = listen_on_loopback(p);
	if (code < 0) {
		lineport_free(p);
		return err_set(err, code, "virtual probe: cannot listen on 127.0.0.1: %s",
			       strerror(-code));
	}
	*out = p;
	return 0;
}

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void drop_client(struct lineport *p)
{
	drop(&p->client);
	p->asked = false;
}

void lineport_free(struct lineport *p)
{
	if (!p)
		return;
	drop(&p->listener);
	drop_client(p);
	drop(&p->serial);
	free(p);
}

uint16_t lineport_tcp_port(const struct lineport *p)
{
	return p->port;
}

void lineport_set_faults(struct lineport *p, bool dead, bool unplugged)
{
	p->dead = dead;
	p->unplugged = unplugged;
	if (unplugged)
		drop_client(p);
}

void lineport_hang_up(struct lineport *p)
{
	drop(&p->listener);
	drop_client(p);
}

/* Like a serial line without flow control: what does not fit is lost. */
static void to_serial(struct lineport *p, const char *bytes, size_t n)
{
	if (p->serial >= 0)
		(void)send(p->serial, bytes, n, MSG_NOSIGNAL);
	p->amid_line = bytes[n - 1] != '\n';
}

static void accept_client(struct lineport *p)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;

	if (fd < 0)
		return;
	if (p->unplugged) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	drop_client(p);
	p->client = fd;
	p->held = 0;
	/* What the client before has left is not to be the begin of this one's first command. */
	if (p->amid_line)
		to_serial(p, "\n", 1);
}

static void from_client(struct lineport *p)
{
	char bytes[BUFFER_SIZE];
	ssize_t n = recv(p->client, bytes, sizeof(bytes), 0);
	int on = 1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop_client(p);
		return;
	}
	/* libsigrok sends channel and query as two small packets: without a quick ACK for the
	 * first, its side waits 40 ms before it sends the second. The kernel forgets the option. */
	setsockopt(p->client, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	if (!p->dead)
		to_serial(p, bytes, (size_t)n);
}

static void from_serial(struct lineport *p)
{
	ssize_t n = recv(p->serial, p->buffer + p->held, sizeof(p->buffer) - p->held, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(&p->serial);
		return;
	}
	p->held += (size_t)n;
	if (p->buffer[p->held - 1] != '\n' && p->held < sizeof(p->buffer))
		return;
	if (p->client >= 0 && !p->dead &&
	    send(p->client, p->buffer, p->held, MSG_NOSIGNAL) < (ssize_t)p->held)
		drop_client(p); /* it does not take what it asked for */
	p->held = 0;
}

void lineport_pollfds(const struct lineport *p, struct pollfd fds[static LINEPORT_POLLFDS])
{
	fds[POLL_LISTENER] = (struct pollfd){.fd = p->listener, .events = POLLIN};
	fds[POLL_CLIENT] = (struct pollfd){.fd = p->asked ? -1 : p->client, .events = POLLIN};
	fds[POLL_SERIAL] = (struct pollfd){.fd = p->serial, .events = POLLIN};
}

void lineport_handle(struct lineport *p, const struct pollfd fds[static LINEPORT_POLLFDS])
{
	if (fds[POLL_SERIAL].revents)
		from_serial(p);
	if (fds[POLL_CLIENT].revents && p->client == fds[POLL_CLIENT].fd)
		p->asked = true;
	if (fds[POLL_LISTENER].revents)
		accept_client(p);
}

bool lineport_is_asked(const struct lineport *p)
{
	return p->asked;
}

void lineport_take(struct lineport *p)
{
	if (!p->asked)
		return;
	p->asked = false;
	from_client(p);
}
