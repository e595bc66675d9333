/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an instrument answers in the place of a number, on each way by which a number gets here. */
#include <math.h>

#include "fake_tty.h"
#include "meter_hear.h"

#define READINGS 80 /* with one in four dropped enough for each of the words */

static const char *const power[] = {"P1"};

/* How a driver is connected to the server. */
static const struct way {
	const char *name, *driver, *identity;
	enum scpi_line line;
} ways[] = {
	{"scpi-pps on TCP", "scpi-pps", scpi_dp832, SCPI_TCP},
	{"scpi-pps on a terminal", "scpi-pps", scpi_dp832, SCPI_TERMINAL},
	{"scpi-pps on tcp-rigol", "scpi-pps", scpi_dp832, SCPI_RIGOL},
	{"scpi-dmm on TCP", "scpi-dmm", scpi_34405a, SCPI_TCP},
};

static struct meter_keep *start(struct scpi_server *server, const struct way *way)
{
	struct meter_options options = hear_options(NULL, power, 1);
	struct meter_keep *keep = NULL;
	struct err err = {""};
	char spec[128];

	server->identity = way->identity;
	server->line = way->line;
	scpi_server_launch(server);
	scpi_server_spec(server, way->driver, spec);
	options.spec = spec;
	heard.of = NULL;
	CU_ASSERT_EQUAL_FATAL(meter_keep_open(&options, &keep, &err), 0);
	return keep;
}

/* Three of four answers are numbers, and those are read; whether the fourths are as well. */
static void hear_way(const struct way *way, struct scpi_server server, bool fourths_are_read)
{
	struct meter_keep *keep = start(&server, way);
	size_t fourths = 0;

	hear_until((struct ear){.keep = keep}, READINGS, true, 10 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, READINGS);
	CU_ASSERT_FALSE(heard.lost_once);
	if (heard.lost_once || heard.samples_n < READINGS)
		printf(" [%s: %s] ", way->name, heard.lost_text);
	expect_faithful(&server, power);
	for (size_t i = 0; i < heard.samples_n; i++)
		fourths += fmod(heard.samples[i].value, 4.0) == 0.0;
	CU_ASSERT_EQUAL(fourths > 0, fourths_are_read);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

static void expect_dropped(const char *text, const char *why)
{
	const char *const says[] = {text, NULL};

	for (size_t i = 0; i < UNIT_COUNT(ways); i++) {
		const struct meter_event *note;

		hear_way(&ways[i], (struct scpi_server){.fault = SCPI_SAYS, .says = says}, false);
		note = heard_kind(METER_EVENT_NOTE);
		CU_ASSERT_PTR_NOT_NULL_FATAL(note);
		CU_ASSERT_PTR_NOT_NULL(strstr(note->text, why));
		if (!strstr(note->text, why))
			printf(" [%s: '%s'] ", ways[i].name, note->text);
	}
}

/* SCPI-99 has no other word for them; multimeters say so of what is too much for their range. */
static void overload_is_no_reading(void)
{
	expect_dropped("+9.90000000E+37", "overload '+9.90000000E+37'");
}

static void scpi_has_a_number_that_is_none(void)
{
	expect_dropped("9.91E37", "not a number '9.91E37'");
}

static void words_are_no_readings(void)
{
	static const char *const says[] = {"9.9E37",   "9.91E+37",
					   "-9.9E37",  "1E38",
					   "****",     "-----",
					   "OL",       "+OL",
					   "-OVLD",    "ERROR",
					   "ERR 5",    "-113,\"Undefined header\"",
					   "5,ERROR",  "+1.2E+00,+3.4E+00",
					   "1,234",    "5;6",
					   "#15hello", "0x10",
					   "1e",       "5 5",
					   "5mV",      ".",
					   "+",	       "inf",
					   NULL};

	for (size_t i = 0; i < UNIT_COUNT(ways); i++)
		hear_way(&ways[i], (struct scpi_server){.fault = SCPI_SAYS, .says = says}, false);
}

static void a_unit_behind_the_number_is_read(void)
{
	for (size_t i = 0; i < UNIT_COUNT(ways); i++)
		hear_way(&ways[i], (struct scpi_server){.fault = SCPI_UNIT}, true);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"an overload is no reading", overload_is_no_reading},
		{"SCPI has a number that is none", scpi_has_a_number_that_is_none},
		{"words are no readings", words_are_no_readings},
		{"a unit behind the number is read", a_unit_behind_the_number_is_read},
	};

	return unit_run("meter_answers", cases, UNIT_COUNT(cases));
}
