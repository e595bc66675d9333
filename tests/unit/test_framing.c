/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing.h"

#include <string.h>

#include "unit.h"

static void a_question_is_a_whole_line(void)
{
	static const char *const none[] = {"", "*IDN?", "SYST:REMOTE\n", "*IDN?\nINST"};
	static const char *const one[] = {"*IDN?\n", "INST:NSEL 1\nMEAS:VOLT?\n"};

	for (size_t i = 0; i < UNIT_COUNT(none); i++)
		CU_ASSERT_FALSE(framing_is_question(FRAMING_LINES, none[i], strlen(none[i])));
	for (size_t i = 0; i < UNIT_COUNT(one); i++)
		CU_ASSERT_TRUE(framing_is_question(FRAMING_LENGTH, one[i], strlen(one[i])));
}

static void an_answer_is_a_line(void)
{
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LINES, "?\n", 2, "", 0), 0);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LINES, "?\n", 2, "12", 2), 0);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LINES, "?\n", 2, "12\n", 3), 3);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LINES, "?\n", 2, "12\n34\n", 6), 3);
}

static void an_answer_has_its_length_before_it(void)
{
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LENGTH, "?\n", 2, "", 0), 0);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LENGTH, "?\n", 2, "\3\0\0", 3), 0);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LENGTH, "?\n", 2, "\3\0\0\0", 4), 7);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LENGTH, "?\n", 2, "\0\1\0\0", 4), 260);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_LENGTH, "?\n", 2, "\xff\xff\xff\xff", 4),
			(size_t)0xffffffff + 4);
}

static void an_answer_has_as_many_bytes_as_always(void)
{
	CU_ASSERT_FALSE(framing_is_question(FRAMING_KORAD, "OUT1", 4));
	CU_ASSERT_TRUE(framing_is_question(FRAMING_KORAD, "OUT1STATUS?", 11));
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_KORAD, "OUT1STATUS?", 11, "", 0), 1);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_KORAD, "VOUT1?", 6, "1", 1), 5);
	CU_ASSERT_EQUAL(framing_answer_size(FRAMING_KORAD, "*IDN?", 5, "", 0), FRAMING_STRANGE);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"a question is a whole line", a_question_is_a_whole_line},
		{"an answer is a line", an_answer_is_a_line},
		{"an answer has its length before it", an_answer_has_its_length_before_it},
		{"an answer has as many bytes as always", an_answer_has_as_many_bytes_as_always},
	};

	return unit_run("framing", cases, UNIT_COUNT(cases));
}
