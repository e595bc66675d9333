/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files share that read a meter through libsigrok: meter_sigrok_open.c finds and opens it,
 * meter_sigrok.c reads it, meter_sigrok_blocks.c takes what comes at a rate. The only file that
 * includes libsigrok.
 */
#ifndef COLDRIG_METER_SIGROK_H
#define COLDRIG_METER_SIGROK_H

#include <libsigrok/libsigrok.h>

#include "meter_backend.h"
#include "meter_blocks.h"
#include "meter_front.h"
#include "meter_relay.h"
#include "meter_usbtmc.h"

/* How a driver gets its readings; one that is not listed sends by itself. */
struct sigrok_driver {
	const char *name;
	enum meter_relay_way way; /* over a socket; over a serial line it is always PUMP */
	bool all_numbers;	  /* while it runs it asks for nothing but numbers */
	unsigned questions;	  /* for all channels; 0: one for each that is read */
	enum framing framing;	  /* on a serial line */
	/* So long it waits on a serial line and then asks anew, and the first answer would be taken for the
	 * second question's. 0: it does not. */
	int patience_ms;
};

struct sigrok_channel {
	struct sr_channel *sr;
	int unit; /* enum sr_unit of its readings, 0: none came yet */
	int64_t packet_ns,
		error_ns; /* the latest packet came at, and so long after the one before */
};

struct sigrok {
	const struct meter_options *options;
	const struct meter_spec *spec;
	struct meter_link *link;
	const struct sigrok_driver *polled; /* NULL: it sends by itself */
	struct sr_context *context;
	struct sr_dev_driver *driver;
	struct sr_dev_inst *device;
	struct sr_session *session;
	struct sigrok_channel *channels; /* those that are read, in the order of samples */
	size_t channels_n;
	struct meter_blocks *blocks; /* NULL: readings go one by one */
	bool block_lists_leak;	     /* 16 bytes with each packet, if we do not free them */
	struct meter_front *front;   /* from the scan on, until the relay is there; or NULL */
	struct meter_relay *relay;   /* NULL: libsigrok reads for itself */
	bool direct;		     /* the relay's way is DIRECT */
	int fd;			     /* the driver's socket or serial line, -1 if it has none */
	int64_t period_ns, due_ns;   /* of a sweep through all channels */
	size_t sweep_left;	     /* channels that it has not read yet */
	int64_t asked_ns;	     /* the driver was let go at */
	int64_t packet_ns;	     /* the latest packet came at */
	bool answered;		     /* since asked_ns */
	bool stopped;
	bool holding; /* held is a 0.0 that waits for a good reading behind it */
	struct meter_sample held;
	float *values; /* a packet's; kept, for the process may end while it hands them on */
	int64_t noted_ns;
	unsigned dropped; /* readings since noted_ns */
	char log[128];	  /* libsigrok's first complaint */
};

/* All of these end the process with a loss that says why, if they cannot. */

/* Starts libsigrok; its complaints are kept from here on. */
void sigrok_init(struct sigrok *s);

/* Finds the driver and the meter, opens it, sets the spec's options and enables the channels. */
void sigrok_open(struct sigrok *s);

/* Who a meter is, as far as libsigrok knows. */
struct meter_identity sigrok_identity(const struct sr_dev_inst *device);

/* Tells the settings of an open meter. */
void sigrok_describe(struct sigrok *s);

/* Refuses a driver whose values have no known time, where that is needed; says so where it is not. */
void sigrok_check_frames(struct sigrok *s);

/* If blocks are wanted and the driver has a rate: sets its limit, and s->blocks. */
void sigrok_start_blocks(struct sigrok *s);

/* A packet's values, into s->blocks. */
void sigrok_take_blocks(struct sigrok *s, const struct sr_datafeed_analog *analog);

/* NULL: not one of those that are read. */
struct sigrok_channel *sigrok_channel(const struct sigrok *s, const struct sr_channel *sr);

/* Tells a channel's unit with its first reading; the meter is lost if it becomes another. */
void sigrok_check_unit(struct sigrok *s, struct sigrok_channel *channel, int unit);

/* What, and libsigrok's complaint behind it. */
_Noreturn void sigrok_lost(struct sigrok *s, const char *what);

#endif
