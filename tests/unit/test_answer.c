/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "answer.h"

#include <math.h>
#include <string.h>

#include "unit.h"

static void numbers_and_what_is_none(void)
{
	static const char *const good[] = {"1", "0.000\n", "-1.5E+01\r\n", "+.5", "12.3 W\n", "7W"};
	static const char *const bad[] = {"",	 "\n",	  "nan", "inf\n", "0x10", "12q",
					  "1 2", "1e999", "W",	 "1,5",	  "--1",  "1WW"};

	for (size_t i = 0; i < UNIT_COUNT(good); i++)
		CU_ASSERT_TRUE(isfinite(answer_number(good[i], strlen(good[i]))));
	for (size_t i = 0; i < UNIT_COUNT(bad); i++)
		CU_ASSERT_TRUE(isnan(answer_number(bad[i], strlen(bad[i]))));
	CU_ASSERT_TRUE(isnan(answer_number("\0"
					   "12",
					   3)));
	CU_ASSERT_DOUBLE_EQUAL(answer_number("-1.5E+01\r\n", 10), -15, 0);
}

static void numbers_that_scpi_has_for_none(void)
{
	static const double good[] = {0, -1e-30, 1e12, 8.9e37, -8.9e37};
	static const double bad[] = {9.9e37, -9.9e37, 1e38, (double)9.9e37F, INFINITY, -INFINITY};

	for (size_t i = 0; i < UNIT_COUNT(good); i++)
		CU_ASSERT_PTR_NULL(answer_no_reading(good[i]));
	for (size_t i = 0; i < UNIT_COUNT(bad); i++)
		CU_ASSERT_STRING_EQUAL(answer_no_reading(bad[i]), "overload");
	CU_ASSERT_STRING_EQUAL(answer_no_reading(9.91e37), "not a number");
	CU_ASSERT_STRING_EQUAL(answer_no_reading((double)9.91e37F), "not a number");
	CU_ASSERT_STRING_EQUAL(answer_no_reading((double)NAN), "not a number");
}

static void answers_are_shown(void)
{
	char text[ANSWER_SHOWN], line[100];

	answer_printable("12\x01q\r\n", 6, text);
	CU_ASSERT_STRING_EQUAL(text, "12.q");
	answer_printable("\r\n", 2, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	memset(line, 'a', sizeof(line));
	answer_printable(line, sizeof(line), text);
	CU_ASSERT_EQUAL(strlen(text), ANSWER_SHOWN - 1);
	answer_hex("\x01\x83\xff", 3, text);
	CU_ASSERT_STRING_EQUAL(text, "01 83 ff");
	answer_hex("", 0, text);
	CU_ASSERT_STRING_EQUAL(text, "");
	answer_hex(line, sizeof(line), text);
	CU_ASSERT_EQUAL(strlen(text), 3 * 15 - 1);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"numbers and what is none", numbers_and_what_is_none},
		{"numbers that SCPI has for what is none", numbers_that_scpi_has_for_none},
		{"answers are shown", answers_are_shown},
	};

	return unit_run("answer", cases, UNIT_COUNT(cases));
}
