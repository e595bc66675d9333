/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "result.h"
#include "test_small_lab.h"
#include "unit.h"

/* Rows of small_lab per arm: device 0 idle, device 0 open-close, device 1 idle, device 2 idle. */
#define ROWS_PER_ARM 4

static const char no_levels[] = "its level was not measured";
static struct result_levels levels[6];

static struct outcome outcome(int arm, int device, int scenario, enum verdict verdict)
{
	return (struct outcome){
		.arm = arm,
		.device = device,
		.scenario = scenario,
		.number = 1,
		.verdict = verdict,
		.to_d3cold_ms = NAN,
		.to_d3cold_error_ms = NAN,
		.to_d3cold_why = "no edge",
		.wake_ms = NAN,
		.wake_why = "no wake",
	};
}

static struct conformance suites[4]; /* per arm */

static struct result *add_up(const struct small_lab *s, const struct outcome *outcomes, size_t n)
{
	struct result *result = NULL;

	for (size_t i = 0; i < UNIT_COUNT(levels); i++)
		levels[i].d0.why = levels[i].d3hot.why = no_levels;
	CU_ASSERT_EQUAL(
		result_from(s->lab, s->target, s->plan, levels, suites, outcomes, n, &result), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(result);
	return result;
}

static void rows_are_laid_out_by_arm_device_and_scenario(void)
{
	static const int expected[][3] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {0, 2, 0},
					  {1, 0, 0}, {1, 0, 1}, {1, 1, 0}, {1, 2, 0}};
	struct small_lab s = small_lab_new("");
	struct result *r = add_up(&s, NULL, 0);

	CU_ASSERT_EQUAL_FATAL(r->rows_n, UNIT_COUNT(expected));
	for (size_t i = 0; i < r->rows_n; i++) {
		CU_ASSERT_EQUAL(r->rows[i].arm, expected[i][0]);
		CU_ASSERT_EQUAL(r->rows[i].device, expected[i][1]);
		CU_ASSERT_EQUAL(r->rows[i].scenario, expected[i][2]);
		CU_ASSERT_EQUAL(r->rows[i].planned, expected[i][2] ? 2 : 3);
	}
	CU_ASSERT_FALSE(result_is_planned(&s.plan->scenarios[1], &s.target->devices[1]));
	result_free(r);
	small_lab_free(&s);
}

static void a_row_without_cycles_has_reasons_and_no_figures(void)
{
	struct small_lab s = small_lab_new("");
	struct result *r = add_up(&s, NULL, 0);
	const struct result_row *row = &r->rows[0];

	CU_ASSERT_EQUAL(row->cycles, 0);
	CU_ASSERT_EQUAL(row->unasked_resumes, -1);
	CU_ASSERT_EQUAL(row->forbidden_accesses, -1);
	CU_ASSERT_PTR_NULL(row->skipped);
	CU_ASSERT_STRING_EQUAL(row->d0.why, no_levels);
	CU_ASSERT_STRING_EQUAL(row->d3cold.why, "no cycle was confirmed");
	CU_ASSERT_STRING_EQUAL(row->dwell.why, "no cycle was run");
	CU_ASSERT_STRING_EQUAL(row->to_d3cold.why, "no cycle was run");
	CU_ASSERT(isnan(row->wake.max_ms) && row->wake.n == 0);
	result_free(r);
	result_free(NULL);
	small_lab_free(&s);
}

static void cycles_and_dissents_are_counted_in_their_row(void)
{
	struct small_lab s = small_lab_new("");
	struct outcome o[] = {
		outcome(1, 0, 0, VERDICT_CONFIRMED), outcome(1, 0, 0, VERDICT_FALSE_CLAIM),
		outcome(1, 0, 0, VERDICT_CONFIRMED), outcome(1, 0, 1, VERDICT_LOST),
		outcome(0, 1, 0, VERDICT_D3HOT),
	};
	struct result *r;

	o[1].dissent = DISSENT_METER | DISSENT_ACPI;
	o[0].unasked_resumes = 2;
	o[2].unasked_resumes = 1;
	r = add_up(&s, o, UNIT_COUNT(o));
	CU_ASSERT_EQUAL(r->rows[4].cycles, 3);
	CU_ASSERT_EQUAL(r->rows[4].verdicts[VERDICT_CONFIRMED], 2);
	CU_ASSERT_EQUAL(r->rows[4].verdicts[VERDICT_FALSE_CLAIM], 1);
	CU_ASSERT_EQUAL(r->rows[4].dissents, 1);
	CU_ASSERT_EQUAL(r->rows[4].unasked_resumes, 3);
	CU_ASSERT_EQUAL(r->rows[5].verdicts[VERDICT_LOST], 1);
	CU_ASSERT_EQUAL(r->rows[2].verdicts[VERDICT_D3HOT], 1);
	CU_ASSERT_EQUAL(r->rows[0].cycles, 0);
	result_free(r);
	small_lab_free(&s);
}

static void one_cycle_that_was_not_watched_leaves_resumes_unknown(void)
{
	for (size_t at = 0; at < 3; at++) {
		struct small_lab s = small_lab_new("");
		struct outcome o[3];
		struct result *r;

		for (size_t i = 0; i < 3; i++) {
			o[i] = outcome(0, 0, 0, VERDICT_D3HOT);
			o[i].unasked_resumes = i == at ? -1 : 5;
		}
		r = add_up(&s, o, 3);
		CU_ASSERT_EQUAL(r->rows[0].unasked_resumes, -1);
		result_free(r);
		small_lab_free(&s);
	}
}

static void a_skipped_cycle_is_none_but_says_why(void)
{
	struct small_lab s = small_lab_new("");
	struct outcome o[] = {outcome(0, 0, 0, VERDICT_NO_EVIDENCE),
			      outcome(0, 1, 0, VERDICT_D3HOT),
			      outcome(0, 1, 0, VERDICT_NO_EVIDENCE)};
	struct result *r;

	o[0].skipped = o[2].skipped = true;
	strcpy(o[0].why, "no VFs");
	r = add_up(&s, o, 3);
	CU_ASSERT_EQUAL(r->rows[0].cycles, 0);
	CU_ASSERT_EQUAL(r->rows[0].verdicts[VERDICT_NO_EVIDENCE], 0);
	CU_ASSERT_STRING_EQUAL(r->rows[0].skipped, "no VFs");
	CU_ASSERT_EQUAL(r->rows[0].unasked_resumes, -1);
	CU_ASSERT_EQUAL(r->rows[2].cycles, 1);
	CU_ASSERT_PTR_NULL(r->rows[2].skipped);
	result_free(r);
	small_lab_free(&s);
}

static void times_become_quantiles_with_the_largest_error(void)
{
	struct small_lab s = small_lab_new("");
	struct outcome o[4];
	struct result *r;

	for (int i = 0; i < 4; i++) {
		o[i] = outcome(1, 0, 1, VERDICT_CONFIRMED);
		if (i == 3)
			continue;
		o[i].to_d3cold_ms = 100 + 10 * i;
		o[i].to_d3cold_error_ms = 3 - i;
	}
	r = add_up(&s, o, 4);
	CU_ASSERT_EQUAL(r->rows[5].to_d3cold.n, 3);
	CU_ASSERT_DOUBLE_EQUAL(r->rows[5].to_d3cold.p50_ms, 110, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(r->rows[5].to_d3cold.p95_ms, 119, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(r->rows[5].to_d3cold.max_ms, 120, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(r->rows[5].to_d3cold.error_ms, 3, 1e-9);
	CU_ASSERT_PTR_NULL(r->rows[5].to_d3cold.why);
	CU_ASSERT_STRING_EQUAL(r->rows[5].wake.why, "no wake");
	result_free(r);
	small_lab_free(&s);
}

static void only_confirmed_dwells_are_d3colds_power(void)
{
	double cold[] = {0.1, -0.1, 0.1, -0.1, 0.1, -0.1}, hot[] = {6, 6, 6, 6, 6, 6};
	struct small_lab s = small_lab_new("");
	struct outcome o[] = {outcome(1, 0, 0, VERDICT_FALSE_CLAIM),
			      outcome(1, 0, 0, VERDICT_CONFIRMED),
			      outcome(1, 0, 0, VERDICT_UNMEASURED)};
	struct result *r;

	o[0].power_w = hot;
	o[1].power_w = cold;
	o[0].power_n = o[1].power_n = 6;
	r = add_up(&s, o, 3);
	CU_ASSERT_EQUAL(r->rows[4].d3cold.level.n, 6);
	CU_ASSERT_DOUBLE_EQUAL(r->rows[4].d3cold.level.mean_w, 0, 1e-12);
	CU_ASSERT_EQUAL(r->rows[4].dwell.level.n, 12);
	CU_ASSERT_DOUBLE_EQUAL(r->rows[4].dwell.level.mean_w, 3, 1e-12);
	CU_ASSERT(r->rows[4].d3cold.level.u95_w > 0.001); /* the meter's offset at the least */
	CU_ASSERT_STRING_EQUAL(r->rows[5].dwell.why, "no cycle was run");
	result_free(r);
	small_lab_free(&s);
}

static void too_few_readings_are_said_to_be_too_few(void)
{
	double few[] = {0, 0, 0, 0};
	struct small_lab s = small_lab_new("");
	struct outcome o = outcome(0, 0, 0, VERDICT_CONFIRMED);
	struct result *r;

	o.power_w = few;
	o.power_n = 4;
	r = add_up(&s, &o, 1);
	CU_ASSERT_FALSE(r->rows[0].d3cold.level.valid);
	CU_ASSERT_STRING_EQUAL(r->rows[0].d3cold.why, "too few readings");
	CU_ASSERT_STRING_EQUAL(r->rows[0].dwell.why, "no usable samples");
	result_free(r);
	small_lab_free(&s);
}

static void what_an_arm_saves_is_base_minus_row(void)
{
	double old[] = {6.1, 5.9, 6.1, 5.9, 6.1, 5.9}, new[] = {0.1, -0.1, 0.1, -0.1, 0.1, -0.1};
	struct small_lab s = small_lab_new("");
	struct outcome o[] = {outcome(0, 0, 0, VERDICT_D3HOT), outcome(1, 0, 0, VERDICT_CONFIRMED)};
	double saved_w = 0, u95_w = 0;
	struct result *r;

	o[0].power_w = old;
	o[1].power_w = new;
	o[0].power_n = o[1].power_n = 6;
	r = add_up(&s, o, 2);
	CU_ASSERT_PTR_EQUAL(result_base(r, &r->rows[4]), &r->rows[0]);
	CU_ASSERT_PTR_EQUAL(result_base(r, &r->rows[7]), &r->rows[3]);
	CU_ASSERT_PTR_NULL(result_base(r, &r->rows[0]));
	CU_ASSERT_TRUE(result_saving(&r->rows[0], &r->rows[4], &saved_w, &u95_w));
	CU_ASSERT_DOUBLE_EQUAL(saved_w, 6, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(
		u95_w, hypot(r->rows[0].dwell.level.u95_w, r->rows[4].dwell.level.u95_w), 1e-12);
	CU_ASSERT_FALSE(result_saving(&r->rows[1], &r->rows[5], &saved_w, &u95_w));
	result_free(r);
	small_lab_free(&s);
}

/* Arm new: device 0 idle 2 of 3 confirmed, 1 d3hot; device 1 idle 3 of 3 confirmed; device 2
 * skipped. Arm old was not run. */
static size_t make_outcomes(struct outcome *o)
{
	size_t n = 0;

	for (int i = 0; i < 3; i++) {
		o[n] = outcome(1, 0, 0, i == 2 ? VERDICT_D3HOT : VERDICT_CONFIRMED);
		o[n].unasked_resumes = i;
		o[n].forbidden_accesses = 2 * i;
		o[n++].wake_ms = 10.0 * i;
		o[n] = outcome(1, 1, 0, VERDICT_CONFIRMED);
		o[n].unasked_resumes = -1;
		o[n].forbidden_accesses = -1;
		o[n++].to_d3cold_ms = i == 1 ? 70 : 60;
	}
	o[n] = outcome(1, 2, 0, VERDICT_NO_EVIDENCE);
	o[n++].skipped = true;
	return n;
}

static void limits_hold_or_not_and_say_what_was_found(void)
{
	static const struct {
		const char *limit;
		bool ok;
		const char *found;
	} rows[] = {
		{"verdict: confirmed, at_least: 5, arm: new", true, "5 of 8 cycles confirmed"},
		{"verdict: confirmed, at_least: 6, arm: new", false, "5 of 8 cycles confirmed"},
		{"verdict: d3hot, at_most: 0, arm: new", false, "1 of 8 cycles d3hot"},
		{"verdict: lost, at_most: 0, arm: new", true, "0 of 8 cycles lost"},
		{"verdict: confirmed, at_least: all, arm: new, scenario: idle, device: \"" DEVICE1
		 "\"",
		 true, "3 of 3 cycles confirmed"},
		{"verdict: confirmed, at_least: all, arm: new, scenario: idle, device: \"" DEVICE0
		 "\"",
		 false, "2 of 3 cycles confirmed"},
		/* Not everything that was planned was run. */
		{"verdict: confirmed, at_least: all, arm: new, device: \"" DEVICE1 "\"", true,
		 "3 of 3"},
		{"verdict: confirmed, at_least: all", false, "5 of 19"},
		/* Nothing was run, or all was skipped: that is no pass. */
		{"verdict: confirmed, at_most: 0, arm: old", false, "no value of confirmed"},
		{"verdict: false-claim, at_most: 0, device: \"" DEVICE2 "\", arm: new", false,
		 "no value of false-claim"},
		{"metric: unasked_resumes, at_most: 3, arm: new, scenario: idle, device: \"" DEVICE0
		 "\"",
		 true, "unasked_resumes 3"},
		{"metric: unasked_resumes, at_most: 2, arm: new, scenario: idle, device: \"" DEVICE0
		 "\"",
		 false, "unasked_resumes 3"},
		{"metric: unasked_resumes, at_most: 100", false, "no value of unasked_resumes"},
		{"metric: forbidden_accesses, at_most: 5, arm: new, scenario: idle, device: "
		 "\"" DEVICE0 "\"",
		 false, "forbidden_accesses 6"},
		{"metric: forbidden_accesses, at_most: 0", false, "no value of forbidden_accesses"},
		{"metric: wake_ms, at_most: 20", true, "wake_ms 20"},
		{"metric: wake_ms, at_most: 19.9", false, "wake_ms 20"},
		{"metric: wake_ms, at_most: 100, device: \"" DEVICE1 "\"", false,
		 "no value of wake_ms"},
		{"metric: to_d3cold_ms, at_least: 61, at_most: 70", true, "to_d3cold_ms 70"},
		{"metric: to_d3cold_ms, at_least: 71", false, "to_d3cold_ms 70"},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct outcome o[8];
		size_t n = make_outcomes(o);
		struct small_lab s;
		struct result *r;
		char text[300];

		snprintf(text, sizeof(text), "limits:\n  - {name: l, %s}\n", rows[i].limit);
		s = small_lab_new(text);
		r = add_up(&s, o, n);
		CU_ASSERT_EQUAL(r->limits[0].ok, rows[i].ok);
		CU_ASSERT_EQUAL(result_ok(r, s.plan), rows[i].ok);
		CU_ASSERT_EQUAL(strncmp(r->limits[0].text, rows[i].found, strlen(rows[i].found)),
				0);
		result_free(r);
		small_lab_free(&s);
	}
}

static void one_limit_that_fails_fails_the_result(void)
{
	struct small_lab s =
		small_lab_new("limits:\n  - {name: a, verdict: d3hot, at_most: 1, arm: new}\n"
			      "  - {name: b, verdict: d3hot, at_most: 0, arm: new}\n");
	struct outcome o[8];
	struct result *r = add_up(&s, o, make_outcomes(o));

	CU_ASSERT_TRUE(r->limits[0].ok);
	CU_ASSERT_FALSE(r->limits[1].ok);
	CU_ASSERT_FALSE(result_ok(r, s.plan));
	result_free(r);
	small_lab_free(&s);
}

static const struct unit_case cases[] = {
	{"rows are laid out by arm, device and scenario",
	 rows_are_laid_out_by_arm_device_and_scenario},
	{"a row without cycles has reasons and no figures",
	 a_row_without_cycles_has_reasons_and_no_figures},
	{"cycles and dissents are counted in their row",
	 cycles_and_dissents_are_counted_in_their_row},
	{"one cycle that was not watched leaves resumes unknown",
	 one_cycle_that_was_not_watched_leaves_resumes_unknown},
	{"a skipped cycle is none but says why", a_skipped_cycle_is_none_but_says_why},
	{"times become quantiles with the largest error",
	 times_become_quantiles_with_the_largest_error},
	{"only confirmed dwells are D3cold's power", only_confirmed_dwells_are_d3colds_power},
	{"too few readings are said to be too few", too_few_readings_are_said_to_be_too_few},
	{"what an arm saves is base minus row", what_an_arm_saves_is_base_minus_row},
	{"limits hold or not and say what was found", limits_hold_or_not_and_say_what_was_found},
	{"one limit that fails fails the result", one_limit_that_fails_fails_the_result},
};

int main(void)
{
	return unit_run("result", cases, UNIT_COUNT(cases));
}
