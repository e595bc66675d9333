/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "unit.h"

/* Compares the text of a value and frees the value. */
static void assert_text(struct msg *value, const char *expected)
{
	char *text = msg_dump(value);

	CU_ASSERT_STRING_EQUAL(text, expected);
	free(text);
	msg_free(value);
}

static struct msg *parse(const char *text)
{
	struct msg *msg = NULL;

	CU_ASSERT_EQUAL(msg_parse(text, strlen(text), &msg, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(msg);
	return msg;
}

static void members_keep_their_order_and_the_last_word_counts(void)
{
	struct msg *o = msg_object(), *a = msg_array();

	msg_set_int(o, "z", INT64_MIN);
	msg_set_str(o, "a", "x\"\n");
	msg_set_bool(o, "b", true);
	msg_set_str(o, "n", NULL);
	msg_add(a, msg_int(INT64_MAX));
	msg_add(a, msg_null());
	msg_set(o, "list", a);
	msg_set_bool(o, "b", false);
	assert_text(o, "{\"z\":-9223372036854775808,\"a\":\"x\\\"\\n\",\"b\":false,\"n\":null,"
		       "\"list\":[9223372036854775807,null]}");
}

static void reals_have_nine_digits(void)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{0.1, "0.1"}, {1.0 / 3, "0.333333333"},	      {-2.5, "-2.5"},
		{6, "6.0"},   {123456789.123, "123456789.0"}, {1e-12, "1e-12"},
		{0, "0.0"},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		assert_text(msg_real(rows[i].value), rows[i].text);
}

static void what_is_no_number_becomes_null(void)
{
	struct msg *o = msg_object();

	msg_set_real(o, "nan", NAN);
	msg_set_real(o, "inf", -INFINITY);
	CU_ASSERT_TRUE(msg_is_null(msg_get(o, "nan")));
	assert_text(o, "{\"nan\":null,\"inf\":null}");
}

static void values_of_another_type_give_the_fallback(void)
{
	struct msg *o =
		parse("{\"s\":\"7\",\"i\":7,\"r\":7.5,\"b\":true,\"n\":null,\"a\":[1],\"o\":{}}");
	static const char *const keys[] = {"s", "i", "r", "b", "n", "a", "o", "missing"};

	for (size_t i = 0; i < UNIT_COUNT(keys); i++) {
		const char *k = keys[i];

		CU_ASSERT_EQUAL(msg_get_str(o, k) != NULL, *k == 's');
		CU_ASSERT_EQUAL(msg_get_int(o, k, -1), *k == 'i' ? 7 : -1);
		CU_ASSERT_DOUBLE_EQUAL(msg_get_real(o, k, -1),
				       *k == 'i'   ? 7
				       : *k == 'r' ? 7.5
						   : -1,
				       0);
		CU_ASSERT_EQUAL(msg_get_bool(o, k, false), *k == 'b');
		CU_ASSERT_EQUAL(msg_count(msg_get(o, k)), *k == 'a' ? 1 : 0);
		CU_ASSERT_EQUAL(msg_is_null(msg_get(o, k)), *k == 'n' || *k == 'm');
	}
	msg_free(o);
}

static void asking_what_is_not_there_is_harmless(void)
{
	struct msg *a = msg_array();

	CU_ASSERT_PTR_NULL(msg_get(NULL, "x"));
	CU_ASSERT_PTR_NULL(msg_get(a, "x"));
	CU_ASSERT_PTR_NULL(msg_get_str(msg_get(NULL, "x"), "y"));
	CU_ASSERT_PTR_NULL(msg_at(a, 0));
	CU_ASSERT_EQUAL(msg_count(NULL), 0);
	CU_ASSERT_TRUE(msg_is_null(NULL));
	msg_free(a);
	msg_free(NULL);
}

static void text_that_is_not_utf8_is_kept_as_far_as_it_can_be(void)
{
	assert_text(msg_string("W\xc3\xa4rme"), "\"W\xc3\xa4rme\"");
	assert_text(msg_string("a\xff\x01z\xc3"), "\"a?\\u0001z?\"");
	assert_text(msg_string("\xed\xa0\x80"), "\"???\"");
}

static void text_comes_back_as_it_was(void)
{
	static const char text[] =
		"{\"id\":1,\"op\":\"ping\",\"x\":[1,2.5,null,true,\"\\u0001\"],\"y\":{}}";
	struct msg *m = parse(text);

	CU_ASSERT_EQUAL(msg_get_int(m, "id", 0), 1);
	CU_ASSERT_EQUAL(msg_count(msg_get(m, "x")), 5);
	CU_ASSERT_STRING_EQUAL(msg_text(msg_at(msg_get(m, "x"), 4)), "\x01");
	assert_text(m, text);
}

static void an_indented_text_means_the_same(void)
{
	struct msg *m = parse("{\"a\":[1,{\"b\":null}]}");
	char *text = msg_dump_pretty(m);

	CU_ASSERT_PTR_NOT_NULL(strchr(text, '\n'));
	assert_text(parse(text), "{\"a\":[1,{\"b\":null}]}");
	free(text);
	msg_free(m);
}

static void what_is_no_object_is_refused_with_its_place(void)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "byte 0"},
		{"[1]", "not a JSON object"},
		{"7", "byte"},
		{"{\"a\":1", "byte 6"},
		{"{\"a\" 1}", "byte 6"},
		{"{\"a\":1,\"a\":2}", "duplicate"},
		{"{} {}", "byte 4"},
		{"{\"a\":\"\xff\"}", "byte"},
		{"{\"a\":1e999}", "byte"},
		{"{\"a\":\"\\u0000\"}", "byte"},
		{"{\"a\":NaN}", "byte"},
		{"{\"a\":99999999999999999999}", "byte"},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct msg *m = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(msg_parse(rows[i].text, strlen(rows[i].text), &m, &err), -EBADMSG);
		CU_ASSERT_PTR_NULL(m);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].why));
	}
}

static void depth_and_stray_nuls_do_no_harm(void)
{
	static char deep[100000];
	struct msg *m = NULL;

	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	CU_ASSERT_EQUAL(msg_parse(deep, sizeof(deep), &m, NULL), -EBADMSG);
	CU_ASSERT_EQUAL(msg_parse("{}\0{}", 5, &m, NULL), -EBADMSG);
	CU_ASSERT_EQUAL(msg_parse("{}xx", 2, &m, NULL), 0);
	msg_free(m);
}

static const struct unit_case cases[] = {
	{"members keep their order and the last word counts",
	 members_keep_their_order_and_the_last_word_counts},
	{"reals have nine digits", reals_have_nine_digits},
	{"what is no number becomes null", what_is_no_number_becomes_null},
	{"values of another type give the fallback", values_of_another_type_give_the_fallback},
	{"asking what is not there is harmless", asking_what_is_not_there_is_harmless},
	{"text that is not UTF-8 is kept as far as it can be",
	 text_that_is_not_utf8_is_kept_as_far_as_it_can_be},
	{"text comes back as it was", text_comes_back_as_it_was},
	{"an indented text means the same", an_indented_text_means_the_same},
	{"what is no object is refused with its place",
	 what_is_no_object_is_refused_with_its_place},
	{"depth and stray NULs do no harm", depth_and_stray_nuls_do_no_harm},
};

int main(void)
{
	return unit_run("msg", cases, UNIT_COUNT(cases));
}
