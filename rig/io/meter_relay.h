/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands between a SCPI driver and its line to the meter, a TCP socket or a serial line, and lets
 * only whole answers through.
 *
 * libsigrok takes what one read() gives as the whole answer, drops letters in a number, and takes
 * the end of a connection for the number 0. So the driver's descriptor is replaced by one end of a
 * pair. What the driver asks is sent on from the other end, the answer is gathered up to its line
 * end, and both moments are known.
 *
 * Two ways to do so. DIRECT is for a driver that asks for one number and then sends a packet, and
 * is cheap, because it needs no thread: the driver is given a made-up number in advance, and from
 * within its packet its question is asked for real; the driver's number is thrown away. PUMP is for
 * all others: a thread carries questions out and answers back.
 */
#ifndef COLDRIG_METER_RELAY_H
#define COLDRIG_METER_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framing.h"
#include "meter_backend.h"

enum meter_relay_way { METER_RELAY_DIRECT, METER_RELAY_PUMP };

struct meter_relay;

struct meter_exchange {
	int64_t query_ns;  /* before the query was sent */
	int64_t answer_ns; /* after the last byte of the answer came */
	double value;	   /* NaN if there is a fault, or it is no line of text */
	const char *fault; /* NULL, or why the answer is no reading; static */
	char text[48];	   /* the answer, printable, cut off */
};

/* How the meter's line is spoken on; the driver gets plain lines where the meter has a length before them. */
struct meter_relay_line {
	enum framing framing;
	bool all_numbers;   /* whatever is asked has a number for an answer; else only what asks for
			     * a measurement */
	int64_t silence_ns; /* without an answer for so long the meter is lost */
};

/*
 * fd, the driver's socket or terminal, stays the driver's. The meter is behind it, or, if meter is
 * not -1, behind that one, which becomes the relay's. A line that ends, fails or does not answer
 * in time ends the process with the loss told. Freed by meter_relay_stop(). -errno.
 */
int meter_relay_start(int fd, int meter, enum meter_relay_way way,
		      const struct meter_relay_line *line, struct meter_link *link,
		      struct meter_relay **out);

/* PUMP between two sockets, in the caller's thread, until the driver closes its own; what it said
 * last is sent on. Both stay the caller's. */
void meter_relay_pump(int driver, int meter, const struct meter_relay_line *line,
		      struct meter_link *link);

/*
 * DIRECT, between two readings: waits until a time of meter_now_ns(), less if a signal comes. What the
 * meter sends is dropped with a NOTE, and the end of its line is a loss at once.
 */
void meter_relay_idle(struct meter_relay *relay, int64_t until_ns);

/* DIRECT: before the driver is let go, and in its packet. */
void meter_relay_prime(struct meter_relay *relay);
void meter_relay_exchange(struct meter_relay *relay, struct meter_exchange *out);

/* PUMP: of the latest number that the driver was given. */
void meter_relay_last(struct meter_relay *relay, struct meter_exchange *out);

/* After the driver has closed its end: sends what is on its way, frees. */
void meter_relay_stop(struct meter_relay *relay);

/*
 * NULL, or why a number is no reading; static. SCPI-99 (volume 1, 7.2.1.4 and 7.2.1.5) writes 9.9E37 and -9.9E37 for
 * infinity, which multimeters answer to what is beyond their range, and 9.91E37 for not a number.
 */
const char *meter_relay_no_reading(double value);

/* A finite number in plain or exponent form, alone in its line or with a unit of letters behind it
 * that SCPI has (V, A, W, HZ, OHM, S); NaN if it is none. */
double meter_relay_number(const char *line, size_t size);

#endif
