/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether something grows from cycle to cycle, or is only noisy: the median of the slopes between
 * all pairs of samples (Theil 1950, Sen 1968), and the interval that Kendall's rank statistic gives
 * it. A sample or two far off, as caches make them that let go of what was left over, do not move
 * it; a line of least squares follows them. Pure.
 */
#ifndef CONFORMANCE_GROWTH_H
#define CONFORMANCE_GROWTH_H

#include <stdbool.h>
#include <stddef.h>

#define GROWTH_SAMPLES_MIN 5
#define GROWTH_SAMPLES_MAX 24

/* In units of what was counted, per cycle. */
struct growth {
	double slope;
	double low; /* its interval at 99.9 %: a hundred things are looked at in each test */
	double high;
};

/* Counts in the order of their cycles; no two of the same cycle. */
struct growth growth_of(const double *cycle, const double *count, size_t n);

/*
 * True when it grows by more than limit a cycle, beyond doubt. The limit is there because a drift
 * that is smaller is no leak: one unit leaked in each cycle is a growth of 1.
 */
bool growth_exceeds(const struct growth *growth, double limit_per_cycle);

#endif
