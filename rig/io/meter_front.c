/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_front.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "meter.h"
#include "meter_relay.h"
#include "meter_usbtmc.h"

#define FDS_MAX 1024
/* Longer than the parent's patience, which decides. */
#define SILENCE_NS (METER_START_MAX_NS + 10000000000)

struct meter_front {
	struct meter_link *link;
	enum framing framing;
	char host[256], port[16], conn[40];
	char usb[16]; /* "": on TCP */
	int listener;
	in_port_t listener_port; /* in network order, like all of them here */
	pthread_t thread;
	pthread_mutex_t lock;
	in_port_t taken; /* the driver's port whose meter is to stay open; 0: none. With lock */
	int meter;	 /* that meter, once the thread has ended */
};

static bool front_parse(struct meter_front *f, const char *conn)
{
	char kind[16];
	int end = 0;

	if (sscanf(conn, "usbtmc/%15[0-9a-fA-F.]%n", f->usb, &end) == 1 && !conn[end])
		return true;
	f->usb[0] = '\0';
	if (sscanf(conn, "tcp-%15[^/]/%255[^/]/%15[0-9]%n", kind, f->host, f->port, &end) != 3 ||
	    conn[end])
		return false;
	f->framing = strcmp(kind, "rigol") == 0 ? FRAMING_LENGTH : FRAMING_LINES;
	return f->framing == FRAMING_LENGTH || strcmp(kind, "raw") == 0;
}

/* Of this process's connections to the listener, the one from a port (0: any); -1 if there is none. */
static int front_own_end(const struct meter_front *f, in_port_t port)
{
	for (int fd = 0; fd < FDS_MAX; fd++) {
		struct sockaddr_in near, far;
		socklen_t near_size = sizeof(near), far_size = sizeof(far);

		if (getpeername(fd, (struct sockaddr *)&far, &far_size) == 0 &&
		    getsockname(fd, (struct sockaddr *)&near, &near_size) == 0 &&
		    far.sin_family == AF_INET && far.sin_port == f->listener_port &&
		    far.sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
		    (!port || near.sin_port == port))
			return fd;
	}
	return -1;
}

static int front_connect(struct meter_front *f)
{
	const struct addrinfo want = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *all;
	int fd = -1, ret = getaddrinfo(f->host, f->port, &want, &all);

	if (ret)
		meter_link_lost(f->link, "%s: %s", f->host, gai_strerror(ret));
	for (const struct addrinfo *to = all; to && fd < 0; to = to->ai_next) {
		fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) < 0) {
			ret = errno;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(all);
	if (fd < 0)
		meter_link_lost(f->link, "connecting to %s, port %s: %s", f->host, f->port,
				strerror(ret));
	return fd;
}

/* One connection of the driver. True when the meter's is to stay. */
static bool front_serve(struct meter_front *f, int driver, in_port_t port)
{
	const struct meter_relay_line line = {.framing = f->framing, .silence_ns = SILENCE_NS};
	bool stays;

	f->meter = f->usb[0] ? meter_usbtmc_start(f->usb, f->link) : front_connect(f);
	meter_relay_pump(driver, f->meter, &line, f->link);
	pthread_mutex_lock(&f->lock);
	stays = f->taken == port;
	pthread_mutex_unlock(&f->lock);
	if (!stays) {
		close(f->meter);
		meter_usbtmc_stop();
	}
	return stays;
}

/* A driver that looks for a meter closes it, and connects again to open it. */
static void *front_run(void *argument)
{
	struct meter_front *f = argument;
	bool done = false;

	while (!done) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		int driver = accept4(f->listener, (struct sockaddr *)&from, &size, SOCK_CLOEXEC);

		if (driver < 0 && errno != EINTR && errno != ECONNABORTED)
			meter_link_lost(f->link, "no connection to the driver: %s",
					strerror(errno));
		if (driver < 0)
			continue;
		if (front_own_end(f, from.sin_port) >= 0)
			done = front_serve(f, driver, from.sin_port);
		close(driver);
	}
	return NULL;
}

/* Or none, on USB: getaddrinfo() takes any number modulo 65536. */
static bool front_has_port(const struct meter_front *f)
{
	unsigned long port = strtoul(f->port, NULL, 10);

	return !f->port[0] || (port > 0 && port <= UINT16_MAX);
}

static int front_listen(struct meter_front *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (f->listener < 0 ||
	    bind(f->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(f->listener, 4) < 0 ||
	    getsockname(f->listener, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	f->listener_port = address.sin_port;
	snprintf(f->conn, sizeof(f->conn), "tcp-raw/127.0.0.1/%u", ntohs(f->listener_port));
	return 0;
}

static int front_prepare(struct meter_front *f, const char *conn)
{
	if (!front_parse(f, conn))
		return -EINVAL;
	return front_has_port(f) ? front_listen(f) : -ERANGE;
}

static void front_free(struct meter_front *f)
{
	if (f->listener >= 0)
		close(f->listener);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int meter_front_start(const char *conn, struct meter_link *link, struct meter_front **out)
{
	struct meter_front *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return -ENOMEM;
	f->link = link;
	f->listener = f->meter = -1;
	pthread_mutex_init(&f->lock, NULL);
	ret = front_prepare(f, conn);
	if (ret == 0)
		ret = -pthread_create(&f->thread, NULL, front_run, f);
	if (ret) {
		front_free(f);
		return ret;
	}
	*out = f;
	return 0;
}

const char *meter_front_conn(const struct meter_front *front)
{
	return front->conn;
}

enum framing meter_front_framing(const struct meter_front *front)
{
	return front->framing;
}

int meter_front_take(struct meter_front *f, int *meter)
{
	int driver = front_own_end(f, 0);
	struct sockaddr_in near;
	socklen_t size = sizeof(near);

	if (driver < 0 || getsockname(driver, (struct sockaddr *)&near, &size) < 0)
		return -ENOTCONN;
	pthread_mutex_lock(&f->lock);
	f->taken = near.sin_port;
	pthread_mutex_unlock(&f->lock);
	/* What the driver has said so far still reaches the meter. */
	if (shutdown(driver, SHUT_WR) < 0)
		return -errno;
	pthread_join(f->thread, NULL);
	*meter = f->meter;
	front_free(f);
	return driver;
}
