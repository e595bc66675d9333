/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Load steps and a lag, from the journal and the readings to what is known of a meter. */
#include "test_journal.h"

/* A plan that wants meters aligned. */
static struct bench ready_to_align(const char *dwell, int64_t lag_ms)
{
	struct small_lab s;
	char *text;

	if (asprintf(&text,
		     "plan: aligned\ndwell: %s\n"
		     "arms: [{name: old, kernel: \"5.10\"}, {name: new, kernel: \"6.1\"}]\n"
		     "scenarios:\n  - {scenario: idle, cycles: 3}\n"
		     "  - {scenario: open-close, cycles: 2}\n",
		     dwell) < 0)
		abort();
	s = small_lab_with(text);
	free(text);
	return ready_for(s, lag_ms);
}

/* Six steps of device 0, each done within 6 ms, and the search for them in all readings up to 700 ms
 * later. */
static void step_load(struct bench *b, int64_t t_ms)
{
	static const int holds[] = {50, 150, 300, 100, 250, 600};

	CU_ASSERT_EQUAL(feed(b, t_ms, "stimulus", "{\"again\":false}"), 0);
	draw(b, t_ms - 100, t_ms, 6);
	mark_clock(b, t_ms);
	for (int i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(feed(b, t_ms, "step",
				     "{\"device\":\"" DEVICE0
				     "\",\"up\":%s,\"t0_ns\":%lld,\"t1_ns\":%lld}",
				     i % 2 ? "false" : "true", TARGET(t_ms - 1), TARGET(t_ms + 5)),
				0);
		draw(b, t_ms, t_ms + holds[i], i % 2 ? 6 : 8);
		t_ms += holds[i];
	}
	mark_clock(b, t_ms);
	CU_ASSERT_EQUAL(feed(b, t_ms, "align", "{\"until_ns\":%lld}", (t_ms + 100) * MS), 0);
}

static void a_lag_is_taken_out_once_it_is_known(void)
{
	static const int64_t lags_ms[] = {0, 40, 170};

	for (size_t i = 0; i < UNIT_COUNT(lags_ms); i++) {
		struct bench b = ready_to_align("2 s", lags_ms[i]);
		const struct outcome *o = open_close(&b, 560, d3cold);
		struct align_result a;
		size_t n;

		CU_ASSERT_EQUAL(o->verdict, VERDICT_UNMEASURED);
		CU_ASSERT_STRING_EQUAL(o->meter_why, "the meter is not aligned with the target");
		step_load(&b, 1000);
		o = analysis_outcomes(b.analysis, &n);
		CU_ASSERT_EQUAL(n, 1);
		CU_ASSERT_EQUAL(analysis_open(b.analysis), 0);
		CU_ASSERT_EQUAL(o->verdict, VERDICT_CONFIRMED);
		a = alignment_result(analysis_alignment(b.analysis), 1, 0);
		CU_ASSERT_TRUE(a.is_wanted && a.is_found && a.is_ok);
		CU_ASSERT_EQUAL(a.steps, 6);
		CU_ASSERT(fabs(a.offset_ms - (double)lags_ms[i]) <= a.u95_ms);
		CU_ASSERT(fabs(o->to_d3cold_ms - (560 - 520)) <= o->to_d3cold_error_ms);
		CU_ASSERT(o->to_d3cold_error_ms >= 5 + 1 + 2 + a.u95_ms);
		/* The levels too: what was read of D3hot before is not all of D3hot. */
		CU_ASSERT_DOUBLE_EQUAL(analysis_levels(b.analysis, 1, 0)->d3hot.level.mean_w, 6,
				       0.01);
		end_bench(&b);
	}
}

static void a_cycle_is_judged_by_the_steps_before_until_there_are_later_ones(void)
{
	struct bench b = ready_to_align("2 s", 40);
	const struct outcome *o;
	double before_ms, before_error_ms;
	size_t n;

	open_close(&b, 560, d3cold);
	step_load(&b, 1000);
	o = analysis_outcomes(b.analysis, &n);
	before_ms = o->to_d3cold_ms;
	before_error_ms = o->to_d3cold_error_ms;
	begin(&b, 10, 0, 2600);
	draw(&b, 2590, 2900, 0);
	dwell(&b, 2600, 2800, d3cold, d3cold);
	o = end(&b, 2850, "done");
	CU_ASSERT_EQUAL(o->verdict, VERDICT_CONFIRMED);
	CU_ASSERT_EQUAL(analysis_open(b.analysis), 1);
	CU_ASSERT_TRUE(isnan(alignment_result(analysis_alignment(b.analysis), 1, 0).drift_ppm));
	b.lag_ms = 50; /* it drifts */
	step_load(&b, 3100);
	CU_ASSERT_DOUBLE_EQUAL(alignment_result(analysis_alignment(b.analysis), 1, 0).drift_ppm,
			       10e6 / 2100, 1000);
	CU_ASSERT_EQUAL(alignment_result(analysis_alignment(b.analysis), 1, 0).steps, 12);
	/* What lies before the steps before is not touched. */
	o = analysis_outcomes(b.analysis, &n);
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_DOUBLE_EQUAL(o->to_d3cold_ms, before_ms, 0);
	CU_ASSERT_DOUBLE_EQUAL(o->to_d3cold_error_ms, before_error_ms, 0);
	end_bench(&b);
}

static void a_time_that_is_too_uncertain_is_no_evidence(void)
{
	struct bench b = ready_to_align("20 ms", 40);
	const struct outcome *o;
	size_t n;

	open_close(&b, 560, d3cold);
	step_load(&b, 1000);
	o = analysis_outcomes(b.analysis, &n);
	CU_ASSERT_EQUAL(o->verdict, VERDICT_UNMEASURED);
	CU_ASSERT_STRING_EQUAL(o->meter_why,
			       "the meter's time is not known to a tenth of the dwell");
	CU_ASSERT_TRUE(o->window.valid); /* what it drew is told all the same */
	CU_ASSERT_TRUE(alignment_result(analysis_alignment(b.analysis), 1, 0).is_found);
	CU_ASSERT_FALSE(alignment_result(analysis_alignment(b.analysis), 1, 0).is_ok);
	CU_ASSERT_TRUE(alignment_is_coarse(analysis_alignment(b.analysis)));
	end_bench(&b);
}

static void a_meter_that_is_not_aligned_has_a_reason(void)
{
	struct bench b = ready_to_align("2 s", 0);
	struct align_result a = alignment_result(analysis_alignment(b.analysis), 1, 0);

	CU_ASSERT_TRUE(a.is_wanted && !a.is_found);
	CU_ASSERT_STRING_EQUAL(a.why, "no steps were made");
	CU_ASSERT_EQUAL(feed(&b, 320, "step-failed", "{\"device\":\"" DEVICE0 "\",\"why\":\"no\"}"),
			0);
	a = alignment_result(analysis_alignment(b.analysis), 1, 0);
	CU_ASSERT_STRING_EQUAL(a.why, "no device could be stepped");
	b.lag_ms = 5000;
	step_load(&b, 1000);
	a = alignment_result(analysis_alignment(b.analysis), 1, 0);
	CU_ASSERT_FALSE(a.is_found);
	CU_ASSERT_STRING_EQUAL(a.why, "there are no readings of the steps");
	CU_ASSERT_TRUE(
		alignment_is_done(analysis_alignment(b.analysis), 3000 * MS)); /* no use to wait */
	end_bench(&b);
}

static const struct unit_case cases[] = {
	{"a lag is taken out once it is known", a_lag_is_taken_out_once_it_is_known},
	{"a cycle is judged by the steps before until there are later ones",
	 a_cycle_is_judged_by_the_steps_before_until_there_are_later_ones},
	{"a time that is too uncertain is no evidence",
	 a_time_that_is_too_uncertain_is_no_evidence},
	{"a meter that is not aligned has a reason", a_meter_that_is_not_aligned_has_a_reason},
};

int main(void)
{
	return run_file_run("alignment", cases, UNIT_COUNT(cases));
}
