/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "series.h"
#include "test_small_lab.h"
#include "unit.h"

static char dir[] = "/tmp/coldrig-series-XXXXXX";
static char path[64];

/* Device 1 of small_lab is 2 B - C: channel 1 of meter 0 and channel 0 of meter 1. */
static const struct meter_sample m0[] = {
	{.t_ns = 100, .error_ns = 1, .channel = 0, .value = 50},
	{.t_ns = 110, .error_ns = 2, .channel = 1, .value = 3},
	{.t_ns = 200, .error_ns = 3, .channel = 0, .value = 60},
	{.t_ns = 210, .error_ns = 4, .channel = 1, .value = 4},
	{.t_ns = 310, .error_ns = 5, .channel = 1, .value = -1},
};
static const struct meter_sample m1[] = {
	{.t_ns = 150, .error_ns = 7, .channel = 0, .value = 1},
	{.t_ns = 310, .error_ns = 8, .channel = 0, .value = 10},
};

static const struct align_marks on_time[2];

static struct store *filled(void)
{
	struct store *store = NULL;

	unlink(path);
	CU_ASSERT_EQUAL(store_create(path, STORE_PAGES_JOURNAL, &store, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	CU_ASSERT_EQUAL(store_append_samples(store, 1, 0, m0, UNIT_COUNT(m0), NULL), 0);
	CU_ASSERT_EQUAL(store_append_samples(store, 1, 1, m1, UNIT_COUNT(m1), NULL), 0);
	return store;
}

static void assert_series_with(size_t device, const struct series_gaps *gaps, int64_t from_ns,
			       int64_t to_ns, const struct edge_sample *expected, size_t n)
{
	struct small_lab s = small_lab_new("");
	struct store *store = filled();
	struct series series;

	CU_ASSERT_EQUAL_FATAL(series_load(store, 1, s.lab, s.target, &s.target->devices[device],
					  gaps, on_time, from_ns, to_ns, &series, NULL),
			      0);
	CU_ASSERT_EQUAL_FATAL(series.n, n);
	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(series.samples[i].t_ns, expected[i].t_ns);
		CU_ASSERT_EQUAL(series.samples[i].error_ns, expected[i].error_ns);
		CU_ASSERT_EQUAL(isnan(series.samples[i].power_w), isnan(expected[i].power_w));
		CU_ASSERT(isnan(expected[i].power_w) ||
			  fabs(series.samples[i].power_w - expected[i].power_w) < 1e-12);
		CU_ASSERT_DOUBLE_EQUAL(series.offset_w[i], 0, 0);
	}
	series_free(&series);
	CU_ASSERT_EQUAL(series.n, 0);
	store_close(store);
	small_lab_free(&s);
}

static void assert_series(size_t device, int64_t from_ns, int64_t to_ns,
			  const struct edge_sample *expected, size_t n)
{
	static const struct series_gaps none;

	assert_series_with(device, &none, from_ns, to_ns, expected, n);
}

static void one_rail_is_the_readings_of_its_channel(void)
{
	assert_series(0, 0, 1000, (struct edge_sample[]){{100, 1, 50}, {200, 3, 60}}, 2);
}

/* Sums begin when both rails have been read; then each reading makes one, with the other's last. */
static void rails_of_two_meters_are_summed_with_sign_and_factor(void)
{
	static const struct edge_sample expected[] = {
		{150, 7, 2 * 3 - 1}, {210, 4, 2 * 4 - 1}, {310, 5, -2 - 1}, {310, 8, -2 - 10}};

	assert_series(1, 0, 1000, expected, 4);
}

static void the_lag_of_a_meter_is_taken_from_its_times(void)
{
	struct align_mark lags[2] = {{.lag_ns = 100}, {.lag_ns = -40}};
	const struct align_marks marks[] = {{&lags[0], 1}, {&lags[1], 1}};
	/* m0's channel 1 at 10, 110 and 210; m1 at 190 and 350 */
	static const struct edge_sample expected[] = {{190, 7, 2 * 4 - 1}, {210, 5, -2 - 1}};
	static const struct series_gaps none;
	struct small_lab s = small_lab_new("");
	struct store *store = filled();
	struct series series;

	CU_ASSERT_EQUAL_FATAL(series_load(store, 1, s.lab, s.target, &s.target->devices[1], &none,
					  marks, 0, 349, &series, NULL),
			      0);
	CU_ASSERT_EQUAL_FATAL(series.n, 2);
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(series.samples[i].t_ns, expected[i].t_ns);
		CU_ASSERT_DOUBLE_EQUAL(series.samples[i].power_w, expected[i].power_w, 1e-12);
	}
	series_free(&series);
	store_close(store);
	small_lab_free(&s);
}

static void one_meter_alone_is_read_as_it_came(void)
{
	struct small_lab s = small_lab_new("");
	struct store *store = filled();
	struct series series;

	CU_ASSERT_EQUAL_FATAL(series_load_raw(store, 1, s.lab, s.target, &s.target->devices[1], 1,
					      0, 1000, &series, NULL),
			      0);
	CU_ASSERT_EQUAL_FATAL(series.n, 2);
	CU_ASSERT_EQUAL(series.samples[0].t_ns, 150);
	CU_ASSERT_DOUBLE_EQUAL(series.samples[0].power_w, -1, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(series.samples[1].power_w, -10, 1e-12);
	series_free(&series);
	store_close(store);
	small_lab_free(&s);
}

static void only_readings_of_the_range_count(void)
{
	assert_series(1, 151, 1000, (struct edge_sample[]){{310, 8, -2 - 10}}, 1);
	assert_series(0, 101, 199, NULL, 0);
	assert_series(1, 0, 149, NULL, 0);
}

/* Meter 1 is away from 150 to 310: nothing may be said of the sum in between. */
static void a_gap_is_not_bridged(void)
{
	static const struct rail_gap gaps[] = {
		{.meter = 1, .segment = 1, .from_ns = 150, .to_ns = 300},
		{.meter = 1, .segment = 2, .from_ns = 0, .to_ns = INT64_MAX},
	};
	static const struct series_gaps both = {gaps, 2};
	static const struct edge_sample expected[] = {
		{150, 7, 2 * 3 - 1}, {151, 0, NAN}, {299, 0, NAN}, {310, 8, -2 - 10}};

	assert_series_with(1, &both, 0, 1000, expected, 4);
	assert_series_with(0, &both, 0, 1000, (struct edge_sample[]){{100, 1, 50}, {200, 3, 60}},
			   2);
	assert_series_with(1, &both, 160, 290, NULL, 0);
}

static void a_gap_may_have_no_begin_and_no_end(void)
{
	static const struct rail_gap gaps[] = {
		{.meter = 0, .segment = 1, .from_ns = INT64_MIN, .to_ns = 105},
		{.meter = 0, .segment = 1, .from_ns = 210, .to_ns = INT64_MAX},
	};
	static const struct series_gaps both = {gaps, 2};

	assert_series_with(0, &both, 0, 205,
			   (struct edge_sample[]){{100, 1, 50}, {104, 0, NAN}, {200, 3, 60}}, 3);
	assert_series_with(0, &both, 201, 1000, (struct edge_sample[]){{211, 0, NAN}}, 1);
}

static void a_device_without_rails_has_no_power(void)
{
	assert_series(2, 0, 1000, NULL, 0);
}

static void a_cut_takes_both_ends_along(void)
{
	struct edge_sample samples[] = {{10, 0, 1}, {20, 0, 2}, {30, 0, 3}, {40, 0, 4}};
	double offsets[] = {1, 2, 3, 4};
	const struct series series = {samples, offsets, 4};
	static const struct {
		int64_t from_ns, to_ns;
		size_t n;
		double first;
	} rows[] = {{20, 30, 2, 2}, {21, 29, 0, 0}, {0, 100, 4, 1}, {40, 40, 1, 4}, {30, 20, 0, 0}};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		double *x = NULL, offset_w = 99;
		size_t n = 99;

		CU_ASSERT_EQUAL(
			series_cut(&series, rows[i].from_ns, rows[i].to_ns, &x, &n, &offset_w), 0);
		CU_ASSERT_DOUBLE_EQUAL(offset_w, n == 2 ? 2.5 : n == 4 ? 2.5 : n == 1 ? 4 : 0, 0);
		CU_ASSERT_EQUAL(n, rows[i].n);
		CU_ASSERT(n == 0 || (x[0] >= rows[i].first && x[0] <= rows[i].first));
		free(x);
	}
}

static const struct unit_case cases[] = {
	{"the lag of a meter is taken from its times", the_lag_of_a_meter_is_taken_from_its_times},
	{"one meter alone is read as it came", one_meter_alone_is_read_as_it_came},
	{"one rail is the readings of its channel", one_rail_is_the_readings_of_its_channel},
	{"rails of two meters are summed with sign and factor",
	 rails_of_two_meters_are_summed_with_sign_and_factor},
	{"only readings of the range count", only_readings_of_the_range_count},
	{"a gap is not bridged", a_gap_is_not_bridged},
	{"a gap may have no begin and no end", a_gap_may_have_no_begin_and_no_end},
	{"a device without rails has no power", a_device_without_rails_has_no_power},
	{"a cut takes both ends along", a_cut_takes_both_ends_along},
};

int main(void)
{
	char command[100];
	int r;

	if (!mkdtemp(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/run.db", dir);
	r = unit_run("series", cases, UNIT_COUNT(cases));
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) == 0 ? r : 2;
}
