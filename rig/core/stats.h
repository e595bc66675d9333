/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Statistics of readings. The only includer of the GNU Scientific Library, whose functions used
 * here are pure.
 */
#ifndef COLDRIG_STATS_H
#define COLDRIG_STATS_H

#include <stdbool.h>
#include <stddef.h>

struct stats_mean {
	double mean;
	double sd;  /* of one reading; NaN for n < 2 */
	double u95; /* half width of the 95 % interval of the mean; NaN for n < 2 */
	size_t n;
};

/*
 * The mean of readings and its statistical uncertainty. Readings that follow each other closely are
 * not independent: n is replaced by n (1 - r) / (1 + r) with the lag-1 autocorrelation r where r > 0
 * (the effective sample size of an AR(1) process, von Storch and Zwiers 1999, section 6.6), then
 * Student's t applies.
 */
struct stats_mean stats_mean(const double *x, size_t n);

/*
 * The mean over readings that were taken in several windows, given one after the other. From three
 * windows on the scatter of their means counts as well, where it is the larger one: it holds what
 * changes between windows and is invisible within one.
 */
struct stats_mean stats_pool(const double *x, const size_t *window_n, size_t windows);

/* Student's t of a 95 % interval. */
double stats_t95(double degrees_of_freedom);

/* Sum of independent uncertainties. */
double stats_combine(double u1, double u2);

/* Sorts x in place and returns its quantile q (0 to 1), interpolated; NaN for n = 0. */
double stats_quantile(double *x, size_t n, double q);

#endif
