/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "permission.h"

#define CONNECT_LIMIT_MS 5000
#define EXIT_LIMIT_MS	 2000

struct transport {
	int rfd, wfd;
	pid_t pid; /* of the command, 0: none */
	bool is_serial, is_borrowed, has_termios;
	struct termios saved;
};

static int open_exec(struct transport *t, const char *command, struct err *err)
{
	int to[2], from[2];
	pid_t parent = getpid();

	if (pipe2(to, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(from, O_CLOEXEC) < 0) {
		int r = -errno;

		close(to[0]);
		close(to[1]);
		return r;
	}
	t->pid = fork();
	if (t->pid == 0) {
		/* A group of its own: Ctrl-C is for the controller, which ends this in order. */
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGHUP);
		if (getppid() != parent)
			_exit(127);
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	t->wfd = to[1];
	t->rfd = from[0];
	if (t->pid < 0) {
		t->pid = 0;
		return err_set(err, -errno, "exec:%s: cannot start: %s", command, strerror(errno));
	}
	return 0;
}

/* A connect with an end; the socket is non-blocking. */
static int connect_within(int fd, const struct sockaddr *address, socklen_t n)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int failure = 0;
	socklen_t size = sizeof(failure);

	if (connect(fd, address, n) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	if (poll(&p, 1, CONNECT_LIMIT_MS) <= 0)
		return -ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
	return -failure;
}

static int open_unix(struct transport *t, const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -EINVAL, "unix:%s: the path is too long", path);
	memcpy(address.sun_path, path, strlen(path));
	t->rfd = t->wfd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->rfd < 0)
		return -errno;
	r = connect_within(t->rfd, (struct sockaddr *)&address, sizeof(address));
	return r < 0 ? err_set(err, r, "unix:%s: cannot connect: %s", path, strerror(-r)) : 0;
}

static int connect_any(struct transport *t, const struct addrinfo *list)
{
	int r = -EHOSTUNREACH, one = 1;

	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		t->rfd = t->wfd =
			socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (t->rfd < 0)
			return -errno;
		r = connect_within(t->rfd, a->ai_addr, a->ai_addrlen);
		if (r == 0) {
			setsockopt(t->rfd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
			return 0;
		}
		close(t->rfd);
		t->rfd = t->wfd = -1;
	}
	return r;
}

static int open_tcp(struct transport *t, const char *where, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	const char *colon = strrchr(where, ':');
	char host[256];
	int r;

	if (!colon || colon == where || (size_t)(colon - where) >= sizeof(host))
		return err_set(err, -EINVAL, "tcp:%s: write tcp:HOST:PORT", where);
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = 0;
	r = getaddrinfo(host, colon + 1, &hints, &list);
	if (r != 0)
		return err_set(err, -EHOSTUNREACH, "tcp:%s: %s", where, gai_strerror(r));
	r = connect_any(t, list);
	freeaddrinfo(list);
	return r < 0 ? err_set(err, r, "tcp:%s: cannot connect: %s", where, strerror(-r)) : 0;
}

static int open_serial(struct transport *t, const char *path, struct err *err)
{
	struct termios raw;
	struct err why;

	t->is_serial = true;
	t->rfd = t->wfd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->rfd < 0 && permission_is_denied(errno)) {
		permission_err(path, &why);
		return err_set(err, -EACCES, "serial:%s", why.text);
	}
	if (t->rfd < 0)
		return err_set(err, -errno, "serial:%s: %s", path, strerror(errno));
	if (tcgetattr(t->rfd, &t->saved) < 0)
		return err_set(err, -errno, "serial:%s: not a terminal device: %s", path,
			       strerror(errno));
	t->has_termios = true;
	raw = t->saved;
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	raw.c_cflag |= CLOCAL | CREAD;
	if (tcsetattr(t->rfd, TCSANOW, &raw) < 0)
		return err_set(err, -errno, "serial:%s: cannot set it up: %s", path,
			       strerror(errno));
	return 0;
}

static const struct {
	const char *prefix;
	int (*open)(struct transport *t, const char *rest, struct err *err);
} kinds[] = {
	{"exec:", open_exec},
	{"unix:", open_unix},
	{"tcp:", open_tcp},
	{"serial:", open_serial},
};

#define KINDS_N (sizeof(kinds) / sizeof(kinds[0]))

bool transport_is_known(const char *spec)
{
	for (size_t i = 0; i < KINDS_N; i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(spec, kinds[i].prefix, n) == 0 && spec[n])
			return true;
	}
	return false;
}

static struct transport *new_transport(void)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (t)
		t->rfd = t->wfd = -1;
	return t;
}

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int transport_open(const char *spec, struct transport **out, struct err *err)
{
	struct transport *t = new_transport();
	int r = -EINVAL;

	if (!t)
		return -ENOMEM;
	err_set(err, r, "%s: unknown transport", spec);
	for (size_t i = 0; i < KINDS_N; i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(spec, kinds[i].prefix, n) == 0)
			r = kinds[i].open(t, spec + n, err);
	}
	if (r < 0) {
		transport_close(t);
		return r;
	}
	set_nonblocking(t->rfd);
	set_nonblocking(t->wfd);
	*out = t;
	return 0;
}

int transport_wrap(int fd, bool is_serial, struct transport **out)
{
	struct transport *t = new_transport();

	if (!t)
		return -ENOMEM;
	t->rfd = t->wfd = fd;
	t->is_borrowed = true;
	t->is_serial = is_serial;
	set_nonblocking(fd);
	*out = t;
	return 0;
}

int transport_read_fd(const struct transport *transport)
{
	return transport->rfd;
}

int transport_write_fd(const struct transport *transport)
{
	return transport->wfd;
}

bool transport_is_serial(const struct transport *transport)
{
	return transport->is_serial;
}

int transport_break(const struct transport *transport)
{
	if (!transport->has_termios)
		return -ENOTTY;
	return tcsendbreak(transport->wfd, 0) < 0 ? -errno : 0;
}

static void end_command(pid_t pid)
{
	struct timespec pause = {.tv_nsec = 10000000};

	for (int waited_ms = 0; waited_ms < EXIT_LIMIT_MS; waited_ms += 10) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&pause, NULL);
	}
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void transport_close(struct transport *transport)
{
	if (!transport)
		return;
	if (transport->has_termios)
		tcsetattr(transport->rfd, TCSANOW, &transport->saved);
	if (!transport->is_borrowed) {
		if (transport->wfd >= 0)
			close(transport->wfd);
		if (transport->rfd >= 0 && transport->rfd != transport->wfd)
			close(transport->rfd);
	}
	if (transport->pid > 0)
		end_command(transport->pid);
	free(transport);
}
