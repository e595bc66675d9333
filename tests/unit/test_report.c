/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "test_small_lab.h"
#include "unit.h"

static const char limits_text[] =
	"limits:\n"
	"  - {name: always cold, verdict: confirmed, at_least: 2, arm: new}\n"
	"  - {name: quick to wake, metric: wake_ms, at_most: 5}\n";
static const struct msg *kexecs[2];
/* Arm old: aligned by meter 0. Arm new: meter 0 too coarsely. Meter 1 is not aligned in either. */
static const struct align_result alignments[] = {
	{.is_wanted = true,
	 .is_found = true,
	 .is_ok = true,
	 .steps = 12,
	 .offset_ms = 40.25,
	 .drift_ppm = 200,
	 .drift_u95_ppm = 50,
	 .u95_ms = 6.5,
	 .limit_ms = 35},
	{.is_wanted = true,
	 .limit_ms = 35,
	 .drift_ppm = NAN,
	 .drift_u95_ppm = NAN,
	 .why = "no steps were made",
	 .drift_why = "no steps were made"},
	{.is_wanted = true,
	 .is_found = true,
	 .steps = 6,
	 .offset_ms = 2,
	 .drift_ppm = NAN,
	 .drift_u95_ppm = NAN,
	 .u95_ms = 36,
	 .limit_ms = 35,
	 .drift_why = "steps were found once only"},
	{.is_wanted = false},
};
static const char *const kernels[] = {"5.10.0", "6.1.0"};

/* Arm old: device 0 idle in D3hot. Arm new: device 0 idle confirmed, then a false claim; device 1
 * skipped. The rest was not run. */
struct scene {
	struct small_lab s;
	double hot[6], cold[6];
	struct outcome outcomes[4];
	struct result_levels levels[6];
	struct conformance suites[2];
	struct result *result;
	struct report report;
	struct incidents incidents;
};

static struct outcome outcome(int arm, int device, enum verdict verdict, double *power_w)
{
	return (struct outcome){
		.arm = arm,
		.device = device,
		.number = 1,
		.verdict = verdict,
		.power_w = power_w,
		.power_n = power_w ? 6 : 0,
		.to_d3cold_ms = NAN,
		.to_d3cold_why = "this scenario causes no transition",
		.wake_ms = NAN,
		.wake_why = "this scenario wakes nothing",
	};
}

static void set_scene(struct scene *c)
{
	*c = (struct scene){.s = small_lab_new(limits_text)};
	for (int i = 0; i < 6; i++) {
		c->hot[i] = i % 2 ? 6.1 : 5.9;
		c->cold[i] = i % 2 ? 0.01 : -0.01;
		c->levels[i].d0.why = "its level was not measured";
		c->levels[i].d3hot.why = "no usable samples";
	}
	c->levels[3].d0.level =
		(struct level){.valid = true, .mean_w = 8.25, .sd_w = 1, .u95_w = 0.125, .n = 40};
	c->outcomes[0] = outcome(0, 0, VERDICT_D3HOT, c->hot);
	c->outcomes[1] = outcome(1, 0, VERDICT_CONFIRMED, c->cold);
	c->outcomes[1].to_d3cold_ms = 112.5;
	c->outcomes[1].to_d3cold_error_ms = 4.2;
	c->outcomes[1].unasked_resumes = 3;
	c->outcomes[1].forbidden_accesses = 4;
	c->outcomes[0].forbidden_accesses = -1;
	c->outcomes[2] = outcome(1, 0, VERDICT_FALSE_CLAIM, c->hot);
	c->outcomes[2].number = 2;
	c->outcomes[2].evidence = (struct evidence){PRESENCE_THERE, SYSFS_D3COLD, ACPI_ON,
						    RPM_ACTIVE, METER_NOT_COLD};
	c->outcomes[2].dissent = verdict_dissent(&c->outcomes[2].evidence);
	c->outcomes[3] = outcome(1, 1, VERDICT_NO_EVIDENCE, NULL);
	c->outcomes[3].skipped = true;
	strcpy(c->outcomes[3].why, "the device has no virtual functions");
	CU_ASSERT_EQUAL_FATAL(result_from(c->s.lab, c->s.target, c->s.plan, c->levels, c->suites,
					  c->outcomes, 4, &c->result),
			      0);
	c->report = (struct report){
		.run = "run-7",
		.tool = "0.1.0",
		.lab = c->s.lab,
		.target = c->s.target,
		.plan = c->s.plan,
		.result = c->result,
		.kernels = kernels,
		.suites = c->suites,
		.kexecs = kexecs,
		.alignments = alignments,
		.outcomes = c->outcomes,
		.outcomes_n = 4,
		.incidents = &c->incidents,
	};
}

static void end_scene(struct scene *c)
{
	result_free(c->result);
	small_lab_free(&c->s);
}

/* A device's row in the summary. */
static const struct msg *row(const struct msg *summary, size_t arm, size_t index)
{
	return msg_at(msg_get(msg_at(msg_get(summary, "arms"), arm), "devices"), index);
}

static void both_say_how_late_the_meters_are(void)
{
	const struct msg *arms, *a;
	struct msg *m;
	struct scene c;
	size_t size;
	char *text;
	FILE *out;

	set_scene(&c);
	m = report_summary(&c.report);
	arms = msg_get(m, "arms");
	a = msg_at(msg_get(msg_at(arms, 0), "alignment"), 0);
	CU_ASSERT_STRING_EQUAL(msg_get_str(a, "meter"), "m0");
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(a, "offset_ms", 0), 40.25, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(a, "drift_ppm", 0), 200, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(a, "u95_ms", 0), 6.5, 1e-9);
	CU_ASSERT_EQUAL(msg_get_int(a, "steps", 0), 12);
	CU_ASSERT_TRUE(msg_get_bool(a, "ok", false));
	a = msg_at(msg_get(msg_at(arms, 0), "alignment"), 1);
	CU_ASSERT_TRUE(msg_is_null(msg_get(a, "offset_ms")));
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg_get(a, "reasons"), "offset_ms"),
			       "no steps were made");
	CU_ASSERT_EQUAL(msg_count(msg_get(msg_at(arms, 1), "alignment")), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(msg_get_str(m, "rejected"), "meter m0 in arm new: "));
	msg_free(m);
	out = open_memstream(&text, &size);
	report_table(&c.report, out);
	fclose(out);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "meter m0: 40.2 ± 6.5 ms late, drifts 200 ± 50 ppm, by 12 steps\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "meter m1: not aligned: no steps were made\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "2.0 ± 36.0 ms late, by 6 steps: TOO COARSE\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nREJECTED  meter m0 in arm new: "));
	free(text);
	end_scene(&c);
}

static void the_summary_says_how_a_kernel_was_booted(void)
{
	struct msg *how = msg_object(), *m;
	const struct msg *told[] = {NULL, how};
	const struct msg *arms;
	struct scene c;
	size_t size;
	char *text;
	FILE *out;

	msg_set_str(how, "from", "5.10.7");
	set_scene(&c);
	c.report.kexecs = told;
	m = report_summary(&c.report);
	arms = msg_get(m, "arms");
	CU_ASSERT_TRUE(msg_is_null(msg_get(msg_at(arms, 0), "kexec")));
	CU_ASSERT_PTR_NOT_NULL(msg_get(msg_at(arms, 0), "kexec"));
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg_get(msg_at(arms, 1), "kexec"), "from"), "5.10.7");
	out = open_memstream(&text, &size);
	report_table(&c.report, out);
	fclose(out);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Linux 6.1.0, by kexec from 5.10.7\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Linux 5.10.0\n"));
	free(text);
	msg_free(m);
	msg_free(how);
	end_scene(&c);
}

static void the_summary_says_what_was_measured(void)
{
	struct scene c;
	struct msg *m;
	const struct msg *d, *power;

	set_scene(&c);
	m = report_summary(&c.report);
	d = row(m, 1, 0);
	power = msg_get(d, "power_w");
	CU_ASSERT_STRING_EQUAL(msg_get_str(m, "run"), "run-7");
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg_at(msg_get(m, "arms"), 1), "kernel"), "6.1.0");
	CU_ASSERT_STRING_EQUAL(msg_get_str(d, "bdf"), DEVICE0);
	CU_ASSERT_STRING_EQUAL(msg_get_str(d, "scenario"), "idle");
	CU_ASSERT_EQUAL(msg_get_int(d, "cycles", -1), 2);
	CU_ASSERT_EQUAL(msg_get_int(d, "planned", -1), 3);
	CU_ASSERT_EQUAL(msg_get_int(d, "dissents", -1), 1);
	CU_ASSERT_EQUAL(msg_get_int(d, "unasked_resumes", -1), 3);
	CU_ASSERT_EQUAL(msg_get_int(d, "forbidden_accesses", -1), 4);
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(msg_get(power, "D0"), "mean", 0), 8.25, 0);
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(msg_get(power, "D0"), "u95", 0), 0.125, 0);
	CU_ASSERT_EQUAL(msg_get_int(msg_get(power, "D0"), "n", 0), 40);
	CU_ASSERT_EQUAL(msg_get_int(msg_get(power, "D3cold"), "n", 0), 6);
	CU_ASSERT_EQUAL(msg_get_int(msg_get(power, "dwell"), "n", 0), 12);
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(msg_get(d, "to_d3cold_ms"), "p50", 0), 112.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(msg_get(d, "to_d3cold_ms"), "error", 0), 4.2, 0);
	msg_free(m);
	end_scene(&c);
}

static void every_row_counts_every_verdict(void)
{
	struct scene c;
	struct msg *m;

	set_scene(&c);
	m = report_summary(&c.report);
	for (size_t arm = 0; arm < 2; arm++) {
		CU_ASSERT_EQUAL(msg_count(msg_get(msg_at(msg_get(m, "arms"), arm), "devices")), 4);
		for (size_t i = 0; i < 4; i++) {
			const struct msg *verdicts = msg_get(row(m, arm, i), "verdicts");

			for (int v = 0; v < VERDICT_COUNT; v++)
				CU_ASSERT_EQUAL(
					msg_get_int(verdicts, verdict_name((enum verdict)v), -1),
					(arm == 1 && i == 0 &&
					 (v == VERDICT_CONFIRMED || v == VERDICT_FALSE_CLAIM)) ||
						(arm == 0 && i == 0 && v == VERDICT_D3HOT));
		}
	}
	msg_free(m);
	end_scene(&c);
}

/* Null if and only if there is a reason. */
static void assert_reason(const struct msg *object, const char *key, const struct msg *reasons,
			  const char *reason)
{
	const char *why = msg_get_str(reasons, reason);

	CU_ASSERT_PTR_NOT_NULL_FATAL(msg_get(object, key));
	CU_ASSERT_EQUAL(msg_is_null(msg_get(object, key)), why && why[0]);
}

static void every_null_comes_with_a_reason(void)
{
	static const char *const powers[] = {"D0", "D3hot", "D3cold", "dwell"};
	static const char *const others[] = {"to_d3cold_ms", "wake_ms", "unasked_resumes",
					     "forbidden_accesses"};
	struct scene c;
	struct msg *m;

	set_scene(&c);
	m = report_summary(&c.report);
	for (size_t at = 0; at < 8; at++) {
		const struct msg *d = row(m, at / 4, at % 4), *reasons = msg_get(d, "reasons");
		char name[64];

		for (size_t i = 0; i < UNIT_COUNT(powers); i++) {
			snprintf(name, sizeof(name), "power_w.%s", powers[i]);
			assert_reason(msg_get(d, "power_w"), powers[i], reasons, name);
		}
		for (size_t i = 0; i < UNIT_COUNT(others); i++)
			assert_reason(d, others[i], reasons, others[i]);
	}
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg_get(row(m, 1, 0), "reasons"), "power_w.D3hot"),
			       "no usable samples");
	CU_ASSERT_STRING_EQUAL(msg_get_str(row(m, 1, 2), "skipped"),
			       "the device has no virtual functions");
	msg_free(m);
	end_scene(&c);
}

static void limits_and_savings_are_in_the_summary(void)
{
	struct scene c;
	struct msg *m;
	const struct msg *limit, *saving;

	set_scene(&c);
	m = report_summary(&c.report);
	CU_ASSERT_EQUAL(msg_count(msg_get(m, "limits")), 2);
	limit = msg_at(msg_get(m, "limits"), 0);
	CU_ASSERT_STRING_EQUAL(msg_get_str(limit, "name"), "always cold");
	CU_ASSERT_FALSE(msg_get_bool(limit, "ok", true));
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(limit, "value", 0), 1, 0);
	limit = msg_at(msg_get(m, "limits"), 1);
	CU_ASSERT_TRUE(msg_is_null(msg_get(limit, "value")));
	CU_ASSERT_STRING_EQUAL(msg_get_str(limit, "found"), "no value of wake_ms");
	CU_ASSERT_EQUAL(msg_count(msg_get(m, "savings")), 1);
	saving = msg_at(msg_get(m, "savings"), 0);
	CU_ASSERT_STRING_EQUAL(msg_get_str(saving, "base"), "old");
	CU_ASSERT_DOUBLE_EQUAL(msg_get_real(saving, "saved_w", 0), 3, 1e-9);
	CU_ASSERT(msg_get_real(saving, "u95", 0) > 0);
	msg_free(m);
	end_scene(&c);
}

static char *table(const struct scene *c)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	report_table(&c->report, out);
	fclose(out);
	return text;
}

static void the_table_tells_people_what_matters(void)
{
	static const char *const told[] = {
		"run run-7   lab small   target box   plan few",
		"old   Linux 5.10.0",
		"1 confirmed, 1 false-claim",
		"112 ± 5",
		"8.25 ± 0.12",
		"Saved against old",
		"new, idle cycle 2 on " DEVICE0 ": sysfs D3cold, ACPI on",
		"rpm active",
		"meter not cold: false-claim",
		"idle skipped on " DEVICE1 ": the device has no virtual functions",
		"FAILED  always cold: 1 of",
		"FAILED  quick to wake: no value of wake_ms",
		"not run",
	};
	struct scene c;
	char *text;

	set_scene(&c);
	text = table(&c);
	for (size_t i = 0; i < UNIT_COUNT(told); i++) {
		if (!strstr(text, told[i]))
			fprintf(stderr, "missing: %s\n%s", told[i], text);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, told[i]));
	}
	free(text);
	end_scene(&c);
}

static void without_dissent_the_witnesses_disagree_nowhere(void)
{
	struct scene c;
	char *text;

	set_scene(&c);
	c.outcomes[2].dissent = 0;
	text = table(&c);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "other witnesses disagree: nowhere\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "sysfs D3cold"));
	free(text);
	end_scene(&c);
}

static void nothing_is_less_than_nothing_but_for_its_noise(void)
{
	struct scene c;
	struct level *level;
	char *text;

	set_scene(&c);
	level = &c.result->rows[0].d0.level;
	*level = c.levels[3].d0.level;
	level->mean_w = -0.004;
	text = table(&c);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, " 0.00 ± 0.12"));
	free(text);
	level->mean_w = -0.006;
	text = table(&c);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "-0.01 ± 0.12"));
	free(text);
	end_scene(&c);
}

static void notes_that_differ_by_their_cycle_alone_are_one(void)
{
	static const struct outcome_note lost[] = {{0, "lost target box: silent"},
						   {0, "lost meter m: gone"},
						   {0, "lost target box: silent"}};
	static const char *const told[] = {
		"\nNotes\n  old: lost target box: silent (2 times)\n  old: lost meter m: gone\n",
		"\n  old, idle cycles 1, 2, 3, 4, 5 and 2 more on " DEVICE0 ": lost: hung\n",
		"\n  old, idle cycle 8 on " DEVICE0 ": lost: gone\n",
	};
	struct outcome outcomes[8];
	struct scene c;
	char *text;

	set_scene(&c);
	for (unsigned i = 0; i < UNIT_COUNT(outcomes); i++) {
		outcomes[i] = outcome(0, 0, VERDICT_LOST, NULL);
		outcomes[i].number = i + 1;
		snprintf(outcomes[i].why, sizeof(outcomes[i].why), i < 7 ? "hung" : "gone");
	}
	c.report.outcomes = outcomes;
	c.report.outcomes_n = UNIT_COUNT(outcomes);
	c.report.notes = lost;
	c.report.notes_n = UNIT_COUNT(lost);
	text = table(&c);
	for (size_t i = 0; i < UNIT_COUNT(told); i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(text, told[i]));
	free(text);
	end_scene(&c);
}

static const struct unit_case cases[] = {
	{"both say how late the meters are", both_say_how_late_the_meters_are},
	{"the summary says how a kernel was booted", the_summary_says_how_a_kernel_was_booted},
	{"the summary says what was measured", the_summary_says_what_was_measured},
	{"every row counts every verdict", every_row_counts_every_verdict},
	{"every null comes with a reason", every_null_comes_with_a_reason},
	{"limits and savings are in the summary", limits_and_savings_are_in_the_summary},
	{"the table tells people what matters", the_table_tells_people_what_matters},
	{"nothing is less than nothing, but for its noise",
	 nothing_is_less_than_nothing_but_for_its_noise},
	{"notes that differ by their cycle alone are one",
	 notes_that_differ_by_their_cycle_alone_are_one},
	{"without dissent the witnesses disagree nowhere",
	 without_dissent_the_witnesses_disagree_nowhere},
};

int main(void)
{
	return unit_run("report", cases, UNIT_COUNT(cases));
}
