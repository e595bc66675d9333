/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What meter.c and the backends share: a backend runs in the meter's process and hands records to
 * the parent through its link. Private to the meter's files.
 */
#ifndef COLDRIG_METER_BACKEND_H
#define COLDRIG_METER_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "meter.h"
#include "meter_ring.h"
#include "meter_spec.h"

enum meter_record_kind {
	METER_RECORD_SAMPLE = 1,
	METER_RECORD_EVENT = 2,
	METER_RECORD_BLOCK = 3,
	METER_RECORD_ALIVE = 4 /* there is nothing now, and that is as it should be */
};

/* Its values, packed, are in the next slot of the ring. */
struct meter_record_block {
	struct meter_block block;
	uint64_t packed_n;
};

struct meter_record {
	uint32_t kind;
	uint32_t reserved; /* 0 */
	union {
		struct meter_sample sample;
		struct meter_event event;
		struct meter_record_block block;
	} u;
};

/* The child's end. One a process; its functions may be called from any thread of it. */
struct meter_link;

struct meter_backend {
	const char *driver; /* the spec's first word; NULL takes all that is left */
	/* In the parent, before the process starts: -EINVAL with words for a spec that cannot be.
	 */
	int (*check)(const struct meter_options *options, const struct meter_spec *spec,
		     struct err *err);
	/* In a child: is there such a driver? NULL: always. */
	bool (*knows)(const struct meter_spec *spec);
	/* In the child. Returns when asked to stop; a loss is told with meter_link_lost(). */
	void (*run)(const struct meter_options *options, const struct meter_spec *spec,
		    struct meter_link *link);
};

extern const struct meter_backend meter_fake_backend;
extern const struct meter_backend meter_replay_backend;
extern const struct meter_backend meter_sigrok_backend;

/* In a child: tells each meter that answers to a spec, its own spec as OPTION and then READY. */
void meter_sigrok_scan(const struct meter_spec *spec, struct meter_link *link);

/* In a child: tells each driver that reads an instrument, its name as OPTION. */
void meter_sigrok_list(struct meter_link *link);

/*
 * Turns a freshly forked process into the meter's: dies with the parent, has its own process group,
 * keeps no descriptor but stderr, fd and the ring's. The link is static, never freed.
 */
struct meter_link *meter_link_start(int fd, struct meter_ring *ring, int parent_pid);

/* The parent asked the process to end. */
bool meter_link_stopping(void);

/* When the parent listens no more they do nothing, and meter_link_stopping() is true. Readings are told
 * with the next event, or when a pause is announced that is long enough to make them late. */
void meter_link_sample(struct meter_link *link, const struct meter_sample *sample);
void meter_link_pause(struct meter_link *link, int64_t until_ns);
/* Packs and hands over a block, waiting for the parent where that is slower. Only if options.blocks. */
void meter_link_block(struct meter_link *link, const struct meter_block *block,
		      const float *values);
void meter_link_ready(struct meter_link *link, const struct meter_identity *identity);
void meter_link_channel(struct meter_link *link, size_t channel, const char *name,
			const char *unit);
/* The next reading comes so long after the one before, and nothing is known of what was between. */
void meter_link_gap(struct meter_link *link, int64_t gap_ns);
void meter_link_event(struct meter_link *link, enum meter_event_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For a meter that is silent on purpose: the parent does not give it up, if it is told so often. */
#define METER_ALIVE_NS 500000000
void meter_link_alive(struct meter_link *link);

/* Announces a pause and waits for its end, alive; earlier if the meter is to stop. */
void meter_link_wait(struct meter_link *link, int64_t until_ns);

/* Tells the loss and ends the process, from any thread: nothing can come after it. */
_Noreturn void meter_link_lost(struct meter_link *link, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same where opening it again would come to the same: what was asked for cannot be. */
_Noreturn void meter_link_hopeless(struct meter_link *link, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same where all that there is has come: a limit, the end of a recording, or it was stopped. */
_Noreturn void meter_link_complete(struct meter_link *link, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

int64_t meter_now_ns(void);

/* Sleeps until a time of meter_now_ns(); earlier if a signal comes. */
void meter_sleep_until(int64_t t_ns);

/* The next due time on the grid; a missed one is left out, never caught up in a burst. */
int64_t meter_next_due(int64_t due_ns, int64_t period_ns, int64_t now_ns);

#endif
