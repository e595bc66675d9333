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
#include "store.h"

struct series {
	struct edge_sample *samples; /* ascending time */
	size_t n;
};

/*
 * Loads [from_ns, to_ns], in times from which each meter's lag is taken; marks is indexed by meter.
 * With several rails each reading of one gives a sample of their sum, in which the others keep their
 * last reading; none before every rail has been read. Freed with series_free().
 */
int series_load(struct store *store, int segment, const struct lab *lab,
		const struct lab_target *target, const struct lab_device *device,
		const struct align_marks *marks, int64_t from_ns, int64_t to_ns, struct series *out,
		struct err *err);

/* The same of the rails on one meter alone, in the times of its readings as they came. */
int series_load_raw(struct store *store, int segment, const struct lab_target *target,
		    const struct lab_device *device, size_t meter, int64_t from_ns, int64_t to_ns,
		    struct series *out, struct err *err);
void series_free(struct series *series);

/* Copies the powers with from_ns <= t_ns <= to_ns; *out is freed with free(). -ENOMEM. */
int series_cut(const struct series *series, int64_t from_ns, int64_t to_ns, double **out,
	       size_t *n);

#endif
