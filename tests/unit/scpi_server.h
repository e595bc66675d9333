/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As much of a Rigol DP832 as libsigrok's scpi-pps asks for, on a loopback port, with faults.
 * A process of its own: a thread would make the fork of the meter's process unsafe. Answer n
 * (from 1) to a :MEAS query is the number n, so that a test knows each reading again.
 */
#ifndef COLDRIG_SCPI_SERVER_H
#define COLDRIG_SCPI_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum scpi_fault {
	SCPI_GOOD,
	SCPI_MUTE_IDN,
	SCPI_STALL,	 /* from answer fault_at on: reads, says nothing */
	SCPI_CLOSE,	 /* instead of answer fault_at */
	SCPI_RESET,	 /* the same, with RST */
	SCPI_ZERO_CLOSE, /* answer fault_at is 0.000, then it closes */
	SCPI_NAN,	 /* every fourth answer */
	SCPI_GARBLE,	 /* every fourth answer has a letter in it */
	SCPI_EMPTY,	 /* every fourth answer is an empty line */
	SCPI_DOUBLE,	 /* every fourth answer is two lines */
	SCPI_SPLIT	 /* every answer comes in two segments */
};

#define SCPI_LOG_SIZE 65536

struct scpi_shared {
	_Atomic unsigned answers;
	_Atomic bool local; /* SYST:LOCAL came */
	struct {
		int64_t query_ns, answer_ns;
		int channel;
	} log[SCPI_LOG_SIZE];
};

struct scpi_server {
	pid_t pid;
	int port;
	int listener;
	enum scpi_fault fault;
	unsigned fault_at;
	int channel;
	struct scpi_shared *shared;
};

static inline int64_t scpi_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void scpi_say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
}

/* False when the connection is to be closed. */
static inline bool scpi_measure(struct scpi_server *s, int fd, int64_t query_ns)
{
	struct linger reset = {.l_onoff = 1};
	unsigned n = s->shared->answers + 1;
	bool fourth = n % 4 == 0, there = n >= s->fault_at;
	char text[64];

	snprintf(text, sizeof(text), "%u\n", n);
	if (s->fault == SCPI_STALL && there)
		return true;
	if (s->fault == SCPI_CLOSE && there)
		return false;
	if (s->fault == SCPI_RESET && there) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		return false;
	}
	if (s->fault == SCPI_ZERO_CLOSE && there) {
		scpi_say(fd, "0.000\n");
		return false;
	}
	if (s->fault == SCPI_NAN && fourth)
		strcpy(text, "nan\n");
	if (s->fault == SCPI_GARBLE && fourth)
		snprintf(text, sizeof(text), "%uq7\n", n);
	if (s->fault == SCPI_EMPTY && fourth)
		strcpy(text, "\n");
	if (s->fault == SCPI_DOUBLE && fourth)
		snprintf(text, sizeof(text), "%u\n%u\n", n, n + 1);
	if (s->fault == SCPI_SPLIT) {
		snprintf(text, sizeof(text), "%u", n);
		scpi_say(fd, text);
		usleep(3000);
		strcpy(text, ".000\n");
	}
	if (n < SCPI_LOG_SIZE) {
		s->shared->log[n].query_ns = query_ns;
		s->shared->log[n].channel = s->channel;
		s->shared->log[n].answer_ns = scpi_now_ns();
	}
	s->shared->answers = n;
	scpi_say(fd, text);
	return true;
}

static inline bool scpi_line(struct scpi_server *s, int fd, const char *line, int64_t query_ns)
{
	if (strncmp(line, "*IDN?", 5) == 0) {
		if (s->fault != SCPI_MUTE_IDN)
			scpi_say(fd, "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16\n");
		return true;
	}
	if (strncmp(line, ":INST:NSEL ", 11) == 0) {
		s->channel = atoi(line + 11);
		return true;
	}
	if (strncmp(line, ":MEAS:", 6) == 0)
		return scpi_measure(s, fd, query_ns);
	if (strncmp(line, "SYST:LOCAL", 10) == 0)
		s->shared->local = true;
	if (strchr(line, '?'))
		scpi_say(fd, "OFF\n");
	return true;
}

static inline void scpi_serve(struct scpi_server *s, int fd)
{
	char buffer[1024], *end;
	size_t n = 0;
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (;;) {
		ssize_t got = recv(fd, buffer + n, sizeof(buffer) - 1 - n, 0);
		int64_t now = scpi_now_ns();

		if (got <= 0)
			return;
		n += (size_t)got;
		buffer[n] = '\0';
		while ((end = strchr(buffer, '\n'))) {
			*end = '\0';
			if (!scpi_line(s, fd, buffer, now))
				return;
			n -= (size_t)(end + 1 - buffer);
			memmove(buffer, end + 1, n + 1);
		}
	}
}

static inline void scpi_server_start(struct scpi_server *s, enum scpi_fault fault, unsigned at)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	memset(s, 0, sizeof(*s));
	s->fault = fault;
	s->fault_at = at;
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->shared == MAP_FAILED ||
	    bind(s->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(s->listener, 4) < 0 ||
	    getsockname(s->listener, (struct sockaddr *)&address, &size) < 0)
		abort();
	s->port = ntohs(address.sin_port);
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			int fd = accept(s->listener, NULL, NULL);

			scpi_serve(s, fd);
			close(fd);
		}
	}
	close(s->listener);
}

static inline void scpi_server_stop(struct scpi_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->shared, sizeof(*s->shared));
}

#endif
