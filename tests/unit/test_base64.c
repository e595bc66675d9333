/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* RFC 4648, section 10. */
static const char *const pairs[][2] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
};

static void the_examples_of_the_standard_hold_both_ways(void)
{
	for (size_t i = 0; i < UNIT_COUNT(pairs); i++) {
		char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
		void *bytes = NULL;
		size_t n = 99;

		CU_ASSERT_STRING_EQUAL(text, pairs[i][1]);
		CU_ASSERT_EQUAL_FATAL(base64_decode(text, &bytes, &n), 0);
		CU_ASSERT_EQUAL(n, strlen(pairs[i][0]));
		CU_ASSERT_EQUAL(memcmp(bytes, pairs[i][0], n), 0);
		free(bytes);
		free(text);
	}
}

static void every_byte_comes_back(void)
{
	unsigned char in[256];
	void *out = NULL;
	size_t n = 0;
	char *text;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 7);
	text = base64_encode(in, sizeof(in));
	CU_ASSERT_EQUAL_FATAL(base64_decode(text, &out, &n), 0);
	CU_ASSERT_EQUAL(n, sizeof(in));
	CU_ASSERT_EQUAL(memcmp(in, out, n), 0);
	free(out);
	free(text);
}

static void what_is_no_base64_is_refused(void)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg=a", "=g==", "Zm9v!A==", "Z===", "Zg==Zg==", "Zm\n9"};

	for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
		void *bytes;
		size_t n;

		CU_ASSERT_EQUAL(base64_decode(bad[i], &bytes, &n), -EINVAL);
	}
}

static const struct unit_case cases[] = {
	{"the examples of the standard hold both ways",
	 the_examples_of_the_standard_hold_both_ways},
	{"every byte comes back", every_byte_comes_back},
	{"what is no base64 is refused", what_is_no_base64_is_refused},
};

int main(void)
{
	return unit_run("base64", cases, UNIT_COUNT(cases));
}
