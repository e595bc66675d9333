/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "words.h"

#include <string.h>

#include "unit.h"

static void headers_match_in_short_and_long_form_and_any_case(void)
{
	static const struct {
		const char *pattern, *header;
		bool matches;
	} rows[] = {
		{"MEASure:VOLTage?", "MEAS:VOLT?", true},
		{"MEASure:VOLTage?", "measure:voltage?", true},
		{"MEASure:VOLTage?", "Meas:Voltage?", true},
		{"MEASure:VOLTage?", "MEASU:VOLT?", false},
		{"MEASure:VOLTage?", "MEA:VOLT?", false},
		{"MEASure:VOLTage?", "MEAS:VOLT", false},
		{"MEASure:VOLTage?", "MEAS", false},
		{"MEASure:VOLTage?", "MEAS:", false},
		{"MEASure:VOLTage?", "MEAS:VOLT:DC?", false},
		{"MEASure:VOLTage?", "MEAS:VOLTages?", false},
		{"OUTPut", "OUTP", true},
		{"OUTPut", "OUTP?", false},
		{"OUTPut?", "OUTP?", true},
		{"OUTPut?", "OUTP", false},
		{"*IDN?", "*idn?", true},
		{"*IDN?", "*IDN", false},
		{"*IDN?", "", false},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		bool matches = words_match(rows[i].pattern, rows[i].header, strlen(rows[i].header));

		if (matches != rows[i].matches)
			fprintf(stderr, "%s against %s\n", rows[i].header, rows[i].pattern);
		CU_ASSERT_EQUAL(matches, rows[i].matches);
	}
}

static void channel_lists_become_bits(void)
{
	static const struct {
		const char *text;
		enum words_list result;
		uint32_t mask;
	} rows[] = {
		{"(@1)", WORDS_LIST, 1},
		{"(@4)", WORDS_LIST, 8},
		{" ( @ 1 , 3 ) ", WORDS_LIST, 5},
		{"(@1:4)", WORDS_LIST, 15},
		{"(@4,1:2)", WORDS_LIST, 11},
		{"", WORDS_NO_LIST, 0},
		{"1", WORDS_NO_LIST, 0},
		{"(@0)", WORDS_LIST_RANGE, 0},
		{"(@5)", WORDS_LIST_RANGE, 0},
		{"(@3:1)", WORDS_LIST_RANGE, 0},
		{"(@99999999999999999999)", WORDS_LIST_RANGE, 0},
		{"(@)", WORDS_BAD_LIST, 0},
		{"(@1", WORDS_BAD_LIST, 0},
		{"(@1,)", WORDS_BAD_LIST, 0},
		{"(@1:)", WORDS_BAD_LIST, 0},
		{"(1)", WORDS_BAD_LIST, 0},
		{"(@a)", WORDS_BAD_LIST, 0},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct words words = {rows[i].text, rows[i].text + strlen(rows[i].text)};
		uint32_t mask;

		CU_ASSERT_EQUAL(words_channels(&words, 4, &mask), rows[i].result);
		if (rows[i].result == WORDS_LIST) {
			CU_ASSERT_EQUAL(mask, rows[i].mask);
			CU_ASSERT_TRUE(words_at_end(&words));
		} else {
			CU_ASSERT_PTR_EQUAL(words.p, rows[i].text);
		}
	}
}

static void parameters_are_taken_one_after_the_other(void)
{
	static const char text[] = " 2.5 , on,CH2,0";
	struct words words = {text, text + strlen(text)};
	int64_t number;
	bool on;

	CU_ASSERT_FALSE(words_bool(&words, &on));
	CU_ASSERT_TRUE(words_number(&words, &number));
	CU_ASSERT_EQUAL(number, 2500000);
	CU_ASSERT_TRUE(words_comma(&words));
	CU_ASSERT_TRUE(words_bool(&words, &on));
	CU_ASSERT_TRUE(on);
	CU_ASSERT_TRUE(words_comma(&words));
	CU_ASSERT_FALSE(words_word(&words, "CH1"));
	CU_ASSERT_TRUE(words_word(&words, "CH2"));
	CU_ASSERT_FALSE(words_at_end(&words));
	CU_ASSERT_TRUE(words_comma(&words));
	CU_ASSERT_TRUE(words_bool(&words, &on));
	CU_ASSERT_FALSE(on);
	CU_ASSERT_TRUE(words_at_end(&words));
}

static const struct unit_case cases[] = {
	{"headers match in short and long form and any case",
	 headers_match_in_short_and_long_form_and_any_case},
	{"channel lists become bits", channel_lists_become_bits},
	{"parameters are taken one after the other", parameters_are_taken_one_after_the_other},
};

int main(void)
{
	return unit_run("probe_words", cases, UNIT_COUNT(cases));
}
