/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tick does: reads every channel, keeps the samples with their times, adds them up to
 * readings and to energy, and switches off a channel that draws too much.
 *
 * energy = sum over neighbouring samples of (P1 + P2) / 2 * (t2 - t1), P = V * I of each sample.
 * Over a sample that is missing nothing is added up: a gap stays a gap, and is counted.
 */
#ifndef PROBE_SAMPLER_H
#define PROBE_SAMPLER_H

#include "settings.h"

#ifndef SAMPLER_RING
#define SAMPLER_RING                                                                               \
	128 /* samples that are kept until they are fetched; a board may have room for more */
#endif

#define SAMPLER_NONE	   INT32_MIN /* in place of a value that could not be read */
#define SAMPLER_TRIP_AFTER 3	     /* samples in a row over the limit */

struct sample {
	uint64_t t_us; /* when the reading of channel 1 began */
	int32_t uv[PROBE_CHANNELS], ua[PROBE_CHANNELS];
};

struct sampler_channel {
	bool present; /* its chip answered at the start */
	bool tripped; /* the overcurrent latch */
	bool trip_told;
	unsigned over; /* samples in a row */
	int64_t energy_nj;
	int64_t rest_pj; /* below a nJ */
	int64_t last_uw; /* of the sample before, if has_last */
	bool has_last;
	uint32_t missed; /* samples that could not be read */
};

/* The sum of samples for one reading. */
struct sampler_sum {
	uint32_t wanted, n; /* ticks */
	uint64_t first_us, last_us;
	struct {
		uint32_t n;
		int64_t uv, ua, uw;
	} channels[PROBE_CHANNELS];
};

struct sampler {
	const struct probe_board *board;
	const struct settings *settings;
	struct sampler_channel channels[PROBE_CHANNELS];
	struct sampler_sum sum;
	uint32_t ticks;
	struct sample last; /* its t_us is 0 before the first tick */
	struct sample ring[SAMPLER_RING];
	uint32_t ring_next, ring_n;
	uint32_t ring_lost; /* overwritten before they were fetched, since the last fetch */
};

/* Values that stand for one channel over a time; all are SAMPLER_NONE where none could be read. */
struct reading {
	uint64_t first_us, last_us; /* times of its first and last sample */
	int64_t uv, ua, uw;
};

/* Looks for the chips. Both stay the caller's. */
void sampler_start(struct sampler *sampler, const struct probe_board *board,
		   const struct settings *settings);

/* One sample of every channel. */
void sampler_tick(struct sampler *sampler);

/* The functions below hold the tick themselves. */

/* Begins a reading: what the next settings->average ticks see. */
void sampler_begin(struct sampler *sampler);
bool sampler_is_done(struct sampler *sampler);
/* Of the reading that was begun last; its channels count from 0. */
struct reading sampler_reading(struct sampler *sampler, unsigned channel);

/* One sample of one channel, now. It is in no sum, no energy and no buffer. */
struct reading sampler_now(struct sampler *sampler, unsigned channel);

/* The newest sample of the tick. */
struct reading sampler_newest(struct sampler *sampler, unsigned channel);

/* Did the channel's chip answer at the start? Without one it has no energy. */
bool sampler_is_present(const struct sampler *sampler, unsigned channel);
int64_t sampler_energy_nj(struct sampler *sampler, unsigned channel);
void sampler_clear_energy(struct sampler *sampler, unsigned channel);
uint32_t sampler_missed(struct sampler *sampler, unsigned channel);

/* The oldest sample that was not yet fetched; false if there is none. */
bool sampler_fetch(struct sampler *sampler, struct sample *out);
uint32_t sampler_waiting(struct sampler *sampler);
uint32_t sampler_take_lost(struct sampler *sampler);

/*
 * Negative if the chip does not answer. -2, and nothing done, for on while the latch is set.
 * Times out with the board's bus.
 */
#define SAMPLER_LATCHED (-2)
int sampler_operate(struct sampler *sampler, unsigned channel, bool on);
int sampler_is_operating(struct sampler *sampler, unsigned channel, bool *on);
bool sampler_is_tripped(struct sampler *sampler, unsigned channel);
void sampler_clear_trip(struct sampler *sampler, unsigned channel);
/* A trip that was not yet told: its channel, or -1. */
int sampler_take_trip(struct sampler *sampler);

#endif
