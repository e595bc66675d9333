/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "ktap.h"
#include "unit.h"

static void each_kind_of_line_is_known(void)
{
	static const struct {
		const char *line;
		enum ktap_kind kind;
		size_t planned;
		enum ktap_outcome outcome;
		const char *name, *text;
	} rows[] = {
		{"KTAP version 1", KTAP_OTHER, 0, 0, "", ""},
		{"1..87", KTAP_PLAN, 87, 0, "", ""},
		{"# p1-a: no SIGBUS", KTAP_NOTE, 0, 0, "", "p1-a: no SIGBUS"},
		{"ok 1 p0-open", KTAP_RESULT, 0, KTAP_PASS, "p0-open", ""},
		{"not ok 12 p1-a", KTAP_RESULT, 0, KTAP_FAIL, "p1-a", ""},
		{"not ok 42 p4-a # TIMEOUT", KTAP_RESULT, 0, KTAP_FAIL, "p4-a", "TIMEOUT"},
		{"ok 34 p3-a # SKIP 0000:00:0a.0: why", KTAP_RESULT, 0, KTAP_SKIP, "p3-a",
		 "0000:00:0a.0: why"},
		{"ok 34 p3-a # SKIP", KTAP_RESULT, 0, KTAP_SKIP, "p3-a", ""},
		{"Bail out! no device", KTAP_BAILOUT, 0, 0, "", "no device"},
		{"", KTAP_OTHER, 0, 0, "", ""},
		{"ok", KTAP_OTHER, 0, 0, "", ""},
		{"ok p0-open", KTAP_OTHER, 0, 0, "", ""},
		{"not ok 3", KTAP_OTHER, 0, 0, "", ""},
		{"ok 3 # SKIP", KTAP_OTHER, 0, 0, "", ""},
		{"1..x", KTAP_OTHER, 0, 0, "", ""},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct ktap_line line;

		ktap_parse(rows[i].line, &line);
		CU_ASSERT_EQUAL(line.kind, rows[i].kind);
		CU_ASSERT_EQUAL(line.planned, rows[i].planned);
		if (line.kind != KTAP_OTHER) {
			CU_ASSERT_EQUAL(line.outcome, rows[i].outcome);
			CU_ASSERT_STRING_EQUAL(line.name, rows[i].name);
			CU_ASSERT_STRING_EQUAL(line.text, rows[i].text);
		}
	}
}

static void what_is_too_long_is_cut(void)
{
	char text[1000] = "ok 1 ";
	struct ktap_line line;

	memset(text + 5, 'n', sizeof(text) - 6);
	text[sizeof(text) - 1] = 0;
	ktap_parse(text, &line);
	CU_ASSERT_EQUAL(line.kind, KTAP_RESULT);
	CU_ASSERT_EQUAL(strlen(line.name), KTAP_NAME_SIZE - 1);
	text[0] = '#';
	text[1] = ' ';
	ktap_parse(text, &line);
	CU_ASSERT_EQUAL(strlen(line.text), KTAP_TEXT_SIZE - 1);
}

static const struct unit_case cases[] = {
	{"each kind of line is known", each_kind_of_line_is_known},
	{"what is too long is cut", what_is_too_long_is_cut},
};

int main(void)
{
	return unit_run("ktap", cases, UNIT_COUNT(cases));
}
