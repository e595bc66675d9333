/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "growth.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define PAIRS_MAX (GROWTH_SAMPLES_MAX * (GROWTH_SAMPLES_MAX - 1) / 2)
/* Of the normal distribution, for 99.9 % within. */
#define Z 3.29

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *sorted, size_t n)
{
	return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/* How many slopes lie outside of the interval at each end, by the variance of Kendall's S. */
static size_t outside(size_t n, size_t pairs)
{
	double points = (double)n;
	double deviation = sqrt(points * (points - 1) * (2 * points + 5) / 18);
	double rank = ((double)pairs - Z * deviation) / 2;

	return rank > 0 ? (size_t)rank : 0;
}

struct growth growth_of(const double *cycle, const double *count, size_t n)
{
	double slopes[PAIRS_MAX];
	size_t pairs = 0, out;

	assert(n >= GROWTH_SAMPLES_MIN && n <= GROWTH_SAMPLES_MAX);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++) {
			assert(cycle[j] > cycle[i]);
			slopes[pairs++] = (count[j] - count[i]) / (cycle[j] - cycle[i]);
		}
	}
	qsort(slopes, pairs, sizeof(slopes[0]), by_value);
	out = outside(n, pairs);
	return (struct growth){
		.slope = median(slopes, pairs),
		.low = slopes[out],
		.high = slopes[pairs - 1 - out],
	};
}

bool growth_exceeds(const struct growth *growth, double limit_per_cycle)
{
	return growth->low > limit_per_cycle;
}
