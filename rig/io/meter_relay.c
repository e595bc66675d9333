/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_relay.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

#include "modbus.h"

#define RELAY_QUERY_MAX	 1024
#define RELAY_ANSWER_MAX 256
#define UNASKED_MAX	 65536 /* bytes: more without a pause is no meter's */
#define NOTE_PERIOD_NS	 1000000000
#define QUIET_MS	 20  /* after bytes that are no answer: no more will come */
#define DRIVER_LIMIT_MS	 200 /* a DIRECT driver that asks twice must not hang */

struct meter_relay {
	enum meter_relay_way way;
	struct meter_relay_line line;
	bool is_socket;
	bool primed; /* the driver has a made-up answer before it */
	int driver;  /* our end of the pair */
	int peer;    /* the meter */
	struct meter_link *link;
	pthread_t thread;
	pthread_mutex_t lock; /* guards last */
	struct meter_exchange last;
	char query[RELAY_QUERY_MAX];
	size_t query_n;
	size_t asked_n; /* of query: what was sent last */
	char answer[RELAY_ANSWER_MAX + 1];
	size_t answer_n;
	int64_t noted_ns;
	size_t unasked; /* bytes since noted_ns */
};

static bool relay_is_unit(const char *text)
{
	static const char *const units[] = {"", "V", "A", "W", "HZ", "OHM", "S"};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(text, units[i]) == 0)
			return true;
	}
	return false;
}

double meter_relay_number(const char *line, size_t size)
{
	char text[RELAY_ANSWER_MAX + 1], *end;
	double value;

	if (size > RELAY_ANSWER_MAX || memchr(line, '\0', size))
		return NAN;
	while (size && isspace((unsigned char)line[size - 1]))
		size--;
	memcpy(text, line, size);
	text[size] = '\0';
	if (strpbrk(text, "xX")) /* hexadecimal is strtod's idea, not SCPI's */
		return NAN;
	value = strtod(text, &end);
	if (end == text || !isfinite(value) || !relay_is_unit(end + strspn(end, " ")))
		return NAN;
	return value;
}

const char *meter_relay_no_reading(double value)
{
	/* Also for one that was a float on its way. */
	if (isnan(value) || fabs(value - 9.91e37) < 1e33)
		return "not a number";
	return fabs(value) > 9e37 ? "overload" : NULL;
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

static void relay_hex(const char *from, size_t size, char to[static 48])
{
	size_t n = size < 15 ? size : 15;

	to[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(to + 3 * i, 4, i + 1 < n ? "%02x " : "%02x", (unsigned char)from[i]);
}

static void relay_show(const struct meter_relay *r, const char *from, size_t size,
		       char to[static 48])
{
	if (r->line.framing == FRAMING_MODBUS)
		relay_hex(from, size, to);
	else
		relay_printable(from, size, to);
}

static _Noreturn void relay_lost(struct meter_relay *r, const char *what)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		meter_link_lost(r->link, "no answer for %.1f s", (double)r->line.silence_ns * 1e-9);
	if (!r->is_socket && errno == EIO)
		meter_link_lost(r->link, "the serial line ended");
	meter_link_lost(r->link, "%s: %s", what, strerror(errno));
}

static _Noreturn void relay_ended(struct meter_relay *r)
{
	if (r->is_socket)
		meter_link_lost(r->link, "the meter closed the connection");
	meter_link_lost(r->link, "the serial line ended");
}

/* False when the time is over. A socket waits by itself, in recv() and send(). */
static bool relay_wait(struct meter_relay *r, short events, int64_t until_ns)
{
	struct pollfd line = {.fd = r->peer, .events = events};
	int64_t left_ns = until_ns - meter_now_ns();

	if (left_ns <= 0)
		errno = EAGAIN;
	if (left_ns <= 0 || r->is_socket)
		return left_ns > 0;
	if (poll(&line, 1, (int)(left_ns / 1000000) + 1) == 0)
		errno = EAGAIN;
	return line.revents != 0;
}

static ssize_t relay_read(struct meter_relay *r, char *to, size_t size, bool waits)
{
	struct pollfd line = {.fd = r->peer};
	ssize_t n;

	if (r->is_socket)
		return recv(r->peer, to, size, waits ? 0 : MSG_DONTWAIT);
	n = read(r->peer, to, size);
	if (n != 0)
		return n;
	/* A terminal with VMIN 0, as libserialport sets it, has nothing to say, or has hung up. */
	errno = poll(&line, 1, 0) > 0 ? EIO : EAGAIN;
	return -1;
}

static void relay_send(struct meter_relay *r)
{
	int64_t until_ns = meter_now_ns() + r->line.silence_ns;
	size_t done = 0;

	while (done < r->query_n) {
		ssize_t n = r->is_socket ? send(r->peer, r->query + done, r->query_n - done,
						MSG_NOSIGNAL)
					 : write(r->peer, r->query + done, r->query_n - done);

		if (n > 0)
			done += (size_t)n;
		else if (errno == EAGAIN && relay_wait(r, POLLOUT, until_ns))
			continue;
		else if (errno != EINTR)
			relay_lost(r, "sending to the meter");
	}
	r->asked_n = r->query_n;
	r->query_n = 0;
}

/* At most one NOTE a second. */
static void relay_note_unasked(struct meter_relay *r, size_t bytes, const char *text)
{
	int64_t now = meter_now_ns();

	r->unasked += bytes;
	if (r->noted_ns && now - r->noted_ns < NOTE_PERIOD_NS)
		return;
	meter_link_event(r->link, METER_EVENT_NOTE, "dropped %zu bytes that nobody asked for: '%s'",
			 r->unasked, text);
	r->noted_ns = now;
	r->unasked = 0;
}

/* What comes without having been asked for would be taken for the next answer. */
static void relay_drop_unasked(struct meter_relay *r)
{
	char text[48];
	size_t dropped = 0;
	ssize_t n;
	int error;

	while ((n = relay_read(r, r->answer, RELAY_ANSWER_MAX, false)) > 0) {
		if (!dropped)
			relay_show(r, r->answer, (size_t)n, text);
		dropped += (size_t)n;
		if (dropped > UNASKED_MAX)
			meter_link_lost(r->link, "sends without end what nobody asked for: '%s'",
					text);
	}
	error = errno;
	if (dropped)
		relay_note_unasked(r, dropped, text);
	if (n == 0)
		relay_ended(r);
	errno = error;
	if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		relay_lost(r, "reading from the meter");
}

/*
 * Gathers the driver's lines up to one that wants an answer: what selects a channel then goes out
 * in one segment with the query. False when the driver has closed its end, or says no more for now.
 */
static bool relay_take_query(struct meter_relay *r, bool waits)
{
	while (!framing_is_question(r->line.framing, r->query, r->query_n)) {
		ssize_t n;

		if (r->query_n == RELAY_QUERY_MAX)
			relay_send(r);
		if (r->is_socket)
			n = recv(r->driver, r->query + r->query_n, RELAY_QUERY_MAX - r->query_n,
				 waits ? 0 : MSG_DONTWAIT);
		else
			n = read(r->driver, r->query + r->query_n, RELAY_QUERY_MAX - r->query_n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* a pseudo-terminal's other end is closed: EIO */
			return false;
		r->query_n += (size_t)n;
	}
	return true;
}

static size_t relay_answer_size(const struct meter_relay *r)
{
	return framing_answer_size(r->line.framing, r->query, r->asked_n, r->answer, r->answer_n);
}

static bool relay_is_answer(const struct meter_relay *r)
{
	size_t size = relay_answer_size(r);
	struct pollfd line = {.fd = r->peer, .events = POLLIN};

	if (size == FRAMING_STRANGE)
		return r->answer_n && poll(&line, 1, QUIET_MS) == 0;
	if (size > RELAY_ANSWER_MAX)
		meter_link_lost(r->link, "an answer is said to have %zu bytes, %d are the most",
				size, RELAY_ANSWER_MAX);
	return size && r->answer_n >= size;
}

/* Reads up to the answer's end. */
static void relay_take_answer(struct meter_relay *r, int64_t from_ns)
{
	int64_t until_ns = from_ns + r->line.silence_ns;

	r->answer_n = 0;
	while (!relay_is_answer(r)) {
		ssize_t n;

		if (r->answer_n == RELAY_ANSWER_MAX)
			meter_link_lost(r->link, "an answer of more than %d bytes has no end",
					RELAY_ANSWER_MAX);
		/* Also for a socket, or a byte now and then would keep it alive. */
		if ((r->answer_n || !r->is_socket) && !relay_wait(r, POLLIN, until_ns))
			relay_lost(r, "reading from the meter");
		n = relay_read(r, r->answer + r->answer_n, RELAY_ANSWER_MAX - r->answer_n, true);
		if (n == 0)
			relay_ended(r);
		if (n < 0 && errno != EINTR && !(errno == EAGAIN && !r->is_socket))
			relay_lost(r, "reading from the meter");
		if (n > 0)
			r->answer_n += (size_t)n;
	}
}

static bool relay_wants_number(const struct meter_relay *r)
{
	static const char *const words[] = {"READ", "MEAS", "FETC", "VAL"};
	char query[RELAY_QUERY_MAX + 1];

	if (r->line.framing == FRAMING_MODBUS)
		return r->query[1] == MODBUS_READ_REGISTERS;
	if (r->line.framing == FRAMING_KORAD)
		return memmem(r->query, r->query_n, "OUT1?", 5);
	if (r->line.all_numbers)
		return true;
	memcpy(query, r->query, r->query_n);
	query[r->query_n] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasestr(query, words[i]))
			return true;
	}
	return false;
}

/* Leaves the line. */
static void relay_take_length_off(struct meter_relay *r)
{
	r->answer_n = relay_answer_size(r) - FRAMING_LENGTH_SIZE;
	memmove(r->answer, r->answer + FRAMING_LENGTH_SIZE, r->answer_n);
	if (!r->answer_n || r->answer[r->answer_n - 1] != '\n')
		r->answer[r->answer_n++] = '\n';
}

/* Sets fault and value. A Modbus driver makes a value of its own of what it gets. */
static void relay_judge(const struct meter_relay *r, bool more, struct meter_exchange *out)
{
	out->value = NAN;
	if (more)
		out->fault = "more than one answer";
	else if (r->line.framing == FRAMING_MODBUS)
		out->fault = modbus_fault((const uint8_t *)r->query, (const uint8_t *)r->answer,
					  r->answer_n);
	else if (isnan(out->value = meter_relay_number(r->answer, r->answer_n)))
		out->fault = "no number";
	else
		out->fault = meter_relay_no_reading(out->value);
	if (out->fault)
		out->value = NAN;
}

/* Asks what stands in r->query; the answer is in r->answer. */
static void relay_ask(struct meter_relay *r, struct meter_exchange *out)
{
	bool more;

	out->query_ns = meter_now_ns();
	relay_send(r);
	relay_take_answer(r, out->query_ns);
	out->answer_ns = meter_now_ns();
	more = r->answer_n > relay_answer_size(r);
	if (r->line.framing == FRAMING_LENGTH)
		relay_take_length_off(r);
	relay_judge(r, more, out);
	if (out->fault)
		relay_show(r, r->answer, r->answer_n, out->text);
}

void meter_relay_idle(struct meter_relay *r, int64_t until_ns)
{
	struct pollfd line = {.fd = r->peer, .events = POLLIN};
	struct timespec left = {0};
	int64_t left_ns = until_ns - meter_now_ns();

	if (left_ns > 0)
		left = (struct timespec){left_ns / 1000000000, left_ns % 1000000000};
	if (ppoll(&line, 1, &left, NULL) > 0)
		relay_drop_unasked(r);
}

void meter_relay_prime(struct meter_relay *r)
{
	int left = 0;

	if (r->primed && ioctl(r->driver, TIOCOUTQ, &left) == 0 && left == 0)
		meter_link_lost(r->link, "the driver took an answer and made no reading of it");
	if (!r->primed)
		send(r->driver, "0\n", 2, MSG_NOSIGNAL);
	r->primed = true;
}

void meter_relay_exchange(struct meter_relay *r, struct meter_exchange *out)
{
	if (!r->primed || !relay_take_query(r, false))
		meter_link_lost(r->link, "the driver made a reading without asking for it");
	r->primed = false;
	relay_ask(r, out);
}

/*
 * The driver has to get something, or it would wait and fall out of step. A number without its unit,
 * which libsigrok does not take; for what is none, what scpi-dmm does not end the session at.
 */
static void relay_give_answer(struct meter_relay *r, bool is_number, struct meter_exchange *done)
{
	bool is_modbus = r->line.framing == FRAMING_MODBUS;
	char made[40];
	const char *text = r->answer;
	size_t n = r->answer_n;

	if (is_number) {
		pthread_mutex_lock(&r->lock);
		r->last = *done;
		pthread_mutex_unlock(&r->lock);
	}
	if (is_modbus && done->fault) {
		modbus_refuse((const uint8_t *)r->query, (uint8_t *)made);
		text = made;
		n = MODBUS_REFUSAL_SIZE;
	} else if (r->line.framing == FRAMING_KORAD) {
		n = relay_answer_size(r) < n ? relay_answer_size(r) : n;
	} else if (!is_modbus && is_number) {
		n = (size_t)snprintf(made, sizeof(made), "%.17g\n",
				     done->fault ? 9.91e37 : done->value);
		text = made;
	}
	if (write(r->driver, text, n) < 0)
		return; /* it is closing: the next read says so */
}

static void *relay_run(void *argument)
{
	struct meter_relay *r = argument;

	while (relay_take_query(r, true)) {
		bool is_number = relay_wants_number(r);
		struct meter_exchange done;

		relay_drop_unasked(r);
		relay_ask(r, &done);
		relay_give_answer(r, is_number, &done);
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
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return 0;
}

static int relay_socket_pair(int pair[static 2])
{
	struct timeval limit = {.tv_usec = DRIVER_LIMIT_MS * 1000};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

/* For a serial driver, which would not take a socket for its line. */
static int relay_terminal_pair(int pair[static 2])
{
	struct termios raw;
	char name[64];

	pair[1] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	pair[0] = -1;
	if (pair[1] >= 0 && grantpt(pair[1]) == 0 && unlockpt(pair[1]) == 0 &&
	    ptsname_r(pair[1], name, sizeof(name)) == 0)
		pair[0] = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (pair[0] >= 0 && tcgetattr(pair[0], &raw) == 0) {
		cfmakeraw(&raw);
		if (tcsetattr(pair[0], TCSANOW, &raw) == 0)
			return 0;
	}
	return -errno;
}

static int relay_make_pair(struct meter_relay *r, int fd)
{
	int pair[2] = {-1, -1}, ret;

	ret = r->is_socket ? relay_socket_pair(pair) : relay_terminal_pair(pair);
	if (ret == 0 && r->is_socket && r->way == METER_RELAY_PUMP) {
		struct timeval none = {0}; /* the meter's own limit holds */

		setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
	}
	r->driver = pair[1];
	if (ret == 0 && dup2(pair[0], fd) < 0)
		ret = -errno;
	if (pair[0] >= 0)
		close(pair[0]);
	return ret;
}

static void relay_free(struct meter_relay *r)
{
	if (r->driver >= 0)
		close(r->driver);
	if (r->peer >= 0)
		close(r->peer);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void meter_relay_pump(int driver, int meter, const struct meter_relay_line *line,
		      struct meter_link *link)
{
	struct meter_relay relay = {.way = METER_RELAY_PUMP,
				    .is_socket = true,
				    .driver = driver,
				    .peer = meter,
				    .line = *line,
				    .link = link};

	pthread_mutex_init(&relay.lock, NULL);
	relay_set_socket(meter, line->silence_ns);
	relay_run(&relay);
	pthread_mutex_destroy(&relay.lock);
}

int meter_relay_start(int fd, int meter, enum meter_relay_way way,
		      const struct meter_relay_line *line, struct meter_link *link,
		      struct meter_relay **out)
{
	struct meter_relay *r = calloc(1, sizeof(*r));
	int ret = 0;

	if (!r)
		return -ENOMEM;
	r->way = way;
	r->line = *line;
	r->is_socket = !isatty(fd);
	r->link = link;
	r->driver = -1;
	pthread_mutex_init(&r->lock, NULL);
	r->peer = meter >= 0 ? meter : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (r->peer < 0)
		ret = -errno;
	else if (r->is_socket)
		ret = relay_set_socket(r->peer, line->silence_ns);
	else if (fcntl(r->peer, F_SETFL, O_NONBLOCK) < 0)
		ret = -errno;
	if (ret == 0)
		ret = relay_make_pair(r, fd);
	if (ret == 0 && way == METER_RELAY_PUMP)
		ret = -pthread_create(&r->thread, NULL, relay_run, r);
	if (ret < 0) {
		relay_free(r);
		return ret;
	}
	*out = r;
	return 0;
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
	if (r->way == METER_RELAY_PUMP) {
		pthread_join(r->thread, NULL);
	} else {
		while (relay_take_query(r, false))
			relay_send(r);
		relay_send(r);
	}
	relay_free(r);
}
