/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "transport.h"
#include "unit.h"

/* Reads until n bytes, the end or 5 s; returns the number of bytes. */
static size_t read_within(int fd, char *out, size_t n)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t at = 0;

	while (at < n && poll(&p, 1, 5000) == 1) {
		ssize_t got = read(fd, out + at, n - at);

		if (got <= 0)
			break;
		at += (size_t)got;
	}
	out[at] = 0;
	return at;
}

static void assert_refused(const char *spec, int code, const char *words)
{
	struct transport *t = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(transport_open(spec, &t, &err), code);
	CU_ASSERT_PTR_NULL(t);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, words));
}

static void a_command_is_talked_to_over_its_stdin_and_stdout(void)
{
	struct transport *t = NULL;
	char got[16];

	CU_ASSERT_EQUAL_FATAL(transport_open("exec:cat", &t, NULL), 0);
	CU_ASSERT_EQUAL(write(transport_write_fd(t), "hello", 5), 5);
	CU_ASSERT_EQUAL(read_within(transport_read_fd(t), got, 5), 5);
	CU_ASSERT_STRING_EQUAL(got, "hello");
	CU_ASSERT_FALSE(transport_is_serial(t));
	transport_close(t);
}

static void reading_does_not_wait(void)
{
	struct transport *t = NULL;
	char byte;

	CU_ASSERT_EQUAL_FATAL(transport_open("exec:cat", &t, NULL), 0);
	CU_ASSERT_EQUAL(read(transport_read_fd(t), &byte, 1), -1);
	CU_ASSERT_EQUAL(errno, EAGAIN);
	transport_close(t);
}

/* The command says its process id and then does what is given; returns its id after closing. */
static pid_t open_and_close(const char *command, double *took_s)
{
	struct timespec a, b;
	struct transport *t = NULL;
	char spec[200], got[32] = "";

	snprintf(spec, sizeof(spec), "exec:echo $$; %s", command);
	CU_ASSERT_EQUAL_FATAL(transport_open(spec, &t, NULL), 0);
	for (size_t n = 0; n < sizeof(got) - 1 && !strchr(got, '\n'); n++)
		if (read_within(transport_read_fd(t), got + n, 1) != 1)
			break;
	clock_gettime(CLOCK_MONOTONIC, &a);
	transport_close(t);
	clock_gettime(CLOCK_MONOTONIC, &b);
	*took_s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	return (pid_t)strtol(got, NULL, 10);
}

static void a_command_that_heeds_its_end_is_gone_at_once(void)
{
	double took_s;
	pid_t pid = open_and_close("exec cat", &took_s);

	CU_ASSERT_FATAL(pid > 1);
	CU_ASSERT_EQUAL(kill(pid, 0), -1);
	CU_ASSERT(took_s < 1.5);
}

static void a_command_that_does_not_is_killed_with_its_children(void)
{
	int status = 0;
	double took_s;
	pid_t pid = open_and_close("trap '' HUP TERM; sleep 1000; sleep 1000", &took_s);

	CU_ASSERT_FATAL(pid > 1);
	/* The sleep was left to this process, which is a subreaper. */
	CU_ASSERT(waitpid(-pid, &status, 0) > 1);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CU_ASSERT(took_s > 1.9 && took_s < 10);
}

static void a_command_that_cannot_be_run_ends_the_stream(void)
{
	struct transport *t = NULL;
	char got[8];

	CU_ASSERT_EQUAL_FATAL(transport_open("exec:exit 3", &t, NULL), 0);
	CU_ASSERT_EQUAL(read_within(transport_read_fd(t), got, 4), 0);
	transport_close(t);
}

static void an_unknown_kind_is_refused_by_name(void)
{
	static const char *const rows[] = {"",	   "ssh:box",  "virtual",
					   "exec", "EXEC:cat", " exec:cat"};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		CU_ASSERT_FALSE(transport_is_known(rows[i]));
		assert_refused(rows[i], -EINVAL, "unknown transport");
	}
	CU_ASSERT_FALSE(transport_is_known("exec:"));
	CU_ASSERT_TRUE(transport_is_known("exec:x"));
	CU_ASSERT_TRUE(transport_is_known("serial:/dev/ttyS0"));
}

static void a_socket_that_nobody_serves_is_refused_with_words(void)
{
	char spec[300];

	assert_refused("unix:/nonexistent/socket", -ENOENT,
		       "unix:/nonexistent/socket: cannot connect");
	snprintf(spec, sizeof(spec), "unix:/%0200d", 0);
	assert_refused(spec, -EINVAL, "too long");
	assert_refused("tcp:127.0.0.1:1", -ECONNREFUSED, "tcp:127.0.0.1:1: cannot connect");
	assert_refused("tcp:localhost", -EINVAL, "HOST:PORT");
	assert_refused("tcp::80", -EINVAL, "HOST:PORT");
	assert_refused("tcp:127.0.0.1:no-such-service", -EHOSTUNREACH, "no-such-service");
}

static void a_serial_line_that_is_none_is_refused_with_words(void)
{
	assert_refused("serial:/nonexistent", -ENOENT, "serial:/nonexistent");
	assert_refused("serial:/dev/null", -ENOTTY, "not a terminal");
}

/* Talks over an accepted connection and back. */
static void assert_talks(int listener, const char *spec)
{
	struct transport *t = NULL;
	char got[8];
	int fd;

	CU_ASSERT_EQUAL_FATAL(transport_open(spec, &t, NULL), 0);
	fd = accept(listener, NULL, NULL);
	CU_ASSERT_EQUAL(write(transport_write_fd(t), "ab", 2), 2);
	CU_ASSERT_EQUAL(read_within(fd, got, 2), 2);
	CU_ASSERT_EQUAL(write(fd, "cd", 2), 2);
	CU_ASSERT_EQUAL(read_within(transport_read_fd(t), got, 2), 2);
	CU_ASSERT_STRING_EQUAL(got, "cd");
	transport_close(t);
	CU_ASSERT_EQUAL(read_within(fd, got, 1), 0);
	close(fd);
}

static void a_unix_socket_is_talked_to(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char spec[130];

	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/coldrig-unit-%d", getpid());
	unlink(address.sun_path);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	snprintf(spec, sizeof(spec), "unix:%s", address.sun_path);
	assert_talks(fd, spec);
	close(fd);
	/* The file is still there, but nobody listens. */
	assert_refused(spec, -ECONNREFUSED, "cannot connect");
	unlink(address.sun_path);
}

static void a_tcp_port_is_talked_to(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char spec[64];

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, size), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 1), 0);
	CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(spec, sizeof(spec), "tcp:127.0.0.1:%d", ntohs(address.sin_port));
	assert_talks(fd, spec);
	close(fd);
}

static void a_wrapped_stream_stays_open(void)
{
	struct transport *t = NULL;
	int fds[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	CU_ASSERT_EQUAL(transport_wrap(fds[0], true, &t), 0);
	CU_ASSERT_TRUE(transport_is_serial(t));
	CU_ASSERT_TRUE(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	transport_close(t);
	CU_ASSERT_EQUAL(write(fds[0], "x", 1), 1);
	close(fds[0]);
	close(fds[1]);
	transport_close(NULL);
}

static const struct unit_case cases[] = {
	{"a command is talked to over its stdin and stdout",
	 a_command_is_talked_to_over_its_stdin_and_stdout},
	{"reading does not wait", reading_does_not_wait},
	{"a command that heeds its end is gone at once",
	 a_command_that_heeds_its_end_is_gone_at_once},
	{"a command that does not is killed with its children",
	 a_command_that_does_not_is_killed_with_its_children},
	{"a command that cannot be run ends the stream",
	 a_command_that_cannot_be_run_ends_the_stream},
	{"an unknown kind is refused by name", an_unknown_kind_is_refused_by_name},
	{"a socket that nobody serves is refused with words",
	 a_socket_that_nobody_serves_is_refused_with_words},
	{"a serial line that is none is refused with words",
	 a_serial_line_that_is_none_is_refused_with_words},
	{"a unix socket is talked to", a_unix_socket_is_talked_to},
	{"a TCP port is talked to", a_tcp_port_is_talked_to},
	{"a wrapped stream stays open", a_wrapped_stream_stays_open},
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	alarm(60); /* a child that is not killed must not hang the test */
	return unit_run("transport", cases, UNIT_COUNT(cases));
}
