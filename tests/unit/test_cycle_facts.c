/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resumes in a cycle. */
#include "test_journal.h"

static void waking_is_timed_on_the_targets_clock(void)
{
	struct bench b = ready();
	const struct outcome *o;

	begin(&b, 14, 1, 390);
	rpm(&b, 395, "resumed", 0); /* before anybody asked */
	rpm(&b, 403, "resume", 0);
	rpm(&b, 417, "resumed", 0);
	act(&b, 400, 420);
	rpm(&b, 430, "resumed", 0);
	act(&b, 500, 520);
	o = end(&b, 820, "lost");
	CU_ASSERT_DOUBLE_EQUAL(o->wake_ms, 17, 1e-9);
	CU_ASSERT_PTR_NULL(o->wake_why);
	end_bench(&b);
}

static void resumes_count_as_unasked_outside_of_the_actions_only(void)
{
	/* Actions last from 400 to 520. Events: time, R begins, D done, S suspended. */
	static const struct {
		const char *events;
		int64_t error_ms;
		int unasked;
	} rows[] = {
		{"", 0, 0},
		{"R400 D410 S450 R470 D520", 0, 0},
		{"R399 D410", 0, 1},
		{"R521 D530", 0, 1},
		{"R600 D610 S620 R630 D640", 0, 2},
		{"R600", 0, 1},		  /* it never came back */
		{"R510 D530 S600", 0, 0}, /* begun by the action, done after it */
		{"R510 D530 S600 D700", 0, 1},
		/* A poll sees only the end, and late. */
		{"D600", 10, 1},
		{"D525", 10, 0},
		{"D395", 10, 1},
		{"S600 S700", 10, 0},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct bench b = ready();

		begin(&b, 14, 1, 390);
		act(&b, 400, 420);
		act(&b, 500, 520);
		for (const char *at = rows[i].events; *at; at += strcspn(at, " "), at += *at == ' ')
			rpm(&b, strtol(at + 1, NULL, 10),
			    *at == 'R'	 ? "resume"
			    : *at == 'D' ? "resumed"
					 : "suspended",
			    rows[i].error_ms);
		CU_ASSERT_EQUAL(end(&b, 820, "lost")->unasked_resumes, rows[i].unasked);
		end_bench(&b);
	}
}

static void resumes_of_others_and_of_other_times_do_not_count(void)
{
	struct bench b = ready();

	rpm(&b, 380, "resume", 0); /* before the cycle */
	begin(&b, 11, 0, 390);
	CU_ASSERT_EQUAL(
		feed(&b, 400, "rpm", "{\"bdf\":\"" DEVICE1 "\",\"what\":\"resume\",\"t_ns\":1}"),
		0);
	CU_ASSERT_EQUAL(end(&b, 500, "done")->unasked_resumes, 0);
	begin(&b, 12, 0, 590);
	rpm(&b, 600, "resume", 0); /* nothing was asked in an idle cycle */
	CU_ASSERT_EQUAL(end(&b, 700, "done")->unasked_resumes, 1);
	end_bench(&b);
}

static const struct unit_case cases[] = {
	{"waking is timed on the target's clock", waking_is_timed_on_the_targets_clock},
	{"resumes count as unasked outside of the actions only",
	 resumes_count_as_unasked_outside_of_the_actions_only},
	{"resumes of others and of other times do not count",
	 resumes_of_others_and_of_other_times_do_not_count},
};

int main(void)
{
	return run_file_run("cycle_facts", cases, UNIT_COUNT(cases));
}
