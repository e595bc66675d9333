/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "growth.h"

#include <assert.h>
#include <math.h>

/* Student's t for 1, 2, ... degrees of freedom; the last serves for more, and is too wide there. */
static const double t95[] = {12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23};

#define T95_N (sizeof(t95) / sizeof(t95[0]))

static double mean(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	return sum / (double)n;
}

struct growth growth_of(const double *cycle, const double *count, size_t n)
{
	double x0 = mean(cycle, n), y0 = mean(count, n), xx = 0, xy = 0, rest = 0, slope;
	size_t free_n = n - 2;

	assert(n >= 3);
	for (size_t i = 0; i < n; i++) {
		xx += (cycle[i] - x0) * (cycle[i] - x0);
		xy += (cycle[i] - x0) * (count[i] - y0);
	}
	assert(xx > 0);
	slope = xy / xx;
	for (size_t i = 0; i < n; i++) {
		double off = count[i] - y0 - slope * (cycle[i] - x0);

		rest += off * off;
	}
	return (struct growth){
		.per_cycle = slope,
		.u95 = t95[(free_n < T95_N ? free_n : T95_N) - 1] *
		       sqrt(rest / (double)free_n / xx),
	};
}

bool growth_exceeds(const struct growth *growth, double limit_per_cycle)
{
	return growth->per_cycle - growth->u95 > limit_per_cycle;
}
