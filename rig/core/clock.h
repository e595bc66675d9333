/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The target's clock seen from the controller. Both are CLOCK_MONOTONIC; a mark ties a moment of one
 * to a moment of the other, with the largest error it can have.
 */
#ifndef COLDRIG_CLOCK_H
#define COLDRIG_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock_mark {
	int64_t controller_ns;
	int64_t target_ns;
	int64_t error_ns;
};

/* One question and its answer: sent and received by the controller's clock, taken and answered by
 * the target's. */
struct clock_ping {
	int64_t sent_ns, received_ns;
	int64_t taken_ns, answered_ns;
};

/*
 * The mark of the quickest of n >= 1 pings: the midpoints belong together, and cannot be further off
 * than half of the time that the way there and back took (Cristian 1989).
 */
struct clock_mark clock_mark_from(const struct clock_ping *pings, size_t n);

/*
 * A moment of the target on the controller's clock, from marks in ascending order of time: linear
 * between two marks, the nearest mark's offset outside them. *error_ns (may be NULL) is the larger
 * error of the marks used, and outside them also CLOCK_DRIFT_MAX of the distance.
 */
#define CLOCK_DRIFT_MAX 100e-6 /* a crystal is better than this; see docs/time.md */
int64_t clock_to_controller(const struct clock_mark *marks, size_t n, int64_t target_ns,
			    int64_t *error_ns);

#endif
