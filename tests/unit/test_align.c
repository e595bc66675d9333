/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Synthetic meters: what they read of a known load is delayed, drifts, is filtered and noisy. */
#include <math.h>
#include <stdlib.h>

#include "align.h"
#include "unit.h"

#define MS	    INT64_C(1000000)
#define STEPS_MAX   16
#define SAMPLES_MAX 4000
#define LOW_W	    6.0
#define HIGH_W	    8.2
#define BEGIN	    (500 * MS) /* of the first step */

/* A meter and its faults. Times in ms. */
struct meter {
	double period, lag, drift, filter, noise_w;
};

struct bench {
	struct align_step steps[STEPS_MAX];
	int64_t truth_ns[STEPS_MAX]; /* when the load really changed */
	size_t steps_n;
	struct edge_sample samples[SAMPLES_MAX];
	size_t samples_n;
	struct align_mark mark;
	const char *why;
};

static const int golomb[] = {1, 3, 6, 2, 5, 0};
static const int periodic[] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0};

/* Steps up and down by turns after holds of so many units. The load changes early in the time that is
 * known of a step up, and late in that of a step down: as opening and closing a device do. */
static struct bench *stepped(const int *holds, int64_t unit_ns, int64_t uncertain_ns)
{
	struct bench *b = calloc(1, sizeof(*b));
	int64_t t_ns = BEGIN;

	for (size_t i = 0;; i++) {
		bool up = i % 2 == 0;

		b->steps[b->steps_n] = (struct align_step){t_ns, t_ns + uncertain_ns, up};
		b->truth_ns[b->steps_n++] = t_ns + uncertain_ns * (up ? 1 : 9) / 10;
		if (!holds[i])
			return b;
		t_ns += uncertain_ns + holds[i] * unit_ns;
	}
}

static double load_w(const struct bench *b, double t_ns)
{
	double w = LOW_W;

	for (size_t i = 0; i < b->steps_n && t_ns >= (double)b->truth_ns[i]; i++)
		w = b->steps[i].is_up ? HIGH_W : LOW_W;
	return w;
}

/* About normal, from a sum of twelve. */
static double noise(unsigned *seed)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += (double)rand_r(seed) / RAND_MAX;
	return sum;
}

static void read_meter(struct bench *b, const struct meter *m, unsigned seed)
{
	double end_ns = (double)b->steps[b->steps_n - 1].to_ns + (m->lag + 400) * 1e6,
	       seen_w = LOW_W;
	double t_ns = 1e6 * m->period * rand_r(&seed) / RAND_MAX;

	for (; t_ns < end_ns && b->samples_n < SAMPLES_MAX; t_ns += m->period * 1e6) {
		double lag_ns = m->lag * 1e6 + m->drift * t_ns;

		/* A filter of first order, run ten times as fast as it is read. */
		for (int i = 9; i >= 0; i--) {
			double w = load_w(b, t_ns - lag_ns - i * m->period * 1e5);

			seen_w += m->filter > 0
					  ? (w - seen_w) * (1 - exp(-m->period / m->filter / 10))
					  : w - seen_w;
		}
		b->samples[b->samples_n++] = (struct edge_sample){
			(int64_t)t_ns, MS / 20, seen_w + m->noise_w * noise(&seed)};
	}
}

static int find(struct bench *b)
{
	return align_find(b->steps, b->steps_n, b->samples, b->samples_n, &b->mark, &b->why);
}

static double off_ms(const struct bench *b, double lag_ms)
{
	return fabs((double)b->mark.lag_ns / 1e6 - lag_ms);
}

/* An error of 95 % may be exceeded by one in twenty, and by no more than itself. */
static void assert_95(const struct bench *b, double lag_ms, int *exceeded)
{
	*exceeded += off_ms(b, lag_ms) > (double)b->mark.error_ns / 1e6;
	CU_ASSERT(off_ms(b, lag_ms) <= 2 * (double)b->mark.error_ns / 1e6);
}

static void the_lag_of_a_meter_is_found_within_its_error(void)
{
	static const struct meter meters[] = {
		{6.67, 0, 0, 0, 0.008},	  {6.67, 40, 0, 0, 0.008},    {6.67, 40, 0, 0, 0.3},
		{1, 3, 0, 0, 0.008},	  {20, 300, 0, 0, 0.008},     {6.67, 1500, 0, 0, 0.1},
		{6.67, -100, 0, 0, 0.01}, {6.67, 40, 1e-3, 0, 0.008},
	};
	static const int64_t uncertain_ms[] = {0, 1, 15, 60};

	for (size_t i = 0; i < UNIT_COUNT(meters); i++) {
		for (unsigned seed = 1; seed < 60; seed++) {
			struct bench *b = stepped(golomb, 60 * MS, uncertain_ms[seed % 4] * MS);
			double lag_ms;

			read_meter(b, &meters[i], seed);
			CU_ASSERT_EQUAL(find(b), 1);
			lag_ms = meters[i].lag + meters[i].drift * (double)b->mark.t_ns / 1e6;
			CU_ASSERT(b->mark.steps >= 5);
			CU_ASSERT(off_ms(b, lag_ms) <= (double)b->mark.error_ns / 1e6);
			CU_ASSERT((double)b->mark.error_ns / 1e6 <
				  meters[i].period + 0.2 * (double)uncertain_ms[seed % 4] + 2);
			free(b);
		}
	}
}

/* The readings of a filter of first order cross the middle of a step ln 2 time constants late. */
static void a_filter_is_a_lag(void)
{
	int exceeded = 0;

	for (unsigned seed = 1; seed <= 60; seed++) {
		struct bench *b = stepped(golomb, 80 * MS, 5 * MS);

		read_meter(b, &(struct meter){5, 10, 0, 20, 0.02}, seed);
		CU_ASSERT_EQUAL(find(b), 1);
		assert_95(b, 10 + 20 * log(2), &exceeded);
		free(b);
	}
	CU_ASSERT(exceeded <= 3);
}

static void readings_without_a_step_are_no_alignment(void)
{
	for (unsigned seed = 1; seed < 200; seed++) {
		struct bench *b = stepped(golomb, 60 * MS, 10 * MS);

		read_meter(b, &(struct meter){6.67, 40, 0, 0, 0.3}, seed);
		for (size_t i = 0; i < b->samples_n; i++)
			b->samples[i].power_w = HIGH_W + 0.01 * noise(&seed);
		CU_ASSERT_EQUAL(find(b), 0);
		CU_ASSERT_PTR_NOT_NULL(b->why);
		free(b);
	}
}

/* Replaces what was read from some step to the next one. */
static void hide(struct bench *b, size_t step, double power_w)
{
	for (size_t i = 0; i < b->samples_n; i++) {
		if (b->samples[i].t_ns >= b->truth_ns[step] &&
		    b->samples[i].t_ns < b->truth_ns[step + 1])
			b->samples[i].power_w = power_w;
	}
}

static void steps_that_the_meter_missed_are_few_or_too_many(void)
{
	struct bench *b = stepped((int[]){1, 3, 6, 2, 5, 4, 7, 0}, 60 * MS, 10 * MS);

	read_meter(b, &(struct meter){6.67, 0, 0, 0, 0.008}, 1);
	hide(b, 2, LOW_W);
	CU_ASSERT_EQUAL(find(b), 1);
	CU_ASSERT_EQUAL(b->mark.steps, 6);
	CU_ASSERT(off_ms(b, 0) <= (double)b->mark.error_ns / 1e6);
	hide(b, 4, LOW_W);
	CU_ASSERT_EQUAL(find(b), 0);
	CU_ASSERT_STRING_EQUAL(b->why, "the readings do not show the steps");
	free(b);
}

/* A device beside it that draws more now and then: edges that are nobody's, and a third level. */
static void edges_of_other_causes_do_not_matter(void)
{
	int exceeded = 0;

	for (unsigned seed = 1; seed <= 60; seed++) {
		struct bench *b = stepped(golomb, 60 * MS, 10 * MS);
		unsigned s = seed;

		read_meter(b, &(struct meter){6.67, 25, 0, 0, 0.02}, seed);
		for (size_t i = 0; i < b->samples_n; i++) {
			if (b->samples[i].t_ns < BEGIN - 150 * MS)
				b->samples[i].power_w -= LOW_W; /* the rail was off before */
			if (rand_r(&s) % 40 == 0)
				b->samples[i].power_w += 70; /* inrush, busy */
		}
		CU_ASSERT_EQUAL(find(b), 1);
		assert_95(b, 25, &exceeded);
		free(b);
	}
	CU_ASSERT(exceeded <= 3);
}

static void a_pattern_that_repeats_is_ambiguous(void)
{
	struct bench *b = stepped(periodic, 60 * MS, 5 * MS);

	read_meter(b, &(struct meter){6.67, 40, 0, 0, 0.008}, 1);
	CU_ASSERT_EQUAL(find(b), 0);
	CU_ASSERT_STRING_EQUAL(b->why, "the steps fit the readings at more than one lag");
	free(b);
}

static void a_lag_out_of_range_is_not_found(void)
{
	static const double lags[] = {-400, 2500};

	for (size_t i = 0; i < UNIT_COUNT(lags); i++) {
		struct bench *b = stepped(golomb, 60 * MS, 5 * MS);

		read_meter(b, &(struct meter){6.67, lags[i], 0, 0, 0.008}, 1);
		CU_ASSERT_EQUAL(find(b), 0);
		free(b);
	}
}

static void too_little_to_go_by_has_its_reason(void)
{
	struct bench *b = stepped(golomb, 60 * MS, 5 * MS);

	CU_ASSERT_EQUAL(find(b), 0);
	CU_ASSERT_STRING_EQUAL(b->why, "there are no readings of the steps");
	read_meter(b, &(struct meter){6.67, 0, 0, 0, 0.008}, 1);
	b->steps_n = 3;
	CU_ASSERT_EQUAL(find(b), 0);
	CU_ASSERT_STRING_EQUAL(b->why, "the target made too few steps");
	free(b);
}

/* The slower a meter is read, the less it says. */
static void a_slow_meter_has_a_large_error(void)
{
	int64_t before_ns = 0;

	for (int period = 5; period <= 80; period *= 4) {
		struct bench *b = stepped(golomb, 250 * MS, 5 * MS);

		read_meter(b, &(struct meter){period, 20, 0, 0, 0.008}, 3);
		CU_ASSERT_EQUAL(find(b), 1);
		CU_ASSERT(b->mark.error_ns > 2 * before_ns);
		before_ns = b->mark.error_ns;
		free(b);
	}
	CU_ASSERT(before_ns > 20 * MS);
}

static void the_lag_lies_on_the_line_between_marks(void)
{
	struct align_mark at[] = {{1000 * MS, 10 * MS, 2 * MS, 6}, {2000 * MS, 30 * MS, 5 * MS, 6}};
	static const struct {
		int64_t t, lag, error_us;
	} rows[] = {
		{0, 10, 2100},	  {1000, 10, 5000},  {1500, 20, 5000},
		{2000, 30, 5000}, {12000, 30, 6000},
	};
	struct align_marks marks = {at, 2};
	int64_t error_ns;

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		CU_ASSERT_EQUAL(align_lag(&marks, rows[i].t * MS, &error_ns), rows[i].lag * MS);
		CU_ASSERT_EQUAL(error_ns / 1000, rows[i].error_us);
	}
	marks.n = 0;
	CU_ASSERT_EQUAL(align_lag(&marks, MS, &error_ns), 0);
	CU_ASSERT_EQUAL(error_ns, 0);
	CU_ASSERT_EQUAL(align_lag(&marks, MS, NULL), 0);
}

static const struct unit_case cases[] = {
	{"the lag of a meter is found within its error",
	 the_lag_of_a_meter_is_found_within_its_error},
	{"a filter is a lag", a_filter_is_a_lag},
	{"readings without a step are no alignment", readings_without_a_step_are_no_alignment},
	{"steps that the meter missed are few or too many",
	 steps_that_the_meter_missed_are_few_or_too_many},
	{"edges of other causes do not matter", edges_of_other_causes_do_not_matter},
	{"a pattern that repeats is ambiguous", a_pattern_that_repeats_is_ambiguous},
	{"a lag out of range is not found", a_lag_out_of_range_is_not_found},
	{"too little to go by has its reason", too_little_to_go_by_has_its_reason},
	{"a slow meter has a large error", a_slow_meter_has_a_large_error},
	{"the lag lies on the line between marks", the_lag_lies_on_the_line_between_marks},
};

int main(void)
{
	return unit_run("align", cases, UNIT_COUNT(cases));
}
