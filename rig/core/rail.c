/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rail.h"

#include <math.h>

static bool is_bridged(const struct rail_reading *a, const struct rail_reading *b,
		       const struct rail_gap *gaps, size_t gaps_n)
{
	for (size_t i = 0; i < gaps_n; i++) {
		if (gaps[i].from_ns < b->t_ns && gaps[i].to_ns > a->t_ns)
			return true;
	}
	return false;
}

static struct rail_power multiply(const struct rail_reading *a, const struct rail_reading *b,
				  const struct rail_reading *i, const struct lab_term *v_accuracy,
				  const struct lab_term *i_accuracy, double factor)
{
	double span_ns = (double)(b->t_ns - a->t_ns), f = 0, dv = 0, v, step;
	int64_t v_error_ns = a->error_ns > b->error_ns ? a->error_ns : b->error_ns;

	if (i->t_ns > a->t_ns)
		f = (double)(i->t_ns - a->t_ns) / span_ns;
	v = a->value + f * (b->value - a->value);
	step = fabs(b->value - a->value);
	if (span_ns > 0)
		dv = step * ((f > 0 && f < 1 ? fmax(f, 1 - f) : 0) +
			     (double)(v_error_ns + i->error_ns) / span_ns);
	return (struct rail_power){
		.t_ns = i->t_ns,
		.error_ns = i->error_ns,
		.power_w = factor * v * i->value,
		.offset_w = fabs(factor) *
			    (hypot(v * i_accuracy->offset, i->value * v_accuracy->offset) +
			     fabs(i->value) * dv),
	};
}

size_t rail_multiply(const struct rail_channel *voltage, const struct rail_channel *current,
		     double factor, const struct rail_gap *gaps, size_t gaps_n,
		     struct rail_power *out)
{
	size_t n = 0, b = 0;

	for (size_t k = 0; k < current->n; k++) {
		const struct rail_reading *i = &current->readings[k], *before, *after;

		while (b < voltage->n && voltage->readings[b].t_ns < i->t_ns)
			b++;
		if (b == voltage->n)
			break;
		after = &voltage->readings[b];
		before = after->t_ns == i->t_ns ? after : b ? after - 1 : NULL;
		if (before && !is_bridged(before, after, gaps, gaps_n))
			out[n++] = multiply(before, after, i, voltage->accuracy, current->accuracy,
					    factor);
	}
	return n;
}
