/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands between a SCPI driver and its TCP socket, and lets only whole answers through.
 *
 * libsigrok takes what one recv() gives as the whole answer, and the end of the connection as the
 * number 0. So the driver's descriptor is replaced by one end of a socket pair; a thread carries
 * the queries out and the answers back, line by line, and knows when each of them went and came.
 */
#ifndef COLDRIG_METER_RELAY_H
#define COLDRIG_METER_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "meter_backend.h"

struct meter_relay;

struct meter_exchange {
	int64_t query_ns;  /* before the query was sent */
	int64_t answer_ns; /* after the last byte of the answer came */
	const char *fault; /* NULL, or why the driver was given "nan" in place of the answer */
	char text[48];	   /* the answer, printable, cut off */
};

/*
 * fd, the driver's socket, stays the driver's. A connection that ends, fails or does not answer for
 * silence_ns ends the process with the loss told. Freed by meter_relay_stop().
 */
int meter_relay_start(int fd, int64_t silence_ns, struct meter_link *link,
		      struct meter_relay **out);

/* Of the latest answer that the driver was given. */
void meter_relay_last(struct meter_relay *relay, struct meter_exchange *out);

/* After the driver has closed its socket: sends what is on its way, ends the thread, frees. */
void meter_relay_stop(struct meter_relay *relay);

/* A finite number in plain or exponent form, alone in its line or with a W behind it. */
bool meter_relay_is_number(const char *line, size_t size);

#endif
