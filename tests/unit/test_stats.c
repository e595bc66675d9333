/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "stats.h"
#include "unit.h"

static void no_reading_has_no_mean(void)
{
	struct stats_mean m = stats_mean(NULL, 0);

	CU_ASSERT_EQUAL(m.n, 0);
	CU_ASSERT(isnan(m.mean) && isnan(m.sd) && isnan(m.u95));
}

static void one_reading_has_a_mean_but_no_uncertainty(void)
{
	const double x[] = {3.5};
	struct stats_mean m = stats_mean(x, 1);

	CU_ASSERT_DOUBLE_EQUAL(m.mean, 3.5, 0);
	CU_ASSERT(isnan(m.sd) && isnan(m.u95));
}

/* By hand: sd from n - 1, u95 = t sd / sqrt(n), t from a printed table (12.706, 4.303, 2.776). */
static void mean_and_uncertainty_are_those_worked_out_by_hand(void)
{
	static const struct {
		double x[5];
		size_t n;
		double mean, sd, u95;
	} rows[] = {
		{{1, 3}, 2, 2, 1.41421356, 12.7062047},
		{{1, 2, 3}, 3, 2, 1, 2.48413771},
		{{10, 12, 9, 13, 11}, 5, 11, 1.58113883, 1.96324316},
		{{-4, -4, -4, -4, -4}, 5, -4, 0, 0},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct stats_mean m = stats_mean(rows[i].x, rows[i].n);

		CU_ASSERT_EQUAL(m.n, rows[i].n);
		CU_ASSERT_DOUBLE_EQUAL(m.mean, rows[i].mean, 1e-12);
		CU_ASSERT_DOUBLE_EQUAL(m.sd, rows[i].sd, 1e-7);
		CU_ASSERT_DOUBLE_EQUAL(m.u95, rows[i].u95, 1e-6);
	}
}

/* The same eight values: r = 0.625 leaves fewer than two independent ones, so t of one degree. */
static void readings_that_follow_each_other_closely_widen_the_interval(void)
{
	const double slow[] = {0, 0, 0, 0, 1, 1, 1, 1}, fast[] = {0, 1, 0, 1, 0, 1, 0, 1};
	struct stats_mean a = stats_mean(slow, 8), b = stats_mean(fast, 8);

	CU_ASSERT_DOUBLE_EQUAL(a.sd, b.sd, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(b.u95, 2.36462425 * 0.53452248 / sqrt(8), 1e-6);
	CU_ASSERT_DOUBLE_EQUAL(a.u95, 12.7062047 * 0.53452248 / sqrt(2), 1e-5);
}

/* r = 13/32, so 8 readings count as 3.378: t of 2.378 degrees lies between those of 2 and 3. */
static void the_effective_number_follows_the_correlation(void)
{
	const double x[] = {2, 4, 4, 4, 5, 5, 7, 9};
	struct stats_mean m = stats_mean(x, 8);
	double per_t = sqrt(32.0 / 7) / sqrt(8 * (1 - 13.0 / 32) / (1 + 13.0 / 32));

	CU_ASSERT(m.u95 > 3.18244631 * per_t && m.u95 < 4.30265273 * per_t);
	CU_ASSERT_DOUBLE_EQUAL(m.mean, 5, 1e-12);
}

#define WINDOW_N 1000

/* Windows of +-10 around 0, 1 and 2: quiet within, means that scatter with sd 1. */
static void fill_windows(double *x, double step)
{
	for (size_t i = 0; i < 3 * WINDOW_N; i++)
		x[i] = (double)(i / WINDOW_N) * step + (i % 2 ? 10 : -10);
}

static void means_of_windows_that_scatter_widen_the_interval(void)
{
	static double x[3 * WINDOW_N];
	const size_t n[] = {WINDOW_N, WINDOW_N, WINDOW_N};

	fill_windows(x, 1);
	CU_ASSERT(stats_mean(x, 3 * WINDOW_N).u95 < 0.5);
	CU_ASSERT_DOUBLE_EQUAL(stats_pool(x, n, 3).u95, 2.48413771, 1e-5);
	CU_ASSERT_DOUBLE_EQUAL(stats_pool(x, n, 3).mean, 1, 1e-9);
}

static void windows_that_agree_or_are_only_two_change_nothing(void)
{
	static double x[3 * WINDOW_N];
	const size_t n[] = {WINDOW_N, WINDOW_N, WINDOW_N};

	fill_windows(x, 0);
	CU_ASSERT_DOUBLE_EQUAL(stats_pool(x, n, 3).u95, stats_mean(x, 3 * WINDOW_N).u95, 1e-12);
	fill_windows(x, 1);
	CU_ASSERT_DOUBLE_EQUAL(stats_pool(x, n, 2).u95, stats_mean(x, 2 * WINDOW_N).u95, 1e-12);
}

static void empty_windows_do_not_count_as_windows(void)
{
	static double x[3 * WINDOW_N];
	const size_t n[] = {WINDOW_N, 0, WINDOW_N, 0, WINDOW_N};
	const size_t two[] = {WINDOW_N, 0, WINDOW_N};

	fill_windows(x, 1);
	CU_ASSERT_DOUBLE_EQUAL(stats_pool(x, n, 5).u95, 2.48413771, 1e-5);
	CU_ASSERT(stats_pool(x, two, 3).u95 < 0.5);
	CU_ASSERT(isnan(stats_pool(x, n, 0).mean));
}

static void quantiles_are_interpolated_in_sorted_readings(void)
{
	static const struct {
		double q, value;
	} rows[] = {{0, 1}, {0.5, 2.5}, {0.95, 3.85}, {1, 4}};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		double x[] = {4, 1, 3, 2};

		CU_ASSERT_DOUBLE_EQUAL(stats_quantile(x, 4, rows[i].q), rows[i].value, 1e-12);
		CU_ASSERT_DOUBLE_EQUAL(x[0], 1, 0);
	}
}

static void a_quantile_of_one_is_it_and_of_none_is_none(void)
{
	double x[] = {7};

	CU_ASSERT_DOUBLE_EQUAL(stats_quantile(x, 1, 0.95), 7, 0);
	CU_ASSERT(isnan(stats_quantile(x, 0, 0.5)));
}

static void independent_uncertainties_add_as_squares(void)
{
	CU_ASSERT_DOUBLE_EQUAL(stats_combine(3, 4), 5, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(stats_combine(0, 2), 2, 0);
}

static const struct unit_case cases[] = {
	{"no reading has no mean", no_reading_has_no_mean},
	{"one reading has a mean but no uncertainty", one_reading_has_a_mean_but_no_uncertainty},
	{"mean and uncertainty are those worked out by hand",
	 mean_and_uncertainty_are_those_worked_out_by_hand},
	{"readings that follow each other closely widen the interval",
	 readings_that_follow_each_other_closely_widen_the_interval},
	{"the effective number follows the correlation",
	 the_effective_number_follows_the_correlation},
	{"means of windows that scatter widen the interval",
	 means_of_windows_that_scatter_widen_the_interval},
	{"windows that agree or are only two change nothing",
	 windows_that_agree_or_are_only_two_change_nothing},
	{"empty windows do not count as windows", empty_windows_do_not_count_as_windows},
	{"quantiles are interpolated in sorted readings",
	 quantiles_are_interpolated_in_sorted_readings},
	{"a quantile of one is it, and of none is none",
	 a_quantile_of_one_is_it_and_of_none_is_none},
	{"independent uncertainties add as squares", independent_uncertainties_add_as_squares},
};

int main(void)
{
	return unit_run("stats", cases, UNIT_COUNT(cases));
}
