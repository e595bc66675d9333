/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Journals written by hand and fed to an analysis, for the tests of what comes of them. Times are in
 * milliseconds of the controller; the target's clock is 1000 s ahead. Everything happens on device 0,
 * which draws 8 W in D0, 6 W in D3hot.
 */
#ifndef COLDRIG_TEST_JOURNAL_H
#define COLDRIG_TEST_JOURNAL_H

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis.h"
#include "test_run_file.h"
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

struct bench {
	struct small_lab s;
	struct store *store;
	struct analysis *analysis;
	const struct outcome *finished;
	int segment, arm;
	int64_t cycle;
	int64_t lag_ms; /* of the meter */
};

static inline int feed(struct bench *b, int64_t t_ms, const char *kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Writes an entry and feeds it. */
static inline int feed(struct bench *b, int64_t t_ms, const char *kind, const char *format, ...)
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

static inline void draw(struct bench *b, int64_t from_ms, int64_t to_ms, double power_w)
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

static inline void arm_up(struct bench *b)
{
	CU_ASSERT_EQUAL(
		feed(b, 0, "arm-up", "{\"hello\":{\"release\":\"6.1.0\",\"agent\":\"0.1\"}}"), 0);
}

static inline void mark_clock(struct bench *b, int64_t t_ms)
{
	CU_ASSERT_EQUAL(feed(b, t_ms, "clock",
			     "{\"controller_ns\":%lld,\"target_ns\":%lld,\"error_ns\":2000000}",
			     t_ms * MS, TARGET(t_ms)),
			0);
}

static inline void watch(struct bench *b)
{
	CU_ASSERT_EQUAL(
		feed(b, 20, "watch", "{\"device\":\"" DEVICE0 "\",\"witness\":\"tracefs\"}"), 0);
}

static inline void measure_levels(struct bench *b)
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
static inline struct bench ready_for(struct small_lab s, int64_t lag_ms)
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

static inline struct bench ready(void)
{
	return ready_for(small_lab_new(""), 0);
}

static inline void end_bench(struct bench *b)
{
	analysis_free(b->analysis);
	store_close(b->store);
	small_lab_free(&b->s);
}

static inline void begin(struct bench *b, int64_t ordinal, int scenario, int64_t t_ms)
{
	b->cycle = ordinal;
	CU_ASSERT_EQUAL(feed(b, t_ms, "cycle-begin",
			     "{\"device\":\"" DEVICE0 "\",\"scenario_index\":%d,\"number\":1}",
			     scenario),
			0);
}

static inline void act(struct bench *b, int64_t from_ms, int64_t to_ms)
{
	CU_ASSERT_EQUAL(feed(b, to_ms, "action", "{\"t0_ns\":%lld,\"t1_ns\":%lld}", TARGET(from_ms),
			     TARGET(to_ms)),
			0);
}

static inline void rpm(struct bench *b, int64_t t_ms, const char *what, int64_t error_ms)
{
	CU_ASSERT_EQUAL(feed(b, t_ms, "rpm",
			     "{\"bdf\":\"" DEVICE0
			     "\",\"what\":\"%s\",\"t_ns\":%lld,\"error_ns\":%lld}",
			     what, TARGET(t_ms), error_ms * MS),
			0);
}

static inline void dwell(struct bench *b, int64_t from_ms, int64_t to_ms, const char *at_begin,
			 const char *at_end)
{
	CU_ASSERT_EQUAL(feed(b, from_ms, "state", "{\"at\":\"begin\",\"state\":%s}", at_begin), 0);
	CU_ASSERT_EQUAL(feed(b, to_ms, "state", "{\"at\":\"end\",\"state\":%s}", at_end), 0);
	CU_ASSERT_EQUAL(feed(b, to_ms, "window", "{\"t0_ns\":%lld,\"t1_ns\":%lld}", from_ms * MS,
			     to_ms * MS),
			0);
}

static inline const struct outcome *end(struct bench *b, int64_t t_ms, const char *how)
{
	CU_ASSERT_EQUAL(feed(b, t_ms, "cycle-end", "{\"end\":\"%s\",\"why\":\"because\"}", how), 0);
	b->cycle = -1;
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->finished);
	return b->finished;
}

static const double dead = -1; /* no readings at all */

/* An idle cycle that draws a power over 400 to 600 ms. */
static inline const struct outcome *idle(struct bench *b, double power_w, const char *at_begin,
					 const char *at_end)
{
	begin(b, 11, 0, 390);
	if (!(power_w <= dead))
		draw(b, 400, 601, power_w);
	dwell(b, 400, 600, at_begin, at_end);
	return end(b, 610, "done");
}

/* Opened from 400 to 420 ms, closed from 500 to 520 ms; the rail is on up to fall_ms. */
static inline const struct outcome *open_close(struct bench *b, int64_t fall_ms, const char *state)
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

#endif
