/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A device's power over time, from the readings of the channels that its rails are wired to. */
#ifndef COLDRIG_SERIES_H
#define COLDRIG_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "align.h"
#include "edge.h"
#include "err.h"
#include "lab.h"
#include "rail.h"
#include "store.h"

struct series {
	struct edge_sample *samples; /* ascending time; a power of NaN is the end of a gap */
	double *offset_w;	     /* of each: what rails of volts and amperes add (rail.h) */
	size_t n;
};

/* Times without a meter, as the journal tells them (gaps.h). */
struct series_gaps {
	const struct rail_gap *gaps;
	size_t n;
};

/*
 * Loads [from_ns, to_ns], in times from which each meter's lag is taken; marks is indexed by meter, and
 * the times of gaps are those of readings as they came. With several rails each reading of one gives a sample of their sum, in
 * which the others keep their last reading; none before every rail has been read. A gap of a meter
 * that one of the rails needs has a sample of NaN at both of its ends, as far as they lie within the
 * time, and nothing in it; after it every rail of that meter has to be read anew. Freed with
 * series_free().
 */
int series_load(struct store *store, int segment, const struct lab *lab,
		const struct lab_target *target, const struct lab_device *device,
		const struct series_gaps *gaps, const struct align_marks *marks, int64_t from_ns,
		int64_t to_ns, struct series *out, struct err *err);

/*
 * What one meter alone shows of a device, in the times of its readings as they came: the sum of the
 * watts or amperes that it delivers for it. For looking when these change, not by how much.
 */
int series_load_raw(struct store *store, int segment, const struct lab *lab,
		    const struct lab_target *target, const struct lab_device *device, size_t meter,
		    int64_t from_ns, int64_t to_ns, struct series *out, struct err *err);
void series_free(struct series *series);

/* Copies the powers with from_ns <= t_ns <= to_ns, NaN included; *out is freed with free().
 * *offset_w is the mean of what they add. -ENOMEM. */
int series_cut(const struct series *series, int64_t from_ns, int64_t to_ns, double **out, size_t *n,
	       double *offset_w);

#endif
