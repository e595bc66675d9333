/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stats.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

double stats_t95(double degrees_of_freedom)
{
	return gsl_cdf_tdist_Pinv(0.975, degrees_of_freedom);
}

static double effective_n(const double *x, size_t n, double sd)
{
	double r;

	if (n < 4 || sd <= 0)
		return (double)n;
	r = gsl_stats_lag1_autocorrelation(x, 1, n);
	if (!(r > 0))
		return (double)n;
	return fmax(2, (double)n * (1 - r) / (1 + r));
}

struct stats_mean stats_mean(const double *x, size_t n)
{
	struct stats_mean m = {.mean = NAN, .sd = NAN, .u95 = NAN, .n = n};
	double n_eff;

	if (n == 0)
		return m;
	m.mean = gsl_stats_mean(x, 1, n);
	if (n < 2)
		return m;
	m.sd = gsl_stats_sd_m(x, 1, n, m.mean);
	n_eff = effective_n(x, n, m.sd);
	m.u95 = stats_t95(n_eff - 1) * m.sd / sqrt(n_eff);
	return m;
}

struct stats_mean stats_pool(const double *x, const size_t *window_n, size_t windows)
{
	struct stats_mean m;
	double sum = 0, sum2 = 0, between, mean;
	size_t n = 0, used = 0;

	for (size_t i = 0; i < windows; i++) {
		if (window_n[i]) {
			mean = gsl_stats_mean(x + n, 1, window_n[i]);
			sum += mean;
			sum2 += mean * mean;
			used++;
		}
		n += window_n[i];
	}
	m = stats_mean(x, n);
	if (used < 3)
		return m;
	mean = sum / (double)used;
	between = sqrt(fmax(0, sum2 / (double)used - mean * mean) / (double)(used - 1));
	m.u95 = fmax(m.u95, stats_t95((double)used - 1) * between);
	return m;
}

double stats_combine(double u1, double u2)
{
	return hypot(u1, u2);
}

double stats_quantile(double *x, size_t n, double q)
{
	if (n == 0)
		return NAN;
	gsl_sort(x, 1, n);
	return gsl_stats_quantile_from_sorted_data(x, 1, n, q);
}
