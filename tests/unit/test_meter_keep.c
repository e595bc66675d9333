/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A meter that is lost and comes back, with each fault that a meter or its line can have. */
#include <errno.h>

#include "fake_tty.h"
#include "meter_faults.h"

static const char *const volts[] = {"V1"};

static void stall(void)
{
	lost_and_back(SCPI_STALL, SCPI_TCP, hear_words("no answer for", SILENCE / 4 * 3));
}

static void deaf(void)
{
	lost_and_back(SCPI_HALF_STALL, SCPI_TCP, hear_words("no answer for", SILENCE / 4 * 3));
}

static void closed(void)
{
	lost_and_back(SCPI_CLOSE, SCPI_TCP, "closed the connection");
}

static void reset(void)
{
	lost_and_back(SCPI_RESET, SCPI_TCP, "reset by peer");
}

/* Closed, or reset where the next question was quicker. */
static void zero_then_closed(void)
{
	lost_and_back(SCPI_ZERO_CLOSE, SCPI_TCP, SCPI_GONE);
}

static void empty_then_closed(void)
{
	lost_and_back(SCPI_EMPTY_CLOSE, SCPI_TCP, SCPI_GONE);
}

static void half_then_closed(void)
{
	lost_and_back(SCPI_HALF_CLOSE, SCPI_TCP, "closed the connection");
}

static void endless(void)
{
	lost_and_back(SCPI_ENDLESS, SCPI_TCP, "has no end");
}

static void nothing_but_letters(void)
{
	lost_and_back(SCPI_MAD, SCPI_TCP, hear_words("no reading for", SILENCE));
}

static void serial_stall(void)
{
	lost_and_back(SCPI_STALL, SCPI_TERMINAL, "no answer for 0.9 s");
}

static void serial_half_then_nothing(void)
{
	lost_and_back(SCPI_HALF_STALL, SCPI_TERMINAL, "no answer for 0.9 s");
}

static void serial_nothing_but_letters(void)
{
	lost_and_back(SCPI_MAD, SCPI_TERMINAL, hear_words("no reading for", SILENCE));
}

/* libsigrok waits 1 s there and asks anew: this answer would be that one's, and all others one channel off. */
static void serial_late(void)
{
	struct scpi_server server = {
		.identity = scpi_dp832, .line = SCPI_TERMINAL, .fault = SCPI_LATE, .fault_at = AT};
	static const char *const both[] = {"V1", "I1"};
	struct meter_options options = {
		.channels = both, .channels_n = 2, .rate_hz = 1000.0, .silence_ns = 2 * SECOND};
	struct meter_keep *keep = NULL;
	char spec[128];

	scpi_server_launch(&server);
	scpi_server_spec(&server, "scpi-pps", spec);
	options.spec = spec;
	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, NULL), 0);
	hear(keep, 2 * AT, 5 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), "no answer for 0.9 s");
	expect_faithful(&server, both);
	CU_ASSERT_EQUAL(heard.samples_n, 2 * AT); /* and back */
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

static void letters(void)
{
	fourths_are_dropped(SCPI_GARBLE, SCPI_TCP, "no number '4q7'");
}

static void nan_answers(void)
{
	fourths_are_dropped(SCPI_NAN, SCPI_TCP, "no number 'nan'");
}

static void empty_answers(void)
{
	fourths_are_dropped(SCPI_EMPTY, SCPI_TCP, "no number ''");
}

static void nul_answers(void)
{
	fourths_are_dropped(SCPI_NUL, SCPI_TCP, "no number '.4'");
}

static void double_answers(void)
{
	fourths_are_dropped(SCPI_DOUBLE, SCPI_TCP, "more than one answer '4.5'");
}

static void serial_letters(void)
{
	fourths_are_dropped(SCPI_GARBLE, SCPI_TERMINAL, "no number '4q7'");
}

static void serial_nul_answers(void)
{
	fourths_are_dropped(SCPI_NUL, SCPI_TERMINAL, "no number '.4'");
}

static void split(void)
{
	all_are_read(SCPI_SPLIT, SCPI_TCP);
	all_are_read(SCPI_CRLF, SCPI_TCP);
}

static void serial_split(void)
{
	all_are_read(SCPI_SPLIT, SCPI_TERMINAL);
	all_are_read(SCPI_CRLF, SCPI_TERMINAL);
}

/* 40 ms a reading where the two go out as two segments and the first has to be acknowledged. */
static void one_segment_a_reading(void)
{
	struct scpi_server server;
	struct meter_keep *keep;
	unsigned segments, answers;

	scpi_server_start(&server, SCPI_GOOD, 0);
	keep = keep_server(&server);
	hear(keep, 200, 10 * SECOND);
	meter_keep_close(keep);
	CU_ASSERT_TRUE(scpi_server_left(&server));
	segments = server.shared->segments;
	answers = server.shared->answers;
	CU_ASSERT(answers >= 200);
	CU_ASSERT(segments <= answers + 2); /* and what closing it takes */
	scpi_server_stop(&server);
}

/* libsigrok's own timer would take 20 s for these. */
static void faster_than_the_timer_of_10_ms(void)
{
	struct scpi_server server;
	struct meter_keep *keep;

	scpi_server_start(&server, SCPI_GOOD, 0);
	keep = keep_server(&server);
	hear(keep, 2000, 15 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 2000);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

static void idn_is_not_answered_at_first(void)
{
	struct scpi_server server = {
		.identity = scpi_dp832, .fault = SCPI_MUTE_IDN, .fault_once = true};
	int64_t start = scpi_now_ns();
	struct meter_options options;
	struct meter_keep *keep;
	char spec[128];

	scpi_server_launch(&server);
	scpi_server_spec(&server, "scpi-pps", spec);
	options = hear_options(spec, watts, 3);
	options.start_ns = START_LIMIT;
	keep = keep_options(&options);
	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), hear_words("not ready after", START_LIMIT));
	CU_ASSERT(heard_kind(METER_EVENT_LOST)->t_ns - start < patient(3 * SECOND));
	hear(keep, 50, 10 * SECOND);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_READY), 1);
	CU_ASSERT_EQUAL(heard.samples_n, 50);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

/* The meter is switched off, and on again later. */
static void switched_off_and_on(void)
{
	struct scpi_server server;
	struct meter_keep *keep;
	int port;

	scpi_server_start(&server, SCPI_GOOD, 0);
	port = server.port;
	keep = keep_server(&server);
	hear(keep, 50, 10 * SECOND);
	scpi_server_stop(&server);
	hear(keep, SAMPLES, 2 * SECOND);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_LOST), 1);
	expect_text(heard_kind(METER_EVENT_NOTE), "refused"); /* the connection, and told once */
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_NOTE), 1);
	CU_ASSERT_TRUE(heard.lost);

	server = (struct scpi_server){.identity = scpi_dp832, .port = port};
	scpi_server_launch(&server);
	hear(keep, 50, 10 * SECOND);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_READY), 1);
	CU_ASSERT_EQUAL(heard.samples_n, 50);
	expect_faithful(&server, watts);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

static void another_instrument_is_refused(void)
{
	struct scpi_server server = {.identity = scpi_dp832,
				     .identity_later = scpi_dp832_other,
				     .fault = SCPI_CLOSE,
				     .fault_at = AT,
				     .fault_once = true};
	struct meter_keep *keep;

	scpi_server_launch(&server);
	keep = keep_server(&server);
	hear_loss(keep, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, AT - 1);
	hear(keep, SAMPLES, 2 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 0);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_READY), 0);
	CU_ASSERT_EQUAL(heard_count(METER_EVENT_NOTE), 1);
	expect_text(heard_kind(METER_EVENT_NOTE), "refused: 'Rigol DP832 00.01.16 DP8C000002'");
	CU_ASSERT(server.shared->connections > 4); /* it is looked for further */
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

static void process_crashes(void)
{
	struct meter_keep *keep = keep_spec("fake:w=1", watts, 1);
	pid_t child = newest_child();

	hear(keep, 1, 5 * SECOND);
	if (child > 0) {
		kill(child, SIGABRT); /* the sanitizer would catch SIGSEGV */
		hear_loss(keep, 5 * SECOND);
		expect_text(heard_kind(METER_EVENT_LOST), "process ended: Aborted");
		hear(keep, 100, 5 * SECOND);
		CU_ASSERT_EQUAL(heard.samples_n, 100);
		CU_ASSERT_EQUAL(heard_count(METER_EVENT_READY), 1);
	} else {
		printf(" [skipped: no /proc/.../children] ");
	}
	meter_keep_close(keep);
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
	CU_ASSERT_EQUAL(errno, ECHILD);
}

static void hopeless_is_told_once_and_is_the_end(void)
{
	struct meter_keep *keep = keep_spec("fake:v=12:a=1", (const char *const[]){"Q1"}, 1);

	hear_loss(keep, 5 * SECOND);
	CU_ASSERT_TRUE(heard_kind(METER_EVENT_LOST)->hopeless);
	expect_text(heard_kind(METER_EVENT_LOST), "no channel 'Q1'");
	hear(keep, 1, SECOND / 2);
	CU_ASSERT_EQUAL(heard.samples_n + heard.events_n, 0);
	meter_keep_close(keep);
}

static void units_are_told_before_readings(void)
{
	struct meter_keep *keep = keep_spec("fake:v=12:a=1", volts, 1);
	const struct meter_event *channel;

	hear(keep, 10, 5 * SECOND);
	channel = heard_kind(METER_EVENT_CHANNEL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(channel);
	CU_ASSERT_STRING_EQUAL(channel->text, "V1");
	CU_ASSERT_STRING_EQUAL(channel->unit, "V");
	CU_ASSERT_EQUAL(heard.at_event[channel - heard.events], 0);
	CU_ASSERT_DOUBLE_EQUAL(heard.samples[9].value, 12, 0);
	meter_keep_close(keep);
}

/* All channels, lost before the first reading or with three of nine read: no unit is lost with it. */
static void units_outlive_a_loss(void)
{
	for (unsigned at = 1; at <= 4; at += 3) {
		struct scpi_server server = {.identity = scpi_dp832,
					     .fault = SCPI_CLOSE,
					     .fault_at = at,
					     .fault_once = true};
		struct meter_keep *keep;
		char spec[128];

		scpi_server_launch(&server);
		scpi_server_spec(&server, "scpi-pps", spec);
		keep = keep_spec(spec, NULL, 0);
		hear_loss(keep, 10 * SECOND);
		hear(keep, 50, 10 * SECOND);
		CU_ASSERT_EQUAL(heard.samples_n, 50);
		CU_ASSERT_EQUAL(heard_count(METER_EVENT_READY), 1);
		CU_ASSERT_EQUAL(heard_count(METER_EVENT_CHANNEL), 9 - (at - 1));
		for (size_t i = 0; i < heard.events_n; i++)
			CU_ASSERT(heard.events[i].kind != METER_EVENT_CHANNEL ||
				  *heard.events[i].unit);
		meter_keep_close(keep);
		scpi_server_stop(&server);
	}
}

static void bad_options_are_refused_at_once(void)
{
	struct meter_options options = hear_options("fake:w=", NULL, 0);
	struct meter_keep *keep = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(meter_keep_open(&options, &keep, &err), -EINVAL);
	CU_ASSERT_NOT_EQUAL(strlen(err.text), 0);
	CU_ASSERT_PTR_NULL(keep);
	meter_keep_close(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"the meter stalls", stall},
		{"half an answer, then nothing", deaf},
		{"the meter closes the connection", closed},
		{"the meter resets the connection", reset},
		{"a false 0.0, then the end", zero_then_closed},
		{"an empty answer, then the end", empty_then_closed},
		{"half an answer, then the end", half_then_closed},
		{"an answer without an end", endless},
		{"nothing but letters", nothing_but_letters},
		{"answers with letters", letters},
		{"answers of nan", nan_answers},
		{"empty answers", empty_answers},
		{"answers that begin with NUL", nul_answers},
		{"two answers to one question", double_answers},
		{"answers in two and three segments, *IDN? too", split},
		{"*IDN? is not answered at first", idn_is_not_answered_at_first},
		{"channel and question are one segment", one_segment_a_reading},
		{"faster than the timer of 10 ms", faster_than_the_timer_of_10_ms},
		{"serial line: the meter stalls", serial_stall},
		{"serial line: half an answer, then nothing", serial_half_then_nothing},
		{"serial line: an answer later than libsigrok waits", serial_late},
		{"serial line: nothing but letters", serial_nothing_but_letters},
		{"serial line: answers with letters", serial_letters},
		{"serial line: answers that begin with NUL", serial_nul_answers},
		{"serial line: answers in two and three pieces, *IDN? too", serial_split},
		{"the meter is switched off and on", switched_off_and_on},
		{"another instrument comes back", another_instrument_is_refused},
		{"the meter's process crashes", process_crashes},
		{"hopeless is told once and is the end", hopeless_is_told_once_and_is_the_end},
		{"units are told before readings", units_are_told_before_readings},
		{"units outlive a loss", units_outlive_a_loss},
		{"bad options are refused at once", bad_options_are_refused_at_once},
	};

	return unit_run("meter_keep", cases, UNIT_COUNT(cases));
}
