/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A meter that is lost and comes back, with each fault that a meter or its line can have. */
#include <errno.h>
#include <math.h>

#include "fake_tty.h"
#include "meter_hear.h"

#define AT 50 /* the answer that the fault begins with */

static const char *const watts[] = {"P1", "P2", "P3"};
static const char *const volts[] = {"V1"};

static struct meter_keep *keep_options(const struct meter_options *options)
{
	struct meter_keep *keep = NULL;
	struct err err = {""};

	heard.of = NULL;
	CU_ASSERT_EQUAL(meter_keep_open(options, &keep, &err), 0);
	if (!keep) {
		printf("%s\n", err.text);
		abort();
	}
	return keep;
}

static struct meter_keep *keep_spec(const char *spec, const char *const *channels, size_t n)
{
	const struct meter_options options = hear_options(spec, channels, n);

	return keep_options(&options);
}

static const char *server_spec(const struct scpi_server *server)
{
	static char spec[128];

	if (server->port)
		snprintf(spec, sizeof(spec), "scpi-pps:conn=tcp-raw/127.0.0.1/%d", server->port);
	else
		snprintf(spec, sizeof(spec), "scpi-pps:conn=%s:serialcomm=115200/8n1",
			 server->terminal);
	return spec;
}

static struct meter_keep *keep_server(const struct scpi_server *server)
{
	return keep_spec(server_spec(server), watts, 3);
}

static void hear(struct meter_keep *keep, size_t samples_n, int64_t limit_ns)
{
	hear_until((struct ear){.keep = keep}, samples_n, false, limit_ns);
	CU_ASSERT(heard.longest_read_ns < patient(SECOND / 2));
}

static void hear_loss(struct meter_keep *keep, int64_t limit_ns)
{
	hear_until((struct ear){.keep = keep}, SAMPLES, true, limit_ns);
	CU_ASSERT(heard.longest_read_ns < patient(SECOND / 2));
}

static void expect_text(const struct meter_event *event, const char *word)
{
	CU_ASSERT_PTR_NOT_NULL(event);
	if (!event)
		return;
	CU_ASSERT_PTR_NOT_NULL(strstr(event->text, word));
	if (!strstr(event->text, word))
		printf(" [told: '%s', want '%s'] ", event->text, word);
}

/* Lost within 2 s with words, what came before is true and ends there; then it is back by itself. */
static void lost_and_back(enum scpi_fault fault, bool on_terminal, const char *word)
{
	struct scpi_server server = {
		.identity = scpi_dp832, .fault = fault, .fault_at = AT, .fault_once = true};
	struct meter_keep *keep;
	int64_t last_ns;

	scpi_server_launch(&server, on_terminal ? -1 : 0);
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

static void stall(void)
{
	lost_and_back(SCPI_STALL, false, hear_words("no answer for", SILENCE / 4 * 3));
}

static void deaf(void)
{
	lost_and_back(SCPI_HALF_STALL, false, hear_words("no answer for", SILENCE / 4 * 3));
}

static void closed(void)
{
	lost_and_back(SCPI_CLOSE, false, "closed the connection");
}

static void reset(void)
{
	lost_and_back(SCPI_RESET, false, "reset by peer");
}

/* Closed, or reset where the next question was quicker. */
static void zero_then_closed(void)
{
	lost_and_back(SCPI_ZERO_CLOSE, false, "onnection");
}

static void empty_then_closed(void)
{
	lost_and_back(SCPI_EMPTY_CLOSE, false, "onnection");
}

static void half_then_closed(void)
{
	lost_and_back(SCPI_HALF_CLOSE, false, "closed the connection");
}

static void endless(void)
{
	lost_and_back(SCPI_ENDLESS, false, "has no end");
}

static void nothing_but_letters(void)
{
	lost_and_back(SCPI_MAD, false, hear_words("no reading for", SILENCE));
}

static void serial_stall(void)
{
	lost_and_back(SCPI_STALL, true, hear_words("no answer for", SILENCE / 4 * 3));
}

static void serial_half_then_nothing(void)
{
	lost_and_back(SCPI_HALF_STALL, true, hear_words("no answer for", SILENCE / 4 * 3));
}

static void serial_nothing_but_letters(void)
{
	lost_and_back(SCPI_MAD, true, hear_words("no reading for", SILENCE));
}

/* Every fourth answer is none: three of four are read, and it is said why. */
static void fourths_are_dropped(enum scpi_fault fault, bool on_terminal, const char *word)
{
	struct scpi_server server = {.identity = scpi_dp832, .fault = fault};
	struct meter_keep *keep;
	size_t fourths = 0;

	scpi_server_launch(&server, on_terminal ? -1 : 0);
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

static void letters(void)
{
	fourths_are_dropped(SCPI_GARBLE, false, "no number '4q7'");
}

static void nan_answers(void)
{
	fourths_are_dropped(SCPI_NAN, false, "no number 'nan'");
}

static void empty_answers(void)
{
	fourths_are_dropped(SCPI_EMPTY, false, "no number ''");
}

static void nul_answers(void)
{
	fourths_are_dropped(SCPI_NUL, false, "no number '.4'");
}

static void double_answers(void)
{
	fourths_are_dropped(SCPI_DOUBLE, false, "more than one answer '4.5'");
}

static void serial_letters(void)
{
	fourths_are_dropped(SCPI_GARBLE, true, "no number '4q7'");
}

static void serial_nul_answers(void)
{
	fourths_are_dropped(SCPI_NUL, true, "no number '.4'");
}

static void all_are_read(enum scpi_fault fault, bool on_terminal)
{
	struct scpi_server server = {.identity = scpi_dp832, .fault = fault};
	struct meter_keep *keep;

	scpi_server_launch(&server, on_terminal ? -1 : 0);
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

static void split(void)
{
	all_are_read(SCPI_SPLIT, false);
	all_are_read(SCPI_CRLF, false);
}

static void serial_split(void)
{
	all_are_read(SCPI_SPLIT, true);
	all_are_read(SCPI_CRLF, true);
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

	scpi_server_launch(&server, 0);
	options = hear_options(server_spec(&server), watts, 3);
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

	server = (struct scpi_server){.identity = scpi_dp832};
	scpi_server_launch(&server, port);
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

	scpi_server_launch(&server, 0);
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
		{"serial line: nothing but letters", serial_nothing_but_letters},
		{"serial line: answers with letters", serial_letters},
		{"serial line: answers that begin with NUL", serial_nul_answers},
		{"serial line: answers in two and three pieces, *IDN? too", serial_split},
		{"the meter is switched off and on", switched_off_and_on},
		{"another instrument comes back", another_instrument_is_refused},
		{"the meter's process crashes", process_crashes},
		{"hopeless is told once and is the end", hopeless_is_told_once_and_is_the_end},
		{"units are told before readings", units_are_told_before_readings},
		{"bad options are refused at once", bad_options_are_refused_at_once},
	};

	return unit_run("meter_keep", cases, UNIT_COUNT(cases));
}
