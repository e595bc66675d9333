/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "level.h"
#include "unit.h"

static const struct level none;

static struct level level(double mean_w, double u95_w)
{
	return (struct level){
		.valid = true, .mean_w = mean_w, .sd_w = u95_w, .u95_w = u95_w, .n = 100};
}

static void statistics_and_accuracy_add_up_to_the_uncertainty(void)
{
	const struct stats_mean stats = {.mean = -200, .sd = 9, .u95 = 4, .n = 50};
	const struct lab_accuracy accuracy = {.gain = 0.01, .offset_w = 4};
	struct level l = level_from(&stats, &accuracy);

	CU_ASSERT_TRUE(l.valid);
	CU_ASSERT_DOUBLE_EQUAL(l.mean_w, -200, 0);
	CU_ASSERT_DOUBLE_EQUAL(l.u95_w, 6, 1e-12); /* sqrt(4^2 + 2^2 + 4^2) */
	CU_ASSERT_EQUAL(l.n, 50);
}

static void too_few_readings_are_no_level(void)
{
	const double x[LEVEL_SAMPLES_MIN] = {1, 2, 1, 2, 1};
	const struct lab_accuracy exact = {0};

	for (size_t n = 0; n <= LEVEL_SAMPLES_MIN; n++) {
		struct stats_mean stats = stats_mean(x, n);

		CU_ASSERT_EQUAL(level_from(&stats, &exact).valid, n == LEVEL_SAMPLES_MIN);
	}
}

static void a_reading_that_is_no_number_spoils_the_level(void)
{
	static const double bad[] = {NAN, INFINITY, -INFINITY};
	const struct lab_accuracy exact = {0};

	for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
		const double x[] = {0, 0, 0, bad[i], 0, 0, 0};
		struct stats_mean stats = stats_mean(x, 7);
		struct level window = level_from(&stats, &exact), d3hot = level(6, 0.01);

		CU_ASSERT_FALSE(window.valid);
		CU_ASSERT_EQUAL(level_judge(&window, &none, &d3hot).meter, METER_NONE);
	}
}

/* D0 is 8 W and D3hot 6 W, each known to 0.6 W: cold is below 3 W. */
static void the_window_is_held_against_half_of_d3hot(void)
{
	static const struct {
		double mean_w, u95_w;
		enum evidence_meter meter;
	} rows[] = {
		{0, 0, METER_COLD},	   {0.1, 0.5, METER_COLD},   {-0.2, 0.1, METER_COLD},
		{2.69, 0, METER_COLD},	   {2.71, 0, METER_NONE},    {3.29, 0, METER_NONE},
		{3.31, 0, METER_NOT_COLD}, {6, 0.6, METER_NOT_COLD}, {80, 1, METER_NOT_COLD},
		{0, 3, METER_NONE},	   {0, 100, METER_NONE},     {6, 5, METER_NONE},
		{2, 0.9, METER_COLD},	   {2, 1, METER_NONE},
	};
	struct level d0 = level(8, 0.6), d3hot = level(6, 0.6);

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct level window = level(rows[i].mean_w, rows[i].u95_w);
		struct level_judgement j = level_judge(&window, &d0, &d3hot);

		CU_ASSERT_EQUAL(j.meter, rows[i].meter);
		CU_ASSERT(j.meter == METER_NONE ? isnan(j.threshold_w)
						: fabs(j.threshold_w - 3) < 1e-12);
		CU_ASSERT(j.why && j.why[0]);
	}
}

static void d0_is_not_asked_where_d3hot_is_known(void)
{
	struct level window = level(0.4, 0.01), d0 = level(2.2, 0.01), d3hot = level(0.4, 0.01);

	CU_ASSERT_EQUAL(level_judge(&window, &d0, &d3hot).meter, METER_NOT_COLD);
	CU_ASSERT_EQUAL(level_judge(&window, &none, &d3hot).meter, METER_NOT_COLD);
}

/* The rail is cut in D3hot already, so that D3hot is 0 W give or take 0.02 W. */
static void where_d3hot_draws_nothing_cold_is_noise(void)
{
	struct level d0 = level(8, 0.05), d3hot = level(0.01, 0.02);
	static const struct {
		double mean_w, u95_w;
		enum evidence_meter meter;
	} rows[] = {
		{0.01, 0.02, METER_COLD},  {-0.01, 0.02, METER_COLD}, {0.5, 0.02, METER_NOT_COLD},
		{8, 0.05, METER_NOT_COLD}, {0, 10, METER_NONE},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct level window = level(rows[i].mean_w, rows[i].u95_w);

		CU_ASSERT_EQUAL(level_judge(&window, &d0, &d3hot).meter, rows[i].meter);
	}
}

/* A NIC draws 2.2 W in D0 and 0.4 W in D3hot: below half of D0 is not yet cold. */
static void d0_stands_in_but_does_not_take_d3hot_for_cold(void)
{
	struct level d0 = level(2.2, 0.01);
	static const struct {
		double mean_w, u95_w;
		enum evidence_meter meter;
	} rows[] = {
		{2.2, 0.01, METER_NOT_COLD}, {1.2, 0.01, METER_NOT_COLD}, {0.4, 0.01, METER_NONE},
		{0.001, 0.01, METER_COLD},   {0, 2, METER_NONE},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct level window = level(rows[i].mean_w, rows[i].u95_w);

		CU_ASSERT_EQUAL(level_judge(&window, &d0, &none).meter, rows[i].meter);
	}
}

static void without_a_level_to_compare_with_the_meter_is_no_witness(void)
{
	struct level window = level(0, 0.01), noise = level(0.01, 0.02),
		     wired_backwards = level(-8, 0.1);
	const struct {
		const struct level *window, *d0, *d3hot;
	} rows[] = {
		{&none, &window, &window},
		{&none, &none, &none},
		{&window, &none, &none},
		{&window, &noise, &none},
		{&window, &noise, &noise},
		{&window, &none, &noise},
		{&window, &wired_backwards, &noise},
		{&window, &wired_backwards, &none},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct level_judgement j = level_judge(rows[i].window, rows[i].d0, rows[i].d3hot);

		CU_ASSERT_EQUAL(j.meter, METER_NONE);
		CU_ASSERT(isnan(j.threshold_w));
		CU_ASSERT(j.why && j.why[0]);
	}
}

static const struct unit_case cases[] = {
	{"statistics and accuracy add up to the uncertainty",
	 statistics_and_accuracy_add_up_to_the_uncertainty},
	{"too few readings are no level", too_few_readings_are_no_level},
	{"a reading that is no number spoils the level",
	 a_reading_that_is_no_number_spoils_the_level},
	{"the window is held against half of D3hot", the_window_is_held_against_half_of_d3hot},
	{"D0 is not asked where D3hot is known", d0_is_not_asked_where_d3hot_is_known},
	{"where D3hot draws nothing cold is noise", where_d3hot_draws_nothing_cold_is_noise},
	{"D0 stands in but does not take D3hot for cold",
	 d0_stands_in_but_does_not_take_d3hot_for_cold},
	{"without a level to compare with the meter is no witness",
	 without_a_level_to_compare_with_the_meter_is_no_witness},
};

int main(void)
{
	return unit_run("level", cases, UNIT_COUNT(cases));
}
