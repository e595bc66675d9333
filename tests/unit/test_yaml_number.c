/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "unit.h"
#include "yaml_number.h"

static void real_numbers_are_read(void)
{
	static const struct {
		const char *text;
		double value;
	} rows[] = {
		{"0", 0},	{"12", 12},	  {"-0.5", -0.5},  {"+3", 3},
		{"1e-3", 1e-3}, {"1E3", 1e3},	  {"2.50e+1", 25}, {"0.1", 0.1},
		{"007", 7},	{"1e308", 1e308}, {"-0", -0.0},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		double value = NAN;

		CU_ASSERT_EQUAL(yaml_number_real(rows[i].text, &value, NULL), 0);
		CU_ASSERT(value >= rows[i].value && value <= rows[i].value);
	}
}

static void what_is_no_real_number_is_refused(void)
{
	static const char *const rows[] = {
		"",	 "-",	"+",	 ".",	   ".5",       "5.",	 "0x10",  "1,5",
		"nan",	 "inf", "-inf",	 "1e",	   "1e+",      "1 ",	 " 1",	  "1 2",
		"1.2.3", "--1", "1e999", "1e-999", "infinity", "NAN(1)", "1_000", "\xef\xbc\x91",
		"1d3",
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		double value = 42;
		struct err why = {""};

		CU_ASSERT_EQUAL(yaml_number_real(rows[i], &value, &why), -22);
		CU_ASSERT(value >= 42 && value <= 42);
		CU_ASSERT(*why.text);
	}
}

static void counts_are_read_to_the_last(void)
{
	uint64_t value = 1;

	CU_ASSERT_EQUAL(yaml_number_count("0", &value, NULL), 0);
	CU_ASSERT_EQUAL(value, 0);
	CU_ASSERT_EQUAL(yaml_number_count("18446744073709551615", &value, NULL), 0);
	CU_ASSERT_EQUAL(value, UINT64_MAX);
}

static void what_is_no_count_is_refused(void)
{
	static const char *const rows[] = {"",
					   "-1",
					   "+1",
					   "1.0",
					   "01",
					   "00",
					   "0x5",
					   "1e3",
					   " 1",
					   "1 ",
					   "18446744073709551616",
					   "99999999999999999999999"};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		uint64_t value = 42;

		CU_ASSERT_EQUAL(yaml_number_count(rows[i], &value, NULL), -22);
		CU_ASSERT_EQUAL(value, 42);
	}
}

static void quantities_are_read_in_their_unit(void)
{
	static const struct {
		const char *text;
		enum yaml_quantity quantity;
		double value;
	} rows[] = {
		{"800 ms", YAML_DURATION, 0.8},	   {"2 s", YAML_DURATION, 2},
		{"1.5 s", YAML_DURATION, 1.5},	   {"250 us", YAML_DURATION, 250e-6},
		{"1 min", YAML_DURATION, 60},	   {"2h", YAML_DURATION, 7200},
		{"17 ns", YAML_DURATION, 17e-9},   {"-1 s", YAML_DURATION, -1},
		{"7e2   ms", YAML_DURATION, 0.7},  {"3.5 W", YAML_POWER, 3.5},
		{"250 mW", YAML_POWER, 0.25},	   {"1 kW", YAML_POWER, 1000},
		{"12 V", YAML_VOLTAGE, 12},	   {"3300 mV", YAML_VOLTAGE, 3.3},
		{"18 mOhm", YAML_OHM, 0.018},	   {"300 Hz", YAML_RATE, 300},
		{"10 kHz", YAML_RATE, 10000},
		{"0.1 %", YAML_PERCENT, 0.001},	   {"0.05%", YAML_PERCENT, 0.0005},
		{"200 ppm", YAML_PERCENT, 0.0002}, {"1024 MiB", YAML_MEMORY, 1024},
		{"1 GiB", YAML_MEMORY, 1024},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		double value = NAN;

		CU_ASSERT_EQUAL(yaml_number_quantity(rows[i].text, rows[i].quantity, &value, NULL),
				0);
		CU_ASSERT(fabs(value - rows[i].value) <= DBL_EPSILON * fabs(rows[i].value));
	}
}

static void what_is_no_quantity_says_why(void)
{
	static const struct {
		const char *text;
		enum yaml_quantity quantity;
		const char *why;
	} rows[] = {
		{"", YAML_DURATION, "a duration is a number and a unit, as in 800 ms"},
		{"ms", YAML_DURATION, "a duration is a number and a unit"},
		{"5", YAML_DURATION, "a duration needs a unit: ns, us, ms, s, min, h"},
		{"5 ", YAML_DURATION, "a duration needs a unit"},
		{"5 sec", YAML_DURATION, "\"sec\" is no unit of a duration: ns, us"},
		{"5 S", YAML_DURATION, "\"S\" is no unit"},
		{"5 s ", YAML_DURATION, "\"s \" is no unit"},
		{"5 s s", YAML_DURATION, "\"s s\" is no unit"},
		{"5 W", YAML_DURATION, "\"W\" is no unit of a duration"},
		{"0x5 s", YAML_DURATION, "\"x5 s\" is no unit"},
		{"nan s", YAML_DURATION, "a number and a unit"},
		{"inf s", YAML_DURATION, "a number and a unit"},
		{"1,5 s", YAML_DURATION, "\",5 s\" is no unit"},
		{"8 days", YAML_DURATION, "no unit"},
		{"169 h", YAML_DURATION, "a duration is at most 7 days"},
		{"-169 h", YAML_DURATION, "a duration is at most 7 days"},
		{"1e308 h", YAML_DURATION, "a duration is at most 7 days"},
		{"1e309 s", YAML_DURATION, "too large"},
		{"5 MW", YAML_POWER, "\"MW\" is no unit of a power: uW, mW, W, kW"},
		{"101 kW", YAML_POWER, "at most 100 kW"},
		{"101 %", YAML_PERCENT, "at most 100 %"},
		{"0.5", YAML_PERCENT, "a percentage needs a unit: %, ppm"},
		{"1 GB", YAML_MEMORY, "no unit of an amount of memory: MiB, GiB"},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct err why = {""};
		double value = 42;

		CU_ASSERT_EQUAL(yaml_number_quantity(rows[i].text, rows[i].quantity, &value, &why),
				-22);
		CU_ASSERT_PTR_NOT_NULL(strstr(why.text, rows[i].why));
		CU_ASSERT(value >= 42 && value <= 42);
	}
}

/* Where the system has such a locale; elsewhere this is the test above once more. */
static void the_locale_makes_no_difference(void)
{
	const char *set = setlocale(LC_ALL, "de_DE.UTF-8");

	quantities_are_read_in_their_unit();
	real_numbers_are_read();
	if (set)
		setlocale(LC_ALL, "C");
}

static const struct unit_case cases[] = {
	{"real numbers are read", real_numbers_are_read},
	{"what is no real number is refused", what_is_no_real_number_is_refused},
	{"counts are read to the last", counts_are_read_to_the_last},
	{"what is no count is refused", what_is_no_count_is_refused},
	{"quantities are read in their unit", quantities_are_read_in_their_unit},
	{"what is no quantity says why", what_is_no_quantity_says_why},
	{"the locale makes no difference", the_locale_makes_no_difference},
};

int main(void)
{
	return unit_run("yaml_number", cases, UNIT_COUNT(cases));
}
