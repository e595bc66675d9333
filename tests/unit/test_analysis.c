/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of a journal as a whole: its scene, its boots, what is fed again. */
#include "report.h"
#include "test_journal.h"

static void levels_of_the_arm_are_measured(void)
{
	struct bench b = ready();
	const struct result_levels *l = analysis_levels(b.analysis, 1, 0);

	CU_ASSERT_TRUE(l->d0.level.valid && l->d3hot.level.valid);
	CU_ASSERT_DOUBLE_EQUAL(l->d0.level.mean_w, 8, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(l->d3hot.level.mean_w, 6, 1e-9);
	CU_ASSERT_FALSE(analysis_levels(b.analysis, 0, 0)->d0.level.valid);
	CU_ASSERT_PTR_NOT_NULL(analysis_levels(b.analysis, 1, 1)->d0.why);
	CU_ASSERT_STRING_EQUAL(analysis_arm(b.analysis, 1)->kernel, "6.1.0");
	CU_ASSERT_EQUAL(analysis_arm(b.analysis, 1)->boots, 1);
	CU_ASSERT_STRING_EQUAL(analysis_arm(b.analysis, 0)->kernel, "");
	end_bench(&b);
}

static void a_level_in_another_state_is_none(void)
{
	struct bench b = ready();

	CU_ASSERT_EQUAL(feed(&b, 302, "level",
			     "{\"device\":\"" DEVICE0 "\",\"state\":\"D3hot\",\"t0_ns\":%lld,"
			     "\"t1_ns\":%lld,\"begin\":%s,\"end\":%s}",
			     200 * MS, 299 * MS, d3hot, d0),
			0);
	CU_ASSERT_FALSE(analysis_levels(b.analysis, 1, 0)->d3hot.level.valid);
	CU_ASSERT_STRING_EQUAL(analysis_levels(b.analysis, 1, 0)->d3hot.why,
			       "the device could not be brought to this state");
	end_bench(&b);
}

static void a_skipped_cycle_is_marked(void)
{
	struct bench b = ready();

	begin(&b, 5, 0, 390);
	CU_ASSERT_TRUE(end(&b, 391, "skipped")->skipped);
	CU_ASSERT_TRUE(analysis_is_finished(b.analysis, 5));
	end_bench(&b);
}

static void a_boot_forgets_who_watched_and_the_clock(void)
{
	struct bench b = ready();
	const struct outcome *o;

	arm_up(&b);
	o = open_close(&b, 530, d3cold);
	CU_ASSERT_EQUAL(o->unasked_resumes, -1);
	CU_ASSERT_EQUAL(analysis_arm(b.analysis, 1)->boots, 2);
	CU_ASSERT_DOUBLE_EQUAL(o->to_d3cold_ms, 530 - 5 - 520, 0.1); /* from the mark after it */
	end_bench(&b);
}

/* Killed in the middle of cycle 11; a second segment, whose clock starts anew, runs it again. */
static void a_cycle_that_was_cut_off_and_run_again_counts_once(void)
{
	struct bench b = ready();
	const struct outcome *all;
	struct result *result = NULL;
	size_t n;

	begin(&b, 11, 0, 390);
	act(&b, 400, 420);
	rpm(&b, 500, "resume", 0);
	CU_ASSERT_EQUAL(feed(&b, 510, "state", "{\"at\":\"begin\",\"state\":%s}", d0), 0);
	CU_ASSERT_FALSE(analysis_is_finished(b.analysis, 11));
	b.segment = 2;
	b.cycle = -1;
	arm_up(&b);
	mark_clock(&b, 10);
	watch(&b);
	CU_ASSERT_EQUAL(idle(&b, 0, d3cold, d3cold)->verdict, VERDICT_CONFIRMED);
	all = analysis_outcomes(b.analysis, &n);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT(all[0].ordinal == 11 && all[0].unasked_resumes == 0);
	CU_ASSERT_STRING_EQUAL(all[0].wake_why, "this scenario wakes nothing");
	CU_ASSERT_TRUE(analysis_is_finished(b.analysis, 11));
	CU_ASSERT_EQUAL(analysis_result(b.analysis, &result), 0);
	CU_ASSERT_EQUAL(result->rows[4].cycles, 1);
	result_free(result);
	end_bench(&b);
}

static void entries_that_make_no_sense_are_refused(void)
{
	static const struct {
		const char *kind, *body;
	} rows[] = {
		{"arm-up", "{}"},
		{"clock", "{\"controller_ns\":1,\"target_ns\":2}"},
		{"clock", "{\"controller_ns\":1,\"target_ns\":2,\"error_ns\":3}"}, /* backwards */
		{"watch", "{\"device\":\"0000:09:00.0\"}"},
		{"level", "{\"device\":\"" DEVICE0 "\"}"},
		{"cycle-begin", "{\"device\":\"" DEVICE0 "\",\"scenario_index\":2}"},
		{"cycle-begin", "{\"device\":\"" DEVICE0 "\",\"scenario_index\":-1}"},
		{"cycle-begin", "{\"scenario_index\":0}"},
		{"state", "{\"state\":{}}"},
		{"window", "{\"t0_ns\":5,\"t1_ns\":4}"},
		{"rpm", "{\"what\":\"resume\"}"},
		{"cycle-end", "{\"end\":\"done\"}"}, /* of no cycle */
	};
	static const int arms[] = {2, -1};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct bench b = ready();

		b.cycle = 0;
		CU_ASSERT_EQUAL(feed(&b, 400, rows[i].kind, "%s", rows[i].body), -EBADMSG);
		CU_ASSERT_PTR_NULL(b.finished);
		end_bench(&b);
	}
	for (size_t i = 0; i < UNIT_COUNT(arms); i++) {
		struct bench b = ready();

		b.arm = arms[i];
		CU_ASSERT_EQUAL(feed(&b, 1, "arm-up", "{\"hello\":{\"release\":\"6.1\"}}"),
				-EBADMSG);
		CU_ASSERT_EQUAL(
			feed(&b, 1, "level", "{\"device\":\"" DEVICE0 "\",\"state\":\"D0\"}"),
			-EBADMSG);
		end_bench(&b);
	}
}

static void kinds_that_are_not_known_are_passed_over(void)
{
	struct bench b = ready();

	CU_ASSERT_EQUAL(feed(&b, 400, "from-the-future", "{}"), 0);
	CU_ASSERT_PTR_NULL(b.finished);
	end_bench(&b);
}

static void what_a_console_says_and_what_is_done_about_it_is_collected(void)
{
	struct bench b = ready();
	const struct incidents *incidents = analysis_incidents(b.analysis);
	struct incidents_summary sum;

	CU_ASSERT_EQUAL(feed(&b, 500, "console",
			     "{\"kind\":\"panic\",\"text\":\"Kernel panic\",\"device\":null,"
			     "\"t_ns\":499}"),
			0);
	CU_ASSERT_EQUAL(feed(&b, 501, "recovery",
			     "{\"what\":\"step\",\"step\":\"reset\",\"found\":\"new-boot\"}"),
			0);
	CU_ASSERT_EQUAL(feed(&b, 502, "recovery",
			     "{\"what\":\"end\",\"symptom\":\"panicked\",\"back\":true,"
			     "\"by\":\"reset\",\"t0_ns\":100,\"t1_ns\":400}"),
			0);
	CU_ASSERT_EQUAL(feed(&b, 503, "recovery",
			     "{\"what\":\"end\",\"symptom\":\"silent\",\"back\":false,\"by\":null,"
			     "\"t0_ns\":100,\"t1_ns\":900}"),
			0);
	CU_ASSERT_EQUAL(feed(&b, 504, "left-out", "{\"device\":\"" DEVICE0 "\",\"losses\":3}"), 0);
	sum = incidents_of_arm(incidents, 1);
	CU_ASSERT_EQUAL(sum.console[CONSOLE_PANIC], 1);
	CU_ASSERT_EQUAL(sum.console_n, 1);
	CU_ASSERT_EQUAL(sum.recoveries, 2);
	CU_ASSERT_EQUAL(sum.back, 1);
	CU_ASSERT_EQUAL(sum.by[RECOVERY_RESET], 1);
	CU_ASSERT_EQUAL(sum.longest_ns, 300);
	CU_ASSERT_EQUAL(incidents->console[0].event.t_ns, 499);
	CU_ASSERT_PTR_NOT_NULL(incidents_find_left_out(incidents, 1, 0));
	CU_ASSERT_PTR_NULL(incidents_find_left_out(incidents, 0, 0));
	CU_ASSERT_STRING_EQUAL(incidents_find_left_out(incidents, 1, 0)->why, "");
	CU_ASSERT_EQUAL(feed(&b, 505, "left-out",
			     "{\"device\":\"" DEVICE1 "\",\"losses\":1,\"why\":\"gone\"}"),
			0);
	CU_ASSERT_STRING_EQUAL(incidents_find_left_out(incidents, 1, 1)->why, "gone");
	CU_ASSERT_EQUAL(feed(&b, 505, "console", "{\"kind\":\"joy\",\"text\":\"\"}"), -EBADMSG);
	CU_ASSERT_EQUAL(feed(&b, 506, "recovery", "{\"what\":\"end\"}"), -EBADMSG);
	CU_ASSERT_EQUAL(feed(&b, 507, "left-out", "{\"device\":\"nobody\"}"), -EBADMSG);
	end_bench(&b);
}

static char *summary(const struct bench *b, const struct analysis *analysis)
{
	const char *kernels[] = {"", "6.1.0"};
	struct align_result alignments[4];
	struct result *result = NULL;
	struct report report = {.run = "r",
				.alignments = alignments,
				.tool = "0",
				.lab = b->s.lab,
				.target = b->s.target,
				.plan = b->s.plan,
				.kernels = kernels,
				.kexecs = (const struct msg *[]){NULL, NULL}};
	struct msg *msg;
	char *text;

	for (int i = 0; i < 4; i++)
		alignments[i] =
			alignment_result(analysis_alignment(analysis), i / 2, (size_t)i % 2);
	CU_ASSERT_EQUAL_FATAL(analysis_result(analysis, &result), 0);
	report.result = result;
	report.outcomes = analysis_outcomes(analysis, &report.outcomes_n);
	report.incidents = analysis_incidents(analysis);
	msg = report_summary(&report);
	text = msg_dump_pretty(msg);
	msg_free(msg);
	result_free(result);
	return text;
}

static void how_an_arm_was_booted_is_that_of_its_latest_boot(void)
{
	struct bench b = ready();

	CU_ASSERT_PTR_NULL(analysis_arm(b.analysis, 1)->kexec);
	CU_ASSERT_EQUAL(feed(&b, 500, "arm-up",
			     "{\"hello\":{\"release\":\"6.1\"},\"kexec\":{\"from\":\"5.10\"}}"),
			0);
	CU_ASSERT_STRING_EQUAL(msg_get_str(analysis_arm(b.analysis, 1)->kexec, "from"), "5.10");
	CU_ASSERT_EQUAL(feed(&b, 501, "arm-up", "{\"hello\":{\"release\":\"6.1\"}}"), 0);
	CU_ASSERT_PTR_NULL(analysis_arm(b.analysis, 1)->kexec);
	CU_ASSERT_EQUAL(feed(&b, 502, "arm-up",
			     "{\"hello\":{\"release\":\"6.1\"},\"kexec\":{\"from\":\"6.12\"}}"),
			0);
	end_bench(&b);
}

static void the_run_file_gives_the_same_summary_each_time(void)
{
	struct bench b = ready();
	char *first, *again;

	open_close(&b, 530, d3cold);
	CU_ASSERT_EQUAL(store_commit(b.store, NULL), 0);
	store_close(b.store);
	CU_ASSERT_EQUAL_FATAL(store_open(path, true, &b.store, NULL), 0);
	first = summary(&b, b.analysis);
	CU_ASSERT_PTR_NOT_NULL(strstr(first, "\"confirmed\": 1"));
	for (int i = 0; i < 2; i++) {
		struct analysis *replayed = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL_FATAL(
			analysis_new(b.s.lab, b.s.target, b.s.plan, b.store, &replayed), 0);
		CU_ASSERT_EQUAL(analysis_feed_all(replayed, &err), 0);
		again = summary(&b, replayed);
		CU_ASSERT_STRING_EQUAL(first, again);
		free(again);
		analysis_free(replayed);
	}
	free(first);
	end_bench(&b);
}

static const struct unit_case cases[] = {
	{"levels of the arm are measured", levels_of_the_arm_are_measured},
	{"a level in another state is none", a_level_in_another_state_is_none},
	{"a skipped cycle is marked", a_skipped_cycle_is_marked},
	{"a boot forgets who watched and the clock", a_boot_forgets_who_watched_and_the_clock},
	{"a cycle that was cut off and run again counts once",
	 a_cycle_that_was_cut_off_and_run_again_counts_once},
	{"entries that make no sense are refused", entries_that_make_no_sense_are_refused},
	{"kinds that are not known are passed over", kinds_that_are_not_known_are_passed_over},
	{"how an arm was booted is that of its latest boot",
	 how_an_arm_was_booted_is_that_of_its_latest_boot},
	{"the run file gives the same summary each time",
	 the_run_file_gives_the_same_summary_each_time},
	{"what a console says and what is done about it is collected",
	 what_a_console_says_and_what_is_done_about_it_is_collected},
};

int main(void)
{
	return run_file_run("analysis", cases, UNIT_COUNT(cases));
}
