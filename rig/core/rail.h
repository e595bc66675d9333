/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The power of a rail that is measured as volts and amperes, one after the other or by two meters.
 * Pure.
 *
 * A power is made at each reading of the current, which changes fast: P = factor * V(t) * I, with V
 * interpolated linearly between the readings of the voltage before and after it. There is none
 * before the first and after the last of these, nor between two of them with a gap in between.
 *
 * What it may be off by, besides the gains (wiring.h), is kept with each power, at 95 %:
 *
 *   offset_w = |factor| * ( sqrt((V oI)^2 + (I oV)^2) + |I| dV )
 *   dV       = |Vb - Va| * ( max(f, 1 - f) + (eV + eI) / (tb - ta) )
 *
 * oV, oI are the offsets of the meters' accuracy: the first part is the usual propagation for a
 * product of independent errors (JCGM 100:2008, 5.1.2). dV bounds the interpolation: a voltage that
 * went from Va to Vb, whenever it did, is at most max(f, 1 - f) |Vb - Va| away from the line, f being
 * how far t lies on the way from ta to tb; and the two times may be off by eV and eI, on a slope of
 * |Vb - Va| / (tb - ta). At the moment of a reading of the voltage itself f is 0 and nothing is
 * interpolated. Bounds are added, not combined.
 */
#ifndef COLDRIG_RAIL_H
#define COLDRIG_RAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab.h"

struct rail_reading {
	int64_t t_ns, error_ns;
	double value;
};

/* Readings of one channel, in ascending time. */
struct rail_channel {
	struct rail_reading *readings;
	size_t n;
	const struct lab_term *accuracy;
};

/* A time in which a meter gave no readings: none with from_ns < t_ns < to_ns. */
struct rail_gap {
	size_t meter; /* index into the lab's meters */
	int segment;  /* of the run file */
	int64_t from_ns, to_ns;
};

struct rail_power {
	int64_t t_ns, error_ns; /* those of the current's reading */
	double power_w;
	double offset_w;
};

/* Writes at most current->n powers to out; gaps are those of the voltage's meter. Returns how many. */
size_t rail_multiply(const struct rail_channel *voltage, const struct rail_channel *current,
		     double factor, const struct rail_gap *gaps, size_t gaps_n,
		     struct rail_power *out);

#endif
