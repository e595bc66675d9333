/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As much of a SCPI meter as libsigrok's scpi-pps and scpi-dmm ask for, on a loopback port or on a
 * pseudo-terminal, with faults. A process of its own: a thread would make the fork of the meter's
 * process unsafe. Answer n (from 1) to a question for a number is the number n, so that a test knows
 * each reading again.
 */
#ifndef COLDRIG_SCPI_SERVER_H
#define COLDRIG_SCPI_SERVER_H

#include <arpa/inet.h>
#include <fcntl.h>
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
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum scpi_fault {
	SCPI_GOOD,
	SCPI_MUTE_IDN,
	SCPI_STALL,	  /* from answer fault_at on: reads, says nothing */
	SCPI_DEAF,	  /* from answer fault_at on: does not even read */
	SCPI_CLOSE,	  /* instead of answer fault_at */
	SCPI_RESET,	  /* the same, with RST */
	SCPI_LEAVE,	  /* after answer fault_at - 1, with RST: nobody reads the next question */
	SCPI_ZERO_CLOSE,  /* answer fault_at is 0.000, then it closes */
	SCPI_EMPTY_CLOSE, /* answer fault_at is an empty line, then it closes */
	SCPI_HALF_CLOSE,  /* half of answer fault_at, then it closes */
	SCPI_HALF_STALL,  /* half of answer fault_at, then nothing */
	SCPI_ENDLESS,	  /* from answer fault_at on: bytes without a line's end */
	SCPI_LATE,	  /* answer fault_at comes 1.2 s after its question */
	SCPI_MAD,	  /* from answer fault_at on: letters */
	SCPI_NAN,	  /* every fourth answer */
	SCPI_GARBLE,	  /* every fourth answer has a letter in it */
	SCPI_EMPTY,	  /* every fourth answer is an empty line */
	SCPI_NUL,	  /* every fourth answer begins with a NUL */
	SCPI_DOUBLE,	  /* every fourth answer is two lines */
	SCPI_CHATTY,	  /* a ms after every fourth answer comes one that nobody asked for */
	SCPI_FLOOD,	  /* from answer fault_at on: numbers without end */
	SCPI_SAYS,	  /* every fourth answer is one of says, in turn */
	SCPI_UNIT,	  /* every fourth answer has a unit behind the number */
	SCPI_SPLIT,	  /* numbers come in three segments, all else in two */
	SCPI_CRLF	  /* every answer ends with CR LF */
};

/* Of an end behind an answer: closed, or reset, if the next question was on its way. */
#define SCPI_GONE "onnection"

/* What kinds of meter it plays. */
static const char scpi_dp832[] = "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16";
static const char scpi_dp832_other[] = "RIGOL TECHNOLOGIES,DP832,DP8C000002,00.01.16";
static const char scpi_hmc8043[] = "Rohde&Schwarz,HMC8043,000000001,HW50020001/SW1.10";
static const char scpi_34405a[] = "Agilent Technologies,34405A,MY00000001,1.50-3.10";
static const char scpi_34401a[] = "HEWLETT-PACKARD,34401A,0,10-5-2";

/* How it is connected. */
enum scpi_line {
	SCPI_TCP,
	SCPI_TERMINAL,
	SCPI_RIGOL /* TCP, with a length before each answer: libsigrok's tcp-rigol */
};

#define SCPI_LOG_SIZE 65536

struct scpi_shared {
	_Atomic unsigned answers;
	_Atomic unsigned connections;
	_Atomic unsigned segments; /* received since the first question for a number */
	_Atomic bool local;	   /* SYST:LOCAL or ABORT came, a driver's last word */
	struct {
		int64_t query_ns, answer_ns;
		int channel;
		char what; /* 'V', 'I', 'P' */
	} log[SCPI_LOG_SIZE];
};

struct scpi_server {
	pid_t pid;
	enum scpi_line line;
	int port; /* 0: any, or none on a terminal */
	char terminal[64];
	int listener; /* or the terminal's other end */
	const char *identity;
	const char *identity_later; /* from the second connection on; NULL: the same */
	enum scpi_fault fault;
	const char *const *says; /* up to a NULL */
	size_t said;
	unsigned fault_at;
	bool fault_once; /* only until the meter is opened again */
	int channel;
	struct scpi_shared *shared;
};

static inline int64_t scpi_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void scpi_write(int fd, const char *text, size_t n)
{
	if (write(fd, text, n) < 0)
		return;
}

/* Each line of an answer as it goes over the server's kind of connection. */
static inline size_t scpi_frame(const struct scpi_server *s, const char *text, size_t n,
				char out[static 512])
{
	size_t size = 0;

	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t line = end ? (size_t)(end + 1 - text) : n;

		if (s->line == SCPI_RIGOL) {
			out[size++] = (char)line;
			memset(out + size, 0, 3);
			size += 3;
		}
		memcpy(out + size, text, line);
		size += line;
		text += line;
		n -= line;
	}
	return size;
}

static inline void scpi_put(const struct scpi_server *s, int fd, const char *text, size_t n)
{
	char out[512];

	scpi_write(fd, out, scpi_frame(s, text, n, out));
}

static inline void scpi_say(const struct scpi_server *s, int fd, const char *text)
{
	scpi_put(s, fd, text, strlen(text));
}

/* Of "12" and a line's end, what comes before the 2. */
static inline void scpi_say_half(const struct scpi_server *s, int fd)
{
	char out[512];

	scpi_write(fd, out, scpi_frame(s, "12\n", 3, out) - 2);
}

static inline void scpi_say_without_end(const struct scpi_server *s, int fd)
{
	if (s->line == SCPI_RIGOL)
		scpi_write(fd, "\0\0\0\1", 4);
	for (int i = 0; i < 100; i++)
		scpi_write(fd, "1111", 4);
}

static inline void scpi_put_pieces(const struct scpi_server *s, int fd, const char *text, size_t n,
				   size_t pieces, useconds_t pause_us)
{
	char out[512];

	n = scpi_frame(s, text, n, out);
	text = out;
	for (size_t i = 0; i < pieces; i++) {
		scpi_write(fd, text + n * i / pieces, n * (i + 1) / pieces - n * i / pieces);
		if (i + 1 < pieces)
			usleep(pause_us);
	}
}

/* Of answer n, from fault_at on. -1: as if nothing were; else whether the connection goes on. */
static inline int scpi_break(const struct scpi_server *s, int fd, unsigned n)
{
	struct linger reset = {.l_onoff = 1};

	switch (s->fault) {
	case SCPI_STALL:
		return true;
	case SCPI_DEAF:
		pause();
		return false;
	case SCPI_CLOSE:
		return false;
	case SCPI_RESET:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		return false;
	case SCPI_ZERO_CLOSE:
		scpi_say(s, fd, "0.000\n");
		return false;
	case SCPI_EMPTY_CLOSE:
		scpi_say(s, fd, "\n");
		return false;
	case SCPI_HALF_CLOSE:
		scpi_say_half(s, fd);
		return false;
	case SCPI_HALF_STALL:
		scpi_say_half(s, fd);
		return true;
	case SCPI_ENDLESS:
		scpi_say_without_end(s, fd);
		return true;
	case SCPI_LATE:
		if (n == s->fault_at)
			usleep(1200000);
		return -1;
	case SCPI_MAD:
		scpi_say(s, fd, "hello\n");
		return true;
	case SCPI_FLOOD:
		while (write(fd, "1\n1\n1\n1\n1\n1\n1\n1\n", 16) > 0)
			;
		return false;
	default:
		return -1;
	}
}

/* Every fourth answer, in place of the number n. */
static inline size_t scpi_fourth(struct scpi_server *s, unsigned n, char text[static 64])
{
	switch (s->fault) {
	case SCPI_SAYS:
		if (!s->says[s->said])
			s->said = 0;
		return (size_t)snprintf(text, 64, "%s\n", s->says[s->said++]);
	case SCPI_UNIT:
		return (size_t)snprintf(text, 64, "%u V\n", n);
	case SCPI_NAN:
		return (size_t)snprintf(text, 64, "nan\n");
	case SCPI_GARBLE:
		return (size_t)snprintf(text, 64, "%uq7\n", n);
	case SCPI_EMPTY:
		return (size_t)snprintf(text, 64, "\n");
	case SCPI_NUL:
		return (size_t)snprintf(text, 64, "%c%u\n", 0, n);
	case SCPI_DOUBLE:
		return (size_t)snprintf(text, 64, "%u\n%u\n", n, n + 1);
	default:
		return (size_t)snprintf(text, 64, "%u\n", n);
	}
}

/* False when the connection is to be closed. */
static inline bool scpi_measure(struct scpi_server *s, int fd, char what, int64_t query_ns)
{
	unsigned n = s->shared->answers + 1;
	/* One connection is for finding the meter, the next for reading it. */
	bool once_over = s->fault_once && s->shared->connections > 2;
	char text[64];
	size_t size =
		(size_t)snprintf(text, sizeof(text), s->fault == SCPI_CRLF ? "%u\r\n" : "%u\n", n);

	if (n >= s->fault_at && !once_over) {
		int goes_on = scpi_break(s, fd, n);

		if (goes_on >= 0)
			return goes_on;
	}
	if (n % 4 == 0 && !once_over)
		size = scpi_fourth(s, n, text);
	if (n < SCPI_LOG_SIZE) {
		s->shared->log[n].query_ns = query_ns;
		s->shared->log[n].channel = s->channel;
		s->shared->log[n].what = what;
		s->shared->log[n].answer_ns = scpi_now_ns();
	}
	s->shared->answers = n;
	if (s->fault == SCPI_LEAVE && n + 1 == s->fault_at && !once_over) {
		scpi_put(s, fd, text, size);
		usleep(2000); /* the answer has to be read before RST throws it away */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
			   sizeof(struct linger));
		return false;
	}
	if (s->fault == SCPI_SPLIT && !once_over)
		scpi_put_pieces(s, fd, text, size, 3, 2000);
	else
		scpi_put(s, fd, text, size);
	if (s->fault == SCPI_CHATTY && n % 4 == 0) {
		usleep(1000);
		scpi_say(s, fd, "99999\n");
	}
	return true;
}

/* Whether a driver has said its last word, after a while. */
static inline bool scpi_server_left(const struct scpi_server *s)
{
	for (int i = 0; i < 1000 && !s->shared->local; i++)
		usleep(1000);
	return s->shared->local;
}

/* All that is no number. */
static inline void scpi_tell(const struct scpi_server *s, int fd, const char *text)
{
	if (s->fault == SCPI_SPLIT)
		scpi_put_pieces(s, fd, text, strlen(text), 2, 150000);
	else
		scpi_say(s, fd, text);
}

static inline void scpi_identify(const struct scpi_server *s, int fd)
{
	char text[128];

	/* A terminal has no connections: it was opened again if this is asked again. */
	if (s->line == SCPI_TERMINAL && s->shared->answers)
		s->shared->connections = 3;
	if (s->fault == SCPI_MUTE_IDN && !(s->fault_once && s->shared->connections > 1))
		return;
	snprintf(text, sizeof(text), "%s\n",
		 s->identity_later && s->shared->connections > 2 ? s->identity_later : s->identity);
	scpi_tell(s, fd, text);
}

static inline bool scpi_line(struct scpi_server *s, int fd, const char *line, int64_t query_ns)
{
	const char *meas = strstr(line, "MEAS:");

	if (strcasestr(line, "INST:NSEL ") && !strchr(line, '?'))
		s->channel = atoi(strrchr(line, ' '));
	else if (strcasestr(line, "INST:SEL OUT") && !strchr(line, '?'))
		s->channel = atoi(strcasestr(line, "OUT") + 3);
	else if (strstr(line, "SYST:LOCAL") || strncmp(line, "ABORT", 5) == 0)
		s->shared->local = true;
	if (!strchr(line, '?'))
		return true;
	if (strncmp(line, "*IDN?", 5) == 0)
		scpi_identify(s, fd);
	else if (meas)
		return scpi_measure(s, fd, meas[5] == 'C' ? 'I' : meas[5], query_ns);
	else if (strncmp(line, "READ?", 5) == 0)
		return scpi_measure(s, fd, 'P', query_ns);
	else if (strncmp(line, "CONF?", 5) == 0)
		scpi_tell(s, fd, "\"VOLT +1.000000E+01,+1.000000E-06\"\n");
	else if (strncmp(line, "*OPC?", 5) == 0)
		scpi_tell(s, fd, "1\n");
	else
		scpi_tell(s, fd, "OFF\n");
	return true;
}

static inline void scpi_serve(struct scpi_server *s, int fd)
{
	char buffer[1024], *end;
	size_t n = 0;
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (;;) {
		ssize_t got = read(fd, buffer + n, sizeof(buffer) - 1 - n);
		int64_t now = scpi_now_ns();

		if (got <= 0)
			return;
		n += (size_t)got;
		buffer[n] = '\0';
		s->shared->segments += s->shared->answers > 0;
		if (getenv("SCPI_SERVER_TRACE"))
			fprintf(stderr, "<%s>", buffer);
		while ((end = strchr(buffer, '\n'))) {
			*end = '\0';
			if (!scpi_line(s, fd, buffer, now))
				return;
			n -= (size_t)(end + 1 - buffer);
			memmove(buffer, end + 1, n + 1);
		}
	}
}

static inline void scpi_listen(struct scpi_server *s)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int one = 1;

	address.sin_port = htons((uint16_t)s->port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(s->listener, 4) < 0 ||
	    getsockname(s->listener, (struct sockaddr *)&address, &size) < 0)
		abort();
	s->port = ntohs(address.sin_port);
}

/* A terminal whose other end the server holds; the slave stays open, or its end would be EIO. */
static inline void scpi_open_terminal(struct scpi_server *s)
{
	struct termios raw;
	int slave;

	s->listener = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->listener < 0 || grantpt(s->listener) < 0 || unlockpt(s->listener) < 0 ||
	    ptsname_r(s->listener, s->terminal, sizeof(s->terminal)) != 0)
		abort();
	slave = open(s->terminal, O_RDWR | O_NOCTTY);
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
}

static inline void scpi_run(struct scpi_server *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (s->line == SCPI_TERMINAL) {
		s->shared->connections = 2;
		scpi_serve(s, s->listener);
		_exit(0);
	}
	for (;;) {
		int fd = accept(s->listener, NULL, NULL);

		s->shared->connections++;
		scpi_serve(s, fd);
		close(fd);
	}
}

/* What s->identity, line, port and so on say. */
static inline void scpi_server_launch(struct scpi_server *s)
{
	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->shared == MAP_FAILED)
		abort();
	s->channel = 1;
	if (s->line == SCPI_TERMINAL)
		scpi_open_terminal(s);
	else
		scpi_listen(s);
	s->pid = fork();
	if (s->pid == 0)
		scpi_run(s);
	close(s->listener);
}

static inline void scpi_server_start(struct scpi_server *s, enum scpi_fault fault, unsigned at)
{
	*s = (struct scpi_server){.identity = scpi_dp832, .fault = fault, .fault_at = at};
	scpi_server_launch(s);
}

/* By which a driver finds it. */
static inline void scpi_server_spec(const struct scpi_server *s, const char *driver,
				    char spec[static 128])
{
	if (s->line == SCPI_TERMINAL)
		snprintf(spec, 128, "%s:conn=%s:serialcomm=115200/8n1", driver, s->terminal);
	else
		snprintf(spec, 128, "%s:conn=%s/127.0.0.1/%d", driver,
			 s->line == SCPI_RIGOL ? "tcp-rigol" : "tcp-raw", s->port);
}

static inline void scpi_server_stop(struct scpi_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->shared, sizeof(*s->shared));
}

#endif
