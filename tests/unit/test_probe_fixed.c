/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixed.h"

#include <string.h>

#include "unit.h"

static void numbers_become_millionths(void)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
		{"0", 0},
		{"1", 1000000},
		{"-1.5", -1500000},
		{"+.25", 250000},
		{"3.", 3000000},
		{"0.0000019", 1},
		{"12.3456789", 12345678},
		{"1e3", 1000000000},
		{"2.5E-3", 2500},
		{"1e-30", 0},
		{"1000000000", FIXED_MAX},
		{"0000000000000000000000000001", 1000000},
		{"123456789012345678901234567890e-25", 12345678901},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		int64_t value = 42;

		CU_ASSERT_TRUE(fixed_parse(rows[i].text, strlen(rows[i].text), &value));
		CU_ASSERT_EQUAL(value, rows[i].value);
	}
}

static void what_is_no_number_is_refused(void)
{
	static const char *const rows[] = {"",	    "-",    ".",     "1.2.3", "1x",  "e3",
					   "1e",    "1e+",  "0x1",   " 1",    "1 ",  "nan",
					   "1e3.5", "--1",  "1,5",   "1e10",  "inf", "1000000001",
					   "-2e9",  "9e99", "1e1000"};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		int64_t value = 42;

		CU_ASSERT_FALSE(fixed_parse(rows[i], strlen(rows[i]), &value));
		CU_ASSERT_EQUAL(value, 42);
	}
}

static void values_are_rounded_to_their_decimals(void)
{
	static const struct {
		int64_t value;
		unsigned decimals;
		const char *text;
	} rows[] = {
		{0, 4, "0.0000"},
		{1234567, 4, "1.2346"},
		{-1234567, 4, "-1.2346"},
		{50, 4, "0.0001"},
		{-49, 4, "0.0000"},
		{999999, 0, "1"},
		{12000000, 6, "12.000000"},
		{-5, 6, "-0.000005"},
		{FIXED_MAX, 6, "1000000000.000000"},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		char text[FIXED_TEXT_MAX];

		CU_ASSERT_EQUAL(fixed_format(text, rows[i].value, rows[i].decimals),
				strlen(rows[i].text));
		CU_ASSERT_STRING_EQUAL(text, rows[i].text);
	}
}

static void scaling_rounds_to_nearest_either_way(void)
{
	CU_ASSERT_EQUAL(fixed_scale(5, 1, 10), 1);
	CU_ASSERT_EQUAL(fixed_scale(4, 1, 10), 0);
	CU_ASSERT_EQUAL(fixed_scale(-5, 1, 10), -1);
	CU_ASSERT_EQUAL(fixed_scale(-4, 1, 10), 0);
	CU_ASSERT_EQUAL(fixed_scale(INT32_MAX, INT32_MAX, 1000000), INT64_C(4611686014132));
}

static const struct unit_case cases[] = {
	{"numbers become millionths", numbers_become_millionths},
	{"what is no number is refused", what_is_no_number_is_refused},
	{"values are rounded to their decimals", values_are_rounded_to_their_decimals},
	{"scaling rounds to nearest either way", scaling_rounds_to_nearest_either_way},
};

int main(void)
{
	return unit_run("probe_fixed", cases, UNIT_COUNT(cases));
}
