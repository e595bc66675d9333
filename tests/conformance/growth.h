/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether something grows from cycle to cycle, or is only noisy: the straight line of least squares
 * through the means of five blocks of what was counted, and how well its slope is known. Pure.
 */
#ifndef CONFORMANCE_GROWTH_H
#define CONFORMANCE_GROWTH_H

#include <stdbool.h>
#include <stddef.h>

struct growth {
	double per_cycle; /* in units of what was counted */
	double u95;	  /* its half width at 95 %, by the scatter about the line (Student's t) */
};

/* n >= 5 points in the order of their cycles, not all of the same. */
struct growth growth_of(const double *cycle, const double *count, size_t n);

/*
 * True when it grows by more than limit a cycle, beyond doubt. The limit is there because a drift
 * that is smaller is no leak: one unit leaked in each cycle is a growth of 1.
 */
bool growth_exceeds(const struct growth *growth, double limit_per_cycle);

#endif
