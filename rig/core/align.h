/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A meter's lag: how late its readings are against the controller's clock. The target steps its load
 * at moments that are known, and the readings are searched for the pattern. docs/time.md explains it.
 * Pure.
 */
#ifndef COLDRIG_ALIGN_H
#define COLDRIG_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge.h"

#define ALIGN_LAG_MIN_NS (-INT64_C(200000000))
#define ALIGN_LAG_MAX_NS INT64_C(2000000000)
#define ALIGN_STEPS_MIN	 4

/* A change of the load that the target made at some moment within [from_ns, to_ns], on the
 * controller's clock, whose error is part of it. */
struct align_step {
	int64_t from_ns, to_ns;
	bool is_up;
};

/* What a pattern of steps told: around t_ns readings are lag_ns late, give or take error_ns. */
struct align_mark {
	int64_t t_ns; /* a time of readings, as they came */
	int64_t lag_ns;
	int64_t error_ns;
	size_t steps; /* that were found */
};

/* Marks of one meter in ascending time; none for a meter whose times are taken as they are. */
struct align_marks {
	struct align_mark *at;
	size_t n;
};

/* What became of it in an arm, for one meter. Milliseconds, for people. */
struct align_result {
	bool is_wanted;	      /* by the plan, and a device of the target is wired to the meter */
	bool is_found, is_ok; /* ok: the error is at most the limit */
	size_t steps;
	double offset_ms;		 /* how late readings are at the begin of the arm */
	double drift_ppm, drift_u95_ppm; /* how much later they get; NaN with drift_why */
	double u95_ms, limit_ms;
	const char *why, *drift_why; /* static; why: not found */
};

/*
 * Searches readings in ascending time for steps in ascending time. Every edge that a step may have
 * caused puts the lag into an interval, as wide as the step's and the edge's times are uncertain;
 * the lag is where most steps agree (Marzullo 1984). All but a quarter of them must, and so many must
 * not agree on another one. The error is half of what they agree on, plus the 95 % interval of the mean
 * of their scatter.
 *
 * 1 with *out; 0 with *why, a static reason; -ENOMEM.
 */
int align_find(const struct align_step *steps, size_t steps_n, const struct edge_sample *samples,
	       size_t samples_n, struct align_mark *out, const char **why);

/*
 * The lag of a reading: linear between two marks, the nearest one's outside of them. *error_ns (may be
 * NULL) is the larger error of the marks used, and outside them also ALIGN_DRIFT_MAX of the distance.
 * 0 and 0 without marks.
 */
#define ALIGN_DRIFT_MAX 100e-6
int64_t align_lag(const struct align_marks *marks, int64_t t_ns, int64_t *error_ns);

#endif
