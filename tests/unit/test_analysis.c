/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Journals written by hand. Times are in milliseconds of the controller; the target's clock is
 * 1000 s ahead. Everything happens on device 0, which draws 8 W in D0, 6 W in D3hot.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis.h"
#include "report.h"
#include "test_small_lab.h"
#include "unit.h"

#define MS	  1000000LL
#define TARGET(t) ((t)*MS + 1000000 * MS)
#define TICK_MS	  10 /* between readings */

static const char d0[] = "{\"power_state\":\"D0\",\"runtime_status\":\"active\",\"acpi\":\"D0\"}";
static const char d3hot[] =
	"{\"power_state\":\"D3hot\",\"runtime_status\":\"suspended\",\"acpi\":\"D0\"}";
static const char d3cold[] = "{\"power_state\":\"D3cold\",\"runtime_status\":\"suspended\","
			     "\"port\":{\"acpi\":\"D3cold\"},\"acpi\":\"D0\"}";

static char dir[] = "/tmp/coldrig-analysis-XXXXXX";
static char path[64];

struct bench {
	struct small_lab s;
	struct store *store;
	struct analysis *analysis;
	const struct outcome *finished;
	int segment, arm;
	int64_t cycle;
	int64_t lag_ms; /* of the meter */
};

static int feed(struct bench *b, int64_t t_ms, const char *kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Writes an entry and feeds it. */
static int feed(struct bench *b, int64_t t_ms, const char *kind, const char *format, ...)
{
	struct store_entry entry = {.t_ns = t_ms * MS,
				    .segment = b->segment,
				    .arm = b->arm,
				    .cycle = b->cycle,
				    .kind = kind};
	struct msg *body = NULL;
	char text[1000];
	va_list ap;
	int r;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	CU_ASSERT_EQUAL_FATAL(msg_parse(text, strlen(text), &body, NULL), 0);
	entry.body = body;
	CU_ASSERT_EQUAL(store_append(b->store, &entry, NULL), 0);
	r = analysis_feed(b->analysis, &entry, &b->finished, NULL);
	msg_free(body);
	return r;
}

static void draw(struct bench *b, int64_t from_ms, int64_t to_ms, double power_w)
{
	for (int64_t t = from_ms; t < to_ms; t += TICK_MS) {
		const struct meter_sample sample = {
			.t_ns = (t + b->lag_ms) * MS,
			.error_ns = MS,
			.value = power_w + (t / TICK_MS % 2 ? 0.01 : -0.01),
		};

		CU_ASSERT_EQUAL(store_append_samples(b->store, b->segment, 0, &sample, 1, NULL), 0);
	}
}

static void arm_up(struct bench *b)
{
	CU_ASSERT_EQUAL(
		feed(b, 0, "arm-up", "{\"hello\":{\"release\":\"6.1.0\",\"agent\":\"0.1\"}}"), 0);
}

static void mark_clock(struct bench *b, int64_t t_ms)
{
	CU_ASSERT_EQUAL(feed(b, t_ms, "clock",
			     "{\"controller_ns\":%lld,\"target_ns\":%lld,\"error_ns\":2000000}",
			     t_ms * MS, TARGET(t_ms)),
			0);
}

static void watch(struct bench *b)
{
	CU_ASSERT_EQUAL(
		feed(b, 20, "watch", "{\"device\":\"" DEVICE0 "\",\"witness\":\"tracefs\"}"), 0);
}

static void measure_levels(struct bench *b)
{
	draw(b, 100, 200, 8);
	draw(b, 200, 300, 6);
	CU_ASSERT_EQUAL(feed(b, 201, "level",
			     "{\"device\":\"" DEVICE0
			     "\",\"state\":\"D0\",\"t0_ns\":%lld,\"t1_ns\":%lld,"
			     "\"begin\":%s,\"end\":%s}",
			     100 * MS, 199 * MS, d0, d0),
			0);
	CU_ASSERT_EQUAL(feed(b, 301, "level",
			     "{\"device\":\"" DEVICE0 "\",\"state\":\"D3hot\",\"t0_ns\":%lld,"
			     "\"t1_ns\":%lld,\"begin\":%s,\"end\":%s}",
			     200 * MS, 299 * MS, d3hot, d3hot),
			0);
}

/* Arm "new", watched, clock and levels known: all up to 300 ms. */
static struct bench ready_for(struct small_lab s, int64_t lag_ms)
{
	struct bench b = {.s = s, .segment = 1, .arm = 1, .cycle = -1, .lag_ms = lag_ms};

	unlink(path);
	CU_ASSERT_EQUAL_FATAL(store_create(path, STORE_PAGES_JOURNAL, &b.store, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(analysis_new(b.s.lab, b.s.target, b.s.plan, b.store, &b.analysis), 0);
	arm_up(&b);
	mark_clock(&b, 10);
	watch(&b);
	measure_levels(&b);
	return b;
}

static struct bench ready(void)
{
	return ready_for(small_lab_new(""), 0);
}

static void end_bench(struct bench *b)
{
	analysis_free(b->analysis);
	store_close(b->store);
	small_lab_free(&b->s);
}

static void begin(struct bench *b, int64_t ordinal, int scenario, int64_t t_ms)
{
	b->cycle = ordinal;
	CU_ASSERT_EQUAL(feed(b, t_ms, "cycle-begin",
			     "{\"device\":\"" DEVICE0 "\",\"scenario_index\":%d,\"number\":1}",
			     scenario),
			0);
}

static void act(struct bench *b, int64_t from_ms, int64_t to_ms)
{
	CU_ASSERT_EQUAL(feed(b, to_ms, "action", "{\"t0_ns\":%lld,\"t1_ns\":%lld}", TARGET(from_ms),
			     TARGET(to_ms)),
			0);
}

static void rpm(struct bench *b, int64_t t_ms, const char *what, int64_t error_ms)
{
	CU_ASSERT_EQUAL(feed(b, t_ms, "rpm",
			     "{\"bdf\":\"" DEVICE0
			     "\",\"what\":\"%s\",\"t_ns\":%lld,\"error_ns\":%lld}",
			     what, TARGET(t_ms), error_ms * MS),
			0);
}

static void dwell(struct bench *b, int64_t from_ms, int64_t to_ms, const char *at_begin,
		  const char *at_end)
{
	CU_ASSERT_EQUAL(feed(b, from_ms, "state", "{\"at\":\"begin\",\"state\":%s}", at_begin), 0);
	CU_ASSERT_EQUAL(feed(b, to_ms, "state", "{\"at\":\"end\",\"state\":%s}", at_end), 0);
	CU_ASSERT_EQUAL(feed(b, to_ms, "window", "{\"t0_ns\":%lld,\"t1_ns\":%lld}", from_ms * MS,
			     to_ms * MS),
			0);
}

static const struct outcome *end(struct bench *b, int64_t t_ms, const char *how)
{
	CU_ASSERT_EQUAL(feed(b, t_ms, "cycle-end", "{\"end\":\"%s\",\"why\":\"because\"}", how), 0);
	b->cycle = -1;
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->finished);
	return b->finished;
}

static const double dead = -1; /* no readings at all */

/* An idle cycle that draws a power over 400 to 600 ms. */
static const struct outcome *idle(struct bench *b, double power_w, const char *at_begin,
				  const char *at_end)
{
	begin(b, 11, 0, 390);
	if (!(power_w <= dead))
		draw(b, 400, 601, power_w);
	dwell(b, 400, 600, at_begin, at_end);
	return end(b, 610, "done");
}

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

static void a_skipped_cycle_is_marked(void)
{
	struct bench b = ready();

	begin(&b, 5, 0, 390);
	CU_ASSERT_TRUE(end(&b, 391, "skipped")->skipped);
	CU_ASSERT_TRUE(analysis_is_finished(b.analysis, 5));
	end_bench(&b);
}

/* Opened from 400 to 420 ms, closed from 500 to 520 ms; the rail is on up to fall_ms. */
static const struct outcome *open_close(struct bench *b, int64_t fall_ms, const char *state)
{
	begin(b, 14, 1, 390);
	draw(b, 300, 410, 0);
	act(b, 400, 420);
	draw(b, 410, fall_ms, 8);
	draw(b, fall_ms, 801, 0);
	act(b, 500, 520);
	dwell(b, 700, 800, state, state);
	mark_clock(b, 810);
	return end(b, 820, "done");
}

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
		a = analysis_alignment(b.analysis, 1, 0);
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
	CU_ASSERT_TRUE(isnan(analysis_alignment(b.analysis, 1, 0).drift_ppm));
	b.lag_ms = 50; /* it drifts */
	step_load(&b, 3100);
	CU_ASSERT_DOUBLE_EQUAL(analysis_alignment(b.analysis, 1, 0).drift_ppm, 10e6 / 2100, 1000);
	CU_ASSERT_EQUAL(analysis_alignment(b.analysis, 1, 0).steps, 12);
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
	CU_ASSERT_TRUE(analysis_alignment(b.analysis, 1, 0).is_found);
	CU_ASSERT_FALSE(analysis_alignment(b.analysis, 1, 0).is_ok);
	CU_ASSERT_TRUE(analysis_is_coarse(b.analysis));
	end_bench(&b);
}

static void a_meter_that_is_not_aligned_has_a_reason(void)
{
	struct bench b = ready_to_align("2 s", 0);
	struct align_result a = analysis_alignment(b.analysis, 1, 0);

	CU_ASSERT_TRUE(a.is_wanted && !a.is_found);
	CU_ASSERT_STRING_EQUAL(a.why, "no steps were made");
	CU_ASSERT_EQUAL(feed(&b, 320, "step-failed", "{\"device\":\"" DEVICE0 "\",\"why\":\"no\"}"),
			0);
	a = analysis_alignment(b.analysis, 1, 0);
	CU_ASSERT_STRING_EQUAL(a.why, "no device could be stepped");
	b.lag_ms = 5000;
	step_load(&b, 1000);
	a = analysis_alignment(b.analysis, 1, 0);
	CU_ASSERT_FALSE(a.is_found);
	CU_ASSERT_STRING_EQUAL(a.why, "there are no readings of the steps");
	CU_ASSERT_TRUE(analysis_is_aligned(b.analysis, 3000 * MS)); /* no use to wait */
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

static int touch(struct bench *b, int64_t t_ms, const char *device, int times)
{
	return feed(b, t_ms, "forbidden",
		    "{\"device\":\"%s\",\"function\":\"%s\",\"kind\":\"config-read\","
		    "\"address\":52,\"times\":%d,\"t_ns\":%lld}",
		    device, device, times, (long long)(t_ms * MS));
}

static void watched_arm_up(struct bench *b)
{
	CU_ASSERT_EQUAL(feed(b, 0, "arm-up",
			     "{\"hello\":{\"release\":\"6.1.0\"},\"accesses_watched\":true}"),
			0);
}

static void forbidden_accesses_count_in_the_cycle_in_which_they_are_made(void)
{
	struct bench b = ready();
	const struct outcome_note *notes;
	size_t n;

	watched_arm_up(&b);
	CU_ASSERT_EQUAL(touch(&b, 380, DEVICE0, 1), 0); /* before the cycle */
	begin(&b, 11, 0, 390);
	CU_ASSERT_EQUAL(touch(&b, 400, DEVICE0, 1), 0);
	CU_ASSERT_EQUAL(touch(&b, 410, DEVICE1, 40), 0); /* another device's */
	CU_ASSERT_EQUAL(end(&b, 500, "done")->forbidden_accesses, 41);
	begin(&b, 12, 0, 590);
	CU_ASSERT_EQUAL(end(&b, 700, "done")->forbidden_accesses, 0);
	notes = analysis_notes(b.analysis, &n);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_STRING_EQUAL(notes[0].text, "forbidden: " DEVICE0
					      " was accessed while its rail was off, 2 times; "
					      "first: config-read of " DEVICE0 " at 0x34");
	CU_ASSERT_PTR_NOT_NULL(strstr(notes[1].text, "40 times"));
	CU_ASSERT_EQUAL(feed(&b, 800, "forbidden", "{\"kind\":\"config-read\"}"), -EBADMSG);
	end_bench(&b);
}

static void where_nobody_watches_there_is_no_count_of_forbidden_accesses(void)
{
	struct bench b = ready();

	begin(&b, 11, 0, 390);
	CU_ASSERT_EQUAL(end(&b, 500, "done")->forbidden_accesses, -1);
	watched_arm_up(&b);
	arm_up(&b); /* each boot says anew */
	begin(&b, 12, 0, 590);
	CU_ASSERT_EQUAL(end(&b, 700, "done")->forbidden_accesses, -1);
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

static void what_was_lost_is_noted_for_the_reader(void)
{
	struct bench b = ready();
	const struct outcome_note *notes;
	size_t n;

	CU_ASSERT_EQUAL(feed(&b, 400, "meter", "{\"event\":\"ready\",\"meter\":\"m0\"}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 401, "meter",
			     "{\"event\":\"lost\",\"meter\":\"m0\",\"text\":\"unplugged\"}"),
			0);
	CU_ASSERT_EQUAL(feed(&b, 402, "level-failed", "{\"device\":\"" DEVICE0 "\"}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 403, "target-lost", "{\"why\":\"silence\"}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 404, "panic", "{\"file\":\"panic-x-1.txt\",\"bytes\":3}"), 0);
	CU_ASSERT_EQUAL(feed(&b, 405, "panic", "{}"), -EBADMSG);
	notes = analysis_notes(b.analysis, &n);
	CU_ASSERT_EQUAL_FATAL(n, 4);
	CU_ASSERT_STRING_EQUAL(
		notes[3].text,
		"panic of target box: its kernel panicked; panic-x-1.txt has its log");
	CU_ASSERT_STRING_EQUAL(notes[0].text, "lost meter m0: unplugged");
	CU_ASSERT_STRING_EQUAL(notes[1].text, "no levels of " DEVICE0 ": no reason given");
	CU_ASSERT_STRING_EQUAL(notes[2].text, "lost target box: silence");
	CU_ASSERT_EQUAL(notes[2].arm, 1);
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
		alignments[i] = analysis_alignment(analysis, i / 2, (size_t)i % 2);
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
	{"idle cycles get the verdict of their evidence",
	 idle_cycles_get_the_verdict_of_their_evidence},
	{"an idle cycle has its power but no times", an_idle_cycle_has_its_power_but_no_times},
	{"a lost cycle is lost whatever was read", a_lost_cycle_is_lost_whatever_was_read},
	{"a skipped cycle is marked", a_skipped_cycle_is_marked},
	{"the fall of the rail is timed from the last action",
	 the_fall_of_the_rail_is_timed_from_the_last_action},
	{"a lag is taken out once it is known", a_lag_is_taken_out_once_it_is_known},
	{"a cycle is judged by the steps before until there are later ones",
	 a_cycle_is_judged_by_the_steps_before_until_there_are_later_ones},
	{"a time that is too uncertain is no evidence",
	 a_time_that_is_too_uncertain_is_no_evidence},
	{"a meter that is not aligned has a reason", a_meter_that_is_not_aligned_has_a_reason},
	{"of several falls the one after the last action counts",
	 of_several_falls_the_one_after_the_last_action_counts},
	{"a fall between exact readings ends the search",
	 a_fall_between_exact_readings_ends_the_search},
	{"a time that cannot be taken has a reason", a_time_that_cannot_be_taken_has_a_reason},
	{"waking is timed on the target's clock", waking_is_timed_on_the_targets_clock},
	{"forbidden accesses count in the cycle in which they are made",
	 forbidden_accesses_count_in_the_cycle_in_which_they_are_made},
	{"where nobody watches there is no count of forbidden accesses",
	 where_nobody_watches_there_is_no_count_of_forbidden_accesses},
	{"resumes count as unasked outside of the actions only",
	 resumes_count_as_unasked_outside_of_the_actions_only},
	{"resumes of others and of other times do not count",
	 resumes_of_others_and_of_other_times_do_not_count},
	{"a boot forgets who watched and the clock", a_boot_forgets_who_watched_and_the_clock},
	{"a cycle that was cut off and run again counts once",
	 a_cycle_that_was_cut_off_and_run_again_counts_once},
	{"entries that make no sense are refused", entries_that_make_no_sense_are_refused},
	{"kinds that are not known are passed over", kinds_that_are_not_known_are_passed_over},
	{"a window that a gap reaches into is unmeasured",
	 a_window_that_a_gap_reaches_into_is_unmeasured},
	{"no fall is seen across a gap", no_fall_is_seen_across_a_gap},
	{"what was lost is noted for the reader", what_was_lost_is_noted_for_the_reader},
	{"how an arm was booted is that of its latest boot",
	 how_an_arm_was_booted_is_that_of_its_latest_boot},
	{"the run file gives the same summary each time",
	 the_run_file_gives_the_same_summary_each_time},
	{"what a console says and what is done about it is collected",
	 what_a_console_says_and_what_is_done_about_it_is_collected},
};

int main(void)
{
	char command[100];
	int r;

	if (!mkdtemp(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/run.db", dir);
	r = unit_run("analysis", cases, UNIT_COUNT(cases));
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) == 0 ? r : 2;
}
