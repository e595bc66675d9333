/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A meter, read in a process of its own, so that a driver that blocks, spins or crashes costs a run
 * its samples and nothing else. Backends are chosen by the spec: libsigrok for all but "fake:" and "replay:".
 *
 * Times are CLOCK_MONOTONIC of the controller.
 */
#ifndef COLDRIG_METER_H
#define COLDRIG_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct meter;

/* One reading of one channel. Plain old data: this is also what travels over the pipe. */
struct meter_sample {
	int64_t t_ns;	  /* midpoint of query and answer */
	int64_t error_ns; /* half the time between them: the true time lies within t_ns +- error_ns */
	uint32_t channel;  /* index into the channels asked for, or the meter's own if all were */
	uint32_t reserved; /* 0 */
	double value;	   /* in the channel's unit, which METER_EVENT_CHANNEL has told before */
};

#define METER_BLOCK_MAX 131072 /* values in a block */

/* Values of one channel at a rate: value i was sampled at start_ns + (first + i) / rate_hz. */
struct meter_block {
	uint32_t channel;
	uint32_t n;
	uint64_t rate_hz;
	uint64_t first; /* how many came since start_ns, before this block */
	int64_t start_ns;
	int64_t error_ns;   /* of start_ns; that the rate is true is the driver's word */
	int64_t arrived_ns; /* when the last value came: evidence about the rate */
};

/* When value i of a block was sampled. */
int64_t meter_block_time_ns(const struct meter_block *block, uint64_t i);

/* Things that a meter tells besides samples. */
enum meter_event_kind {
	METER_EVENT_READY,   /* found and opened: identity */
	METER_EVENT_CHANNEL, /* channel, its name as text, its unit; "" until its first reading */
	METER_EVENT_OPTION,  /* if options.describe: one of its settings as text, for people */
	METER_EVENT_LOST,    /* no readings any more, text says why; final */
	METER_EVENT_NOTE     /* for the journal: text */
};

#define METER_UNIT_SIZE 8

/* "" where libsigrok knows none. */
struct meter_identity {
	char vendor[40], model[40], version[40], serial[40];
};

struct meter_event {
	enum meter_event_kind kind;
	uint32_t channel; /* CHANNEL: as in samples */
	int64_t t_ns;
	char unit[METER_UNIT_SIZE]; /* CHANNEL: "V", "A", "W", "Wh", "Hz", "Ohm", "1" for a number */
	bool hopeless;		    /* LOST: opening it again would come to the same */
	bool complete;		    /* LOST: for all that there is has come, or meter_stop() */
	int64_t first_ns; /* READY after a loss: of the first reading behind it */
	int64_t gap_ns; /* NOTE: so long after the reading before there was no meter; 0: no gap */
	union {
		char text[160];
		struct meter_identity identity;
	};
};

#define METER_START_NS	   ((int64_t)2 * 1000000000)
#define METER_START_MAX_NS ((int64_t)60 * 1000000000)

struct meter_options {
	const char *spec;	     /* libsigrok's form, "scpi-pps:conn=tcp-raw/127.0.0.1/5025" */
	const char *const *channels; /* their names; each is read in turn */
	size_t channels_n;	     /* 0: all that it has */
	double rate_hz; /* readings a second over all channels; as fast as it answers if slower */
	int64_t silence_ns; /* no reading for so long after READY: lost */
	int64_t start_ns;   /* not READY after so long: lost; at most METER_START_MAX_NS, 0: 2 s */
	bool describe;	    /* tell its settings */
	bool blocks; /* a driver that delivers at a rate of its own hands over blocks, not samples */
	uint64_t block_limit; /* values of each channel that come as blocks, then LOST; 0: no end */
};

/*
 * Asks, in a process of its own and for a few seconds at most, whether there is a driver for a spec:
 * -EINVAL with words if not. For complaining about a lab file before anything is started.
 */
int meter_check_driver(const char *spec, struct err *err);

/*
 * Starts the process and returns at once; readiness and loss come as events. The fd is readable
 * when meter_read() has something, a loss by silence included. The process ends with the calling
 * thread, however that ends; no other thread may run, as with any fork(). options may go after it.
 * -EINVAL with words for a spec that cannot be one. docs/meter.md has specs and faults.
 */
int meter_open(const struct meter_options *options, struct meter **out, struct err *err);
int meter_fd(const struct meter *meter);

/*
 * Takes what has come, without waiting, at most max samples and one event; with max 0 one event that
 * no sample came before. Returns the number of samples; *event_n is 0 or 1, and the event came before
 * the samples. After LOST nothing more comes: 0 and 0.
 */
size_t meter_read(struct meter *meter, struct meter_sample *samples, size_t max,
		  struct meter_event *event, size_t *event_n);

/*
 * If options.blocks: takes the next block, which comes in order with samples and events, so ask between
 * calls of meter_read(). *packed, as by chunk_pack_block(), is valid until the next call.
 */
bool meter_read_block(struct meter *meter, struct meter_block *block, const void **packed,
		      size_t *packed_n);

/* A sample or a block is what comes next; *t_ns is its time, of a block that of its first value. */
bool meter_data_waits(const struct meter *meter, int64_t *t_ns);

/* Asks it to end. What it still has comes, then LOST, complete; the caller reads on until then. */
void meter_stop(struct meter *meter);

/* "VENDOR MODEL VERSION SERIAL", with "-" for what is not known. */
#define METER_IDENTITY_SIZE 176
void meter_identity_text(const struct meter_identity *identity,
			 char text[static METER_IDENTITY_SIZE]);

/* The same instrument? Its version may change. */
bool meter_identity_same(const struct meter_identity *a, const struct meter_identity *b);

/* Ends the process (it gets a short time, then SIGKILL) and frees. */
void meter_close(struct meter *meter);

#endif
