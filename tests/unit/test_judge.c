/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cycles and what comes of their readings. */
#include "test_journal.h"

static void idle_cycles_get_the_verdict_of_their_evidence(void)
{
	static const char odd[] = "{\"power_state\":\"D3cold\",\"runtime_status\":\"active\"}";
	static const char acpi_only[] =
		"{\"power_state\":\"unknown\",\"runtime_status\":\"suspended\","
		"\"port\":{\"acpi\":\"D3cold\"}}";
	static const char acpi_unknown[] = "{\"power_state\":\"D3cold\",\"runtime_status\":"
					   "\"suspended\",\"acpi\":\"(unknown)\"}";
	static const struct {
		double power_w;
		const char *at_begin, *at_end;
		enum verdict verdict;
		unsigned dissent;
	} rows[] = {
		{0, d3cold, d3cold, VERDICT_CONFIRMED, 0},
		{6, d3cold, d3cold, VERDICT_FALSE_CLAIM, DISSENT_METER},
		{-1, d3cold, d3cold, VERDICT_UNMEASURED, 0},
		{0, d3hot, d3hot, VERDICT_SILENT, DISSENT_METER},
		{6, d3hot, d3hot, VERDICT_D3HOT, 0},
		{8, d0, d0, VERDICT_ACTIVE, 0},
		{NAN, d3cold, d3cold, VERDICT_UNMEASURED, 0},
		/* The more awake of both ends counts. */
		{0, d3cold, d3hot, VERDICT_SILENT, DISSENT_METER},
		{8, d0, d3cold, VERDICT_ACTIVE, 0},
		/* One end is missing, or its words contradict each other. */
		{0, d3cold, "null", VERDICT_SILENT, 0},
		{6, d3cold, "{}", VERDICT_NO_EVIDENCE, 0},
		{6, odd, odd, VERDICT_NO_EVIDENCE, 0},
		{0, acpi_only, acpi_only, VERDICT_CONFIRMED, 0},
		{0, acpi_unknown, acpi_unknown, VERDICT_CONFIRMED, 0},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct bench b = ready();
		const struct outcome *o =
			idle(&b, rows[i].power_w, rows[i].at_begin, rows[i].at_end);

		CU_ASSERT_EQUAL(o->verdict, rows[i].verdict);
		CU_ASSERT_EQUAL(o->dissent, rows[i].dissent);
		CU_ASSERT(o->ordinal == 11 && o->arm == 1 && o->device == 0 && o->scenario == 0);
		end_bench(&b);
	}
}

static void an_idle_cycle_has_its_power_but_no_times(void)
{
	struct bench b = ready();
	const struct outcome *o = idle(&b, 0.5, d3cold, d3cold);

	/* One a tick of 10 ms; kept times may move those at the ends out of it. */
	CU_ASSERT(o->power_n >= 19 && o->power_n <= 21);
	CU_ASSERT_DOUBLE_EQUAL(o->window.mean_w, 0.5, 0.01);
	CU_ASSERT_DOUBLE_EQUAL(o->threshold_w, 3, 1e-9);
	CU_ASSERT(isnan(o->to_d3cold_ms) && isnan(o->wake_ms));
	CU_ASSERT_STRING_EQUAL(o->to_d3cold_why, "this scenario causes no transition");
	CU_ASSERT_STRING_EQUAL(o->wake_why, "this scenario wakes nothing");
	CU_ASSERT_EQUAL(o->unasked_resumes, 0);
	CU_ASSERT_EQUAL(o->evidence.acpi, ACPI_D3COLD); /* of the port, not of the device */
	end_bench(&b);
}

static void a_lost_cycle_is_lost_whatever_was_read(void)
{
	struct bench b = ready();
	const struct outcome *o;

	begin(&b, 0, 0, 390);
	draw(&b, 400, 601, 0);
	dwell(&b, 400, 600, d3cold, d3cold);
	o = end(&b, 610, "lost");
	CU_ASSERT_EQUAL(o->verdict, VERDICT_LOST);
	CU_ASSERT_STRING_EQUAL(o->why, "because");
	begin(&b, 1, 0, 700);
	o = end(&b, 710, "lost"); /* before anything was done */
	CU_ASSERT_EQUAL(o->verdict, VERDICT_LOST);
	CU_ASSERT_EQUAL(o->evidence.meter, METER_NONE);
	CU_ASSERT_STRING_EQUAL(o->meter_why, "the dwell was not reached");
	end_bench(&b);
}

/* A run file keeps times to a sixteenth of their error, which is 1 ms here. */
#define KEPT_MS (1.0 / 16)

static void the_fall_of_the_rail_is_timed_from_the_last_action(void)
{
	static const int64_t falls_ms[] = {560, 530, 510}; /* the last one within the action */

	for (size_t i = 0; i < UNIT_COUNT(falls_ms); i++) {
		struct bench b = ready();
		const struct outcome *o = open_close(&b, falls_ms[i], d3cold);

		CU_ASSERT_EQUAL(o->verdict, VERDICT_CONFIRMED);
		/* Between the last reading that was high, one tick before, and the first low one.
		 */
		CU_ASSERT_DOUBLE_EQUAL(o->to_d3cold_ms, (double)(falls_ms[i] - 520) - 5, KEPT_MS);
		CU_ASSERT_DOUBLE_EQUAL(o->to_d3cold_error_ms, 5 + 1 + 2, 2 * KEPT_MS);
		CU_ASSERT_PTR_NULL(o->to_d3cold_why);
		end_bench(&b);
	}
}

static void of_several_falls_the_one_after_the_last_action_counts(void)
{
	struct bench b = ready();
	const struct outcome *o;

	begin(&b, 14, 1, 390);
	draw(&b, 300, 410, 6);
	act(&b, 405, 420);
	draw(&b, 410, 450, 0);
	draw(&b, 450, 540, 8);
	act(&b, 500, 520);
	draw(&b, 540, 801, 0);
	dwell(&b, 700, 800, d3cold, d3cold);
	o = end(&b, 820, "done");
	CU_ASSERT_DOUBLE_EQUAL(o->to_d3cold_ms, 540 - 5 - 520, KEPT_MS);
	end_bench(&b);
}

/* A fall before the end of the last action, between readings that claim to have no error. */
static void a_fall_between_exact_readings_ends_the_search(void)
{
	for (int64_t odd_ns = 0; odd_ns < 2; odd_ns++) {
		struct bench b = ready();
		const struct outcome *o;

		begin(&b, 14, 1, 390);
		act(&b, 400, 520);
		for (int64_t t = 400; t <= 800; t += 10) {
			const struct meter_sample x = {.t_ns = t * MS + (t >= 500 ? odd_ns : 0),
						       .value = t < 500 ? 8 : 0};

			CU_ASSERT_EQUAL(store_append_samples(b.store, 1, 0, &x, 1, NULL), 0);
		}
		dwell(&b, 700, 800, d3cold, d3cold);
		alarm(20);
		o = end(&b, 820, "done");
		alarm(0);
		CU_ASSERT_DOUBLE_EQUAL(o->to_d3cold_ms, 495 - 520, 1e-3);
		end_bench(&b);
	}
}

static void a_time_that_cannot_be_taken_has_a_reason(void)
{
	struct bench b = ready();
	const struct outcome *o = open_close(&b, 530, d3hot);

	CU_ASSERT_EQUAL(o->verdict, VERDICT_SILENT);
	CU_ASSERT(isnan(o->to_d3cold_ms) && isnan(o->to_d3cold_error_ms));
	CU_ASSERT_STRING_EQUAL(o->to_d3cold_why, "no cycle was confirmed");
	begin(&b, 15, 1, 1390);
	act(&b, 1400, 1420);
	draw(&b, 1300, 1701, 0);
	dwell(&b, 1600, 1700, d3cold, d3cold);
	o = end(&b, 1710, "done");
	CU_ASSERT_STRING_EQUAL(o->to_d3cold_why, "the meter shows no falling edge");
	CU_ASSERT_STRING_EQUAL(o->wake_why, "no resume of the device was seen in this cycle");
	end_bench(&b);
}

static void meter(struct bench *b, int64_t t_ms, const char *event, int64_t last_ms)
{
	CU_ASSERT_EQUAL(feed(b, t_ms, "meter",
			     "{\"event\":\"%s\",\"meter\":\"m0\",\"text\":\"x\",\"t_ns\":%lld,"
			     "\"last_ns\":%lld}",
			     event, t_ms * MS, last_ms * MS),
			0);
}

/* An idle cycle in D3cold at 400 ms of its own, while the meter is away from lost to back (or not). */
static enum verdict verdict_with_gap(int64_t lost_ms, int64_t back_ms)
{
	struct bench b = ready();
	enum verdict verdict;

	begin(&b, 11, 0, 390);
	draw(&b, 400, lost_ms + 1, 0);
	meter(&b, lost_ms + 5, "lost", lost_ms);
	if (back_ms) {
		meter(&b, back_ms, "ready", 0);
		draw(&b, back_ms, 601, 0);
	}
	dwell(&b, 400, 600, d3cold, d3cold);
	verdict = end(&b, 610, "done")->verdict;
	if (verdict == VERDICT_UNMEASURED)
		CU_ASSERT_EQUAL(b.finished->power_n, 0);

	/* The next cycle is measured again, if the meter is back. */
	if (back_ms) {
		begin(&b, 12, 0, 690);
		draw(&b, 700, 901, 0);
		dwell(&b, 700, 900, d3cold, d3cold);
		CU_ASSERT_EQUAL(end(&b, 910, "done")->verdict, VERDICT_CONFIRMED);
	}
	end_bench(&b);
	return verdict;
}

static void a_window_that_a_gap_reaches_into_is_unmeasured(void)
{
	CU_ASSERT_EQUAL(verdict_with_gap(490, 520), VERDICT_UNMEASURED); /* within */
	CU_ASSERT_EQUAL(verdict_with_gap(590, 680), VERDICT_UNMEASURED); /* over its end */
	CU_ASSERT_EQUAL(verdict_with_gap(399, 450), VERDICT_UNMEASURED); /* over its begin */
	CU_ASSERT_EQUAL(verdict_with_gap(590, 0), VERDICT_UNMEASURED);	 /* it stays away */
	CU_ASSERT_EQUAL(verdict_with_gap(600, 650), VERDICT_CONFIRMED);	 /* behind it */
}

/* 8 W before the gap, 0 W after it: when it fell nobody knows. */
static void no_fall_is_seen_across_a_gap(void)
{
	struct bench b = ready();
	const struct outcome *o;

	begin(&b, 11, 1, 390);
	mark_clock(&b, 391);
	draw(&b, 380, 451, 8);
	act(&b, 400, 420);
	meter(&b, 455, "lost", 450);
	meter(&b, 490, "ready", 0);
	draw(&b, 490, 801, 0);
	dwell(&b, 600, 800, d3cold, d3cold);
	o = end(&b, 810, "done");
	CU_ASSERT_EQUAL(o->verdict, VERDICT_CONFIRMED);
	CU_ASSERT_TRUE(isnan(o->to_d3cold_ms));
	CU_ASSERT_STRING_EQUAL(o->to_d3cold_why, "the meter shows no falling edge");
	end_bench(&b);
}

static const struct unit_case cases[] = {
	{"idle cycles get the verdict of their evidence",
	 idle_cycles_get_the_verdict_of_their_evidence},
	{"an idle cycle has its power but no times", an_idle_cycle_has_its_power_but_no_times},
	{"a lost cycle is lost whatever was read", a_lost_cycle_is_lost_whatever_was_read},
	{"the fall of the rail is timed from the last action",
	 the_fall_of_the_rail_is_timed_from_the_last_action},
	{"of several falls the one after the last action counts",
	 of_several_falls_the_one_after_the_last_action_counts},
	{"a fall between exact readings ends the search",
	 a_fall_between_exact_readings_ends_the_search},
	{"a time that cannot be taken has a reason", a_time_that_cannot_be_taken_has_a_reason},
	{"a window that a gap reaches into is unmeasured",
	 a_window_that_a_gap_reaches_into_is_unmeasured},
	{"no fall is seen across a gap", no_fall_is_seen_across_a_gap},
};

int main(void)
{
	return run_file_run("judge", cases, UNIT_COUNT(cases));
}
