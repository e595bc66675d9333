/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "growth.h"

#include <assert.h>
#include <math.h>

/*
 * What is counted jumps, and stays where it jumped to: neighbours are not independent. Of means of
 * five blocks a jump alone is no growth that is beyond doubt.
 */
#define BLOCKS 5
/* Student's t for five points about a line. */
#define T95 3.18

static double mean(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	return sum / (double)n;
}

/* Of the samples from * n / BLOCKS on, up to where the next block begins. */
static double block_mean(const double *values, size_t n, size_t block)
{
	size_t from = block * n / BLOCKS, to = (block + 1) * n / BLOCKS;

	return mean(values + from, to - from);
}

struct growth growth_of(const double *cycle, const double *count, size_t n)
{
	double x[BLOCKS], y[BLOCKS], x0, y0, xx = 0, xy = 0, rest = 0, slope;

	assert(n >= BLOCKS);
	for (size_t i = 0; i < BLOCKS; i++) {
		x[i] = block_mean(cycle, n, i);
		y[i] = block_mean(count, n, i);
	}
	x0 = mean(x, BLOCKS);
	y0 = mean(y, BLOCKS);
	for (size_t i = 0; i < BLOCKS; i++) {
		xx += (x[i] - x0) * (x[i] - x0);
		xy += (x[i] - x0) * (y[i] - y0);
	}
	assert(xx > 0);
	slope = xy / xx;
	for (size_t i = 0; i < BLOCKS; i++) {
		double off = y[i] - y0 - slope * (x[i] - x0);

		rest += off * off;
	}
	return (struct growth){
		.per_cycle = slope,
		.u95 = T95 * sqrt(rest / (BLOCKS - 2) / xx),
	};
}

bool growth_exceeds(const struct growth *growth, double limit_per_cycle)
{
	return growth->per_cycle - growth->u95 > limit_per_cycle;
}
