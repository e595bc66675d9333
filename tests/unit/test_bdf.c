/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <string.h>

#include "bdf.h"
#include "unit.h"

static void the_kernels_form_is_read(void)
{
	struct bdf bdf;

	CU_ASSERT_EQUAL(bdf_parse("10a0:fe:1f.7", &bdf), 0);
	CU_ASSERT_EQUAL(bdf.domain, 0x10a0);
	CU_ASSERT_EQUAL(bdf.bus, 0xfe);
	CU_ASSERT_EQUAL(bdf.device, 31);
	CU_ASSERT_EQUAL(bdf.function, 7);
}

static void upper_case_comes_back_in_lower_case(void)
{
	char text[BDF_TEXT_SIZE];
	struct bdf bdf;

	CU_ASSERT_EQUAL(bdf_parse("FFFF:AB:0C.3", &bdf), 0);
	bdf_format(&bdf, text);
	CU_ASSERT_STRING_EQUAL(text, "ffff:ab:0c.3");
}

static void every_other_form_is_refused_and_nothing_is_written(void)
{
	static const char *const rows[] = {
		"",
		"01:00.0",
		"0000:01:00",
		"0000:01:00.",
		"0000:01:00.00",
		"0000:01:00.8",
		"0000:01:20.0",
		"0000:01:00:0",
		"0000.01:00.0",
		"00000:01:00.0",
		" 0000:01:00.0",
		"0000:01:00.0 ",
		"0000:g1:00.0",
		"0000:01:00.x",
		"0000:-1:00.0",
		"0000:+1:00.0",
		"0x00:01:00.0",
		"0000: 1:00.0",
		"0000:01:00.0\n",
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct bdf bdf = {.bus = 0x55};

		CU_ASSERT_EQUAL(bdf_parse(rows[i], &bdf), -EINVAL);
		CU_ASSERT_EQUAL(bdf.bus, 0x55);
	}
}

static const struct unit_case cases[] = {
	{"the kernel's form is read", the_kernels_form_is_read},
	{"upper case comes back in lower case", upper_case_comes_back_in_lower_case},
	{"every other form is refused and nothing is written",
	 every_other_form_is_refused_and_nothing_is_written},
};

int main(void)
{
	return unit_run("bdf", cases, UNIT_COUNT(cases));
}
