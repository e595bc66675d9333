/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one meter says, written to a file as it comes: a file like that of a run, with one meter. */
#ifndef COLDRIG_RECORDING_H
#define COLDRIG_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "meter.h"

#define RECORDING_CHANNELS_MAX 64

struct recording;

/* name is the meter's, spec is kept as it was given. Freed with recording_close(). */
int recording_create(const char *path, const char *name, const char *spec, struct recording **out,
		     struct err *err);

/* Readings in ascending time, blocks in any order. */
int recording_add_samples(struct recording *recording, const struct meter_sample *samples, size_t n,
			  struct err *err);
int recording_add_block(struct recording *recording, const struct meter_block *block,
			const void *packed, size_t packed_n, struct err *err);
int recording_add_event(struct recording *recording, const struct meter_event *event,
			struct err *err);

/* Readings so far become a chunk, which the next commit makes safe. */
int recording_flush(struct recording *recording, struct err *err);

/* Commits if half a second has gone since it last did, or at once. */
int recording_commit(struct recording *recording, bool at_once, struct err *err);

struct recording_channel {
	char name[32], unit[METER_UNIT_SIZE];
	uint64_t n;
	uint64_t rate_hz; /* what its driver says of blocks, 0 for readings */
};

struct recording_state {
	size_t channels_n;
	struct recording_channel channels[RECORDING_CHANNELS_MAX];
	uint64_t n;		/* samples in all */
	int64_t t0_ns, t1_ns;	/* of the first and the latest */
	int64_t arrived_ns;	/* the latest block came at; 0: none did */
	int64_t start_ns;	/* the first block's */
	uint64_t notes, losses; /* events */
};

/* Valid until closed. */
const struct recording_state *recording_state(const struct recording *recording);

/* Without committing what is open. */
void recording_close(struct recording *recording);

#endif
