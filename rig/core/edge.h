/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moments at which a device's power crosses a threshold: the rail's edges as the meter sees them. */
#ifndef COLDRIG_EDGE_H
#define COLDRIG_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct edge_sample {
	int64_t t_ns;
	int64_t error_ns;
	double power_w; /* NaN: a gap in the readings; no edge is seen across it */
};

struct edge {
	int64_t t_ns;	  /* midpoint of the last reading before and the first one after */
	int64_t error_ns; /* half the time between them plus the larger error of their times */
};

/*
 * The first falling (or rising) edge in samples of ascending time, from from_ns on: a reading on the
 * one side of the threshold followed by EDGE_CONFIRM on the other. False if there is none.
 */
#define EDGE_CONFIRM 2
bool edge_find(const struct edge_sample *samples, size_t n, int64_t from_ns, double threshold_w,
	       bool falling, struct edge *out);

#endif
