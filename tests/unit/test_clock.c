/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "clock.h"
#include "unit.h"

#define S_NS 1000000000LL

static void a_ping_ties_its_midpoints_together(void)
{
	const struct clock_ping ping = {
		.sent_ns = 1000, .received_ns = 2000, .taken_ns = 50300, .answered_ns = 50500};
	struct clock_mark mark = clock_mark_from(&ping, 1);

	CU_ASSERT_EQUAL(mark.controller_ns, 1500);
	CU_ASSERT_EQUAL(mark.target_ns, 50400);
	CU_ASSERT_EQUAL(mark.error_ns, (1000 - 200) / 2 + 1);
}

static void the_quickest_ping_wins(void)
{
	const struct clock_ping pings[] = {
		{.sent_ns = 0, .received_ns = 900, .taken_ns = 400, .answered_ns = 500},
		/* Long on the target, but the way is short. */
		{.sent_ns = 2000, .received_ns = 4000, .taken_ns = 2050, .answered_ns = 3950},
		{.sent_ns = 5000, .received_ns = 5300, .taken_ns = 5100, .answered_ns = 5100},
	};
	struct clock_mark mark = clock_mark_from(pings, 3);

	CU_ASSERT_EQUAL(mark.controller_ns, 3000);
	CU_ASSERT_EQUAL(mark.error_ns, 51);
}

/* The truth lies within the stated error however unequal the two ways are. */
static void an_unequal_way_stays_within_the_stated_error(void)
{
	for (int64_t there_ns = 0; there_ns <= 1000; there_ns += 100) {
		const int64_t offset_ns = 7 * S_NS;
		const struct clock_ping ping = {
			.sent_ns = 100,
			.taken_ns = 100 + there_ns + offset_ns,
			.answered_ns = 150 + there_ns + offset_ns,
			.received_ns = 1150,
		};
		struct clock_mark mark = clock_mark_from(&ping, 1);
		int64_t off_ns = mark.target_ns - mark.controller_ns - offset_ns;

		CU_ASSERT(off_ns <= mark.error_ns && -off_ns <= mark.error_ns);
	}
}

static const struct clock_mark marks[] = {
	{.controller_ns = 100 * S_NS, .target_ns = 10 * S_NS, .error_ns = 50},
	{.controller_ns = 110 * S_NS + 1000, .target_ns = 20 * S_NS, .error_ns = 80},
	{.controller_ns = 120 * S_NS, .target_ns = 30 * S_NS, .error_ns = 20},
};

static void between_marks_time_is_interpolated(void)
{
	static const struct {
		int64_t target_ns, controller_ns, error_ns;
	} rows[] = {
		{10 * S_NS, 100 * S_NS, 80},
		{15 * S_NS, 105 * S_NS + 500, 80},
		{20 * S_NS, 110 * S_NS + 1000, 80},
		{25 * S_NS, 115 * S_NS + 500, 80},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		int64_t error_ns;

		CU_ASSERT_EQUAL(clock_to_controller(marks, 3, rows[i].target_ns, &error_ns),
				rows[i].controller_ns);
		CU_ASSERT_EQUAL(error_ns, rows[i].error_ns);
	}
}

static void outside_the_marks_the_error_grows_with_the_distance(void)
{
	int64_t error_ns;

	CU_ASSERT_EQUAL(clock_to_controller(marks, 3, 40 * S_NS, &error_ns), 130 * S_NS);
	CU_ASSERT_EQUAL(error_ns, 20 + 1000000); /* 100 ppm of 10 s */
	CU_ASSERT_EQUAL(clock_to_controller(marks, 3, 5 * S_NS, &error_ns), 95 * S_NS);
	CU_ASSERT_EQUAL(error_ns, 50 + 500000);
}

static void one_mark_alone_gives_its_offset(void)
{
	int64_t error_ns;

	CU_ASSERT_EQUAL(clock_to_controller(marks, 1, 10 * S_NS, &error_ns), 100 * S_NS);
	CU_ASSERT_EQUAL(error_ns, 50);
	CU_ASSERT_EQUAL(clock_to_controller(marks, 1, 11 * S_NS, NULL), 101 * S_NS);
}

static const struct unit_case cases[] = {
	{"a ping ties its midpoints together", a_ping_ties_its_midpoints_together},
	{"the quickest ping wins", the_quickest_ping_wins},
	{"an unequal way stays within the stated error",
	 an_unequal_way_stays_within_the_stated_error},
	{"between marks time is interpolated", between_marks_time_is_interpolated},
	{"outside the marks the error grows with the distance",
	 outside_the_marks_the_error_grows_with_the_distance},
	{"one mark alone gives its offset", one_mark_alone_gives_its_offset},
};

int main(void)
{
	return unit_run("clock", cases, UNIT_COUNT(cases));
}
