/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A meter on libsigrok's tcp-rigol, whose answers have a length before them, with each fault that it can have. */
#include "meter_faults.h"

static void stall(void)
{
	lost_and_back(SCPI_STALL, SCPI_RIGOL, hear_words("no answer for", SILENCE / 4 * 3));
}

static void half_then_nothing(void)
{
	lost_and_back(SCPI_HALF_STALL, SCPI_RIGOL, hear_words("no answer for", SILENCE / 4 * 3));
}

static void closed(void)
{
	lost_and_back(SCPI_CLOSE, SCPI_RIGOL, "closed the connection");
}

static void reset(void)
{
	lost_and_back(SCPI_RESET, SCPI_RIGOL, "reset by peer");
}

static void zero_then_closed(void)
{
	lost_and_back(SCPI_ZERO_CLOSE, SCPI_RIGOL, SCPI_GONE);
}

static void half_then_closed(void)
{
	lost_and_back(SCPI_HALF_CLOSE, SCPI_RIGOL, "closed the connection");
}

static void too_long(void)
{
	lost_and_back(SCPI_ENDLESS, SCPI_RIGOL, "said to have 16777220 bytes");
}

static void letters(void)
{
	fourths_are_dropped(SCPI_GARBLE, SCPI_RIGOL, "no number '4q7'");
}

static void empty_answers(void)
{
	fourths_are_dropped(SCPI_EMPTY, SCPI_RIGOL, "no number ''");
}

static void double_answers(void)
{
	fourths_are_dropped(SCPI_DOUBLE, SCPI_RIGOL, "more than one answer '4'");
}

static void split(void)
{
	all_are_read(SCPI_SPLIT, SCPI_RIGOL);
	all_are_read(SCPI_CRLF, SCPI_RIGOL);
}

/* A port for plain lines: the first four letters of its answer are no length. */
static void lines_are_no_frames(void)
{
	struct scpi_server server;
	struct meter_keep *keep;
	char spec[128];

	scpi_server_start(&server, SCPI_GOOD, 0);
	server.line = SCPI_RIGOL; /* the server's process has its own */
	scpi_server_spec(&server, "scpi-pps", spec);
	keep = keep_spec(spec, watts, 1);
	hear_loss(keep, 10 * SECOND);
	expect_text(heard_kind(METER_EVENT_LOST), "is said to have");
	CU_ASSERT_EQUAL(heard.samples_n, 0);
	meter_keep_close(keep);
	scpi_server_stop(&server);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"the meter stalls", stall},
		{"half an answer, then nothing", half_then_nothing},
		{"the meter closes the connection", closed},
		{"the meter resets the connection", reset},
		{"a false 0.0, then the end", zero_then_closed},
		{"half an answer, then the end", half_then_closed},
		{"an answer that is too long", too_long},
		{"answers with letters", letters},
		{"empty answers", empty_answers},
		{"two answers to one question", double_answers},
		{"answers in two and three segments, *IDN? too", split},
		{"the meter speaks lines", lines_are_no_frames},
	};

	return unit_run("meter_rigol", cases, UNIT_COUNT(cases));
}
