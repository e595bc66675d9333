/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rail.h"

#include <math.h>

#include "unit.h"

static const struct lab_term exact = {.present = true};

static void near(double a, double b)
{
	CU_ASSERT_DOUBLE_EQUAL(a, b, 1e-9);
}

/* 10 V at 0, 20 V at 100; 2 A at the time given. */
static size_t between(int64_t t_ns, const struct lab_term *v, const struct lab_term *i,
		      const struct rail_gap *gaps, size_t gaps_n, struct rail_power *out)
{
	struct rail_reading volts[] = {{0, 3, 10}, {100, 5, 20}};
	struct rail_reading amperes[] = {{t_ns, 4, 2}};
	const struct rail_channel voltage = {volts, 2, v}, current = {amperes, 1, i};

	return rail_multiply(&voltage, &current, -0.5, gaps, gaps_n, out);
}

static void voltage_is_interpolated_to_the_current(void)
{
	struct rail_power p;

	CU_ASSERT_EQUAL_FATAL(between(25, &exact, &exact, NULL, 0, &p), 1);
	CU_ASSERT_EQUAL(p.t_ns, 25);
	CU_ASSERT_EQUAL(p.error_ns, 4);
	near(p.power_w, -0.5 * 12.5 * 2);
	/* 3/4 of 10 V for the interpolation, (5 + 4) / 100 of it for the times. */
	near(p.offset_w, 0.5 * 2 * 10 * (0.75 + 0.09));
}

static void at_a_reading_of_the_voltage_nothing_is_interpolated(void)
{
	struct rail_power p;

	CU_ASSERT_EQUAL_FATAL(between(100, &exact, &exact, NULL, 0, &p), 1);
	near(p.power_w, -0.5 * 20 * 2);
	near(p.offset_w, 0);
	CU_ASSERT_EQUAL_FATAL(between(0, &exact, &exact, NULL, 0, &p), 1);
	near(p.power_w, -0.5 * 10 * 2);
}

static void nothing_is_made_up_outside_of_the_voltage(void)
{
	struct rail_power p;

	CU_ASSERT_EQUAL(between(-1, &exact, &exact, NULL, 0, &p), 0);
	CU_ASSERT_EQUAL(between(101, &exact, &exact, NULL, 0, &p), 0);
}

static void both_accuracies_count(void)
{
	static const struct lab_term v = {true, 0.1, 0.3}, i = {true, 0.1, 0.02};
	struct rail_power p;

	CU_ASSERT_EQUAL_FATAL(between(100, &v, &i, NULL, 0, &p), 1);
	near(p.offset_w, 0.5 * hypot(20 * 0.02, 2 * 0.3)); /* the gains are the wiring's */
}

static void a_gap_is_not_interpolated_over(void)
{
	static const struct {
		int64_t from_ns, to_ns;
		size_t n;
	} rows[] = {{10, 90, 0},	{0, 100, 0},   {90, 200, 0}, {INT64_MIN, 50, 0},
		    {99, INT64_MAX, 0}, {100, 200, 1}, {-50, 0, 1},  {200, INT64_MAX, 1}};

	for (size_t k = 0; k < UNIT_COUNT(rows); k++) {
		const struct rail_gap gap = {.from_ns = rows[k].from_ns, .to_ns = rows[k].to_ns};
		struct rail_power p;

		CU_ASSERT_EQUAL(between(50, &exact, &exact, &gap, 1, &p), rows[k].n);
	}
}

static void each_reading_of_the_current_has_its_own_neighbours(void)
{
	struct rail_reading volts[] = {{0, 0, 1}, {10, 0, 2}, {20, 0, 4}};
	struct rail_reading amperes[] = {{-5, 0, 9}, {5, 0, 1},	 {6, 0, 1}, {10, 0, 1},
					 {15, 0, 1}, {20, 0, 1}, {25, 0, 9}};
	static const double expected[] = {1.5, 1.6, 2, 3, 4};
	const struct rail_channel voltage = {volts, 3, &exact}, current = {amperes, 7, &exact};
	struct rail_power p[7];

	CU_ASSERT_EQUAL_FATAL(rail_multiply(&voltage, &current, 1, NULL, 0, p), 5);
	for (size_t k = 0; k < 5; k++)
		near(p[k].power_w, expected[k]);
}

static void without_readings_there_is_no_power(void)
{
	const struct rail_channel none = {NULL, 0, &exact};
	struct rail_power p;

	CU_ASSERT_EQUAL(rail_multiply(&none, &none, 1, NULL, 0, &p), 0);
}

static const struct unit_case cases[] = {
	{"voltage is interpolated to the current", voltage_is_interpolated_to_the_current},
	{"at a reading of the voltage nothing is interpolated",
	 at_a_reading_of_the_voltage_nothing_is_interpolated},
	{"nothing is made up outside of the voltage", nothing_is_made_up_outside_of_the_voltage},
	{"both accuracies count", both_accuracies_count},
	{"a gap is not interpolated over", a_gap_is_not_interpolated_over},
	{"each reading of the current has its own neighbours",
	 each_reading_of_the_current_has_its_own_neighbours},
	{"without readings there is no power", without_readings_there_is_no_power},
};

int main(void)
{
	return unit_run("rail", cases, UNIT_COUNT(cases));
}
