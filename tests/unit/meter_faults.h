/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each fault of a meter or its line must come to, on whichever line. */
#ifndef COLDRIG_METER_FAULTS_H
#define COLDRIG_METER_FAULTS_H

#include <math.h>

#include "meter_hear.h"

#define AT 50 /* the answer that the fault begins with */

static const char *const watts[] = {"P1", "P2", "P3"};

static inline struct meter_keep *keep_spec(const char *spec, const char *const *channels, size_t n)
{
	struct meter_options options = hear_options(spec, channels, n);
	struct meter_keep *keep = NULL;
	struct err err = {""};

	heard.of = NULL;
	CU_ASSERT_EQUAL(meter_keep_open(&options, &keep, &err), 0);
	if (!keep) {
		printf("%s\n", err.text);
		abort();
	}
	return keep;
}

static inline struct meter_keep *keep_server(const struct scpi_server *server)
{
	char spec[128];

	scpi_server_spec(server, "scpi-pps", spec);
	return keep_spec(spec, watts, 3);
}

static inline void hear(struct meter_keep *keep, size_t samples_n, int64_t limit_ns)
{
	hear_until((struct ear){.keep = keep}, samples_n, false, limit_ns);
	CU_ASSERT(heard.longest_read_ns < patient(SECOND / 2));
}

static inline void hear_loss(struct meter_keep *keep, int64_t limit_ns)
{
	hear_until((struct ear){.keep = keep}, SAMPLES, true, limit_ns);
	CU_ASSERT(heard.longest_read_ns < patient(SECOND / 2));
}

static inline void expect_text(const struct meter_event *event, const char *word)
{
	CU_ASSERT_PTR_NOT_NULL(event);
	if (!event)
		return;
	CU_ASSERT_PTR_NOT_NULL(strstr(event->text, word));
	if (!strstr(event->text, word))
		printf(" [told: '%s', want '%s'] ", event->text, word);
}

/* Lost within 2 s with words, what came before is true and ends there; then it is back by itself. */
static inline void lost_and_back(enum scpi_fault fault, enum scpi_line line, const char *word)
{
	struct scpi_server server = {.identity = scpi_dp832,
				     .line = line,
				     .fault = fault,
				     .fault_at = AT,
				     .fault_once = true};
	struct meter_keep *keep;
	int64_t last_ns;

	scpi_server_launch(&server);
	keep = keep_server(&server);
	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), word);
	CU_ASSERT_EQUAL_FATAL(heard.samples_n, AT - 1);
	expect_faithful(&server, watts);
	last_ns = heard.samples[AT - 2].t_ns;
	CU_ASSERT(heard_kind(METER_EVENT_LOST)->t_ns - last_ns < patient(2 * SECOND));

	hear(keep, 100, 10 * SECOND);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_READY), 1);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_LOST), 0);
	CU_ASSERT_EQUAL_FATAL(heard.samples_n, 100);
	expect_faithful(&server, watts);
	CU_ASSERT(heard_kind(METER_EVENT_READY)->t_ns <= heard.samples[0].t_ns);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

/* Every fourth answer is none: three of four are read, and it is said why. */
static inline void fourths_are_dropped(enum scpi_fault fault, enum scpi_line line, const char *word)
{
	struct scpi_server server = {.identity = scpi_dp832, .line = line, .fault = fault};
	struct meter_keep *keep;
	size_t fourths = 0;

	scpi_server_launch(&server);
	keep = keep_server(&server);
	hear(keep, 150, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 150);
	CU_ASSERT_FALSE(heard.lost_once);
	expect_faithful(&server, watts);
	for (size_t i = 0; i < heard.samples_n; i++)
		fourths += fmod(heard.samples[i].value, 4.0) == 0.0;
	CU_ASSERT_EQUAL(fourths, 0);
	expect_text(heard_kind(METER_EVENT_NOTE), word);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

static inline void all_are_read(enum scpi_fault fault, enum scpi_line line)
{
	struct scpi_server server = {.identity = scpi_dp832, .line = line, .fault = fault};
	struct meter_keep *keep;

	scpi_server_launch(&server);
	keep = keep_server(&server);
	hear(keep, 150, 10 * SECOND);
	CU_ASSERT_EQUAL_FATAL(heard.samples_n, 150);
	CU_ASSERT_FALSE(heard.lost_once);
	CU_ASSERT_EQUAL(server.shared->connections, 2); /* found and opened at once */
	CU_ASSERT_EQUAL(heard.samples[149].value - heard.samples[0].value, 149);
	expect_faithful(&server, watts);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

#endif
