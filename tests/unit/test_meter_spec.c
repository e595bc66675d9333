/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_spec.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static void driver_alone(void)
{
	struct meter_spec spec;

	CU_ASSERT_EQUAL(meter_spec_parse("demo", &spec, NULL), 0);
	CU_ASSERT_STRING_EQUAL(spec.driver, "demo");
	CU_ASSERT_EQUAL(spec.options_n, 0);
	CU_ASSERT_PTR_NULL(meter_spec_get(&spec, "conn"));
}

static void driver_with_options(void)
{
	struct meter_spec spec;

	CU_ASSERT_EQUAL(meter_spec_parse("a:conn=tcp-raw/192.0.2.7/5025:serialcomm=9600/8n1=x:e=",
					 &spec, NULL),
			0);
	CU_ASSERT_STRING_EQUAL(spec.driver, "a");
	CU_ASSERT_EQUAL(spec.options_n, 3);
	CU_ASSERT_STRING_EQUAL(meter_spec_get(&spec, "conn"), "tcp-raw/192.0.2.7/5025");
	CU_ASSERT_STRING_EQUAL(meter_spec_get(&spec, "serialcomm"), "9600/8n1=x");
	CU_ASSERT_STRING_EQUAL(meter_spec_get(&spec, "e"), "");
}

static void malformed_specs_are_refused_with_words(void)
{
	static const char *const bad[] = {
		"",	     ":",
		":conn=x",   "a:",
		"a:conn",    "a:=x",
		"a:conn=x:", "a:conn=x:conn=y",
		"a b",	     "conn=x",
		"a/b",	     "a:1=:2=:3=:4=:5=:6=:7=:8=:9=:10=:11=:12=:13=:14=:15=:16=:17=",
	};
	struct meter_spec spec;
	struct err err;

	for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
		err.text[0] = '\0';
		CU_ASSERT_EQUAL(meter_spec_parse(bad[i], &spec, &err), -EINVAL);
		CU_ASSERT_NOT_EQUAL(strlen(err.text), 0);
	}
	CU_ASSERT_EQUAL(meter_spec_parse(NULL, &spec, &err), -EINVAL);
}

static void spec_longer_than_the_buffer(void)
{
	char text[2 * METER_SPEC_SIZE];
	struct meter_spec spec;

	memset(text, 'a', sizeof(text));
	text[METER_SPEC_SIZE] = '\0';
	CU_ASSERT_EQUAL(meter_spec_parse(text, &spec, NULL), -EINVAL);
	text[METER_SPEC_SIZE - 1] = '\0';
	CU_ASSERT_EQUAL(meter_spec_parse(text, &spec, NULL), 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"driver alone", driver_alone},
		{"driver with options", driver_with_options},
		{"malformed specs are refused with words", malformed_specs_are_refused_with_words},
		{"spec longer than the buffer", spec_longer_than_the_buffer},
	};

	return unit_run("meter spec", cases, UNIT_COUNT(cases));
}
