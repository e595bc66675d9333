/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "conformance.h"
#include "unit.h"

static void take_all(struct conformance *c, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(conformance_take(c, lines[i]), 0);
}

static const char *const whole[] = {
	"KTAP version 1",
	"1..4",
	"# kernel: 5.10.0-46-amd64",
	"ok 1 p0-open",
	"# p1-mmap: no SIGBUS in D3hot",
	"# p1-mmap: the mapping read 0",
	"not ok 2 p1-mmap",
	"ok 3 p3-pme # SKIP its PME_En cannot be set",
	"not ok 4 p4-idle # TIMEOUT",
};

static void a_whole_suite_is_gathered_with_reasons(void)
{
	struct conformance c = {0};

	conformance_begin(&c);
	take_all(&c, whole, UNIT_COUNT(whole));
	CU_ASSERT_FALSE(conformance_is_complete(&c));
	conformance_end(&c, 1, NULL);
	CU_ASSERT_TRUE(conformance_is_complete(&c));
	CU_ASSERT_STRING_EQUAL(c.why, "");
	CU_ASSERT_EQUAL(conformance_count(&c, KTAP_PASS), 1);
	CU_ASSERT_EQUAL(conformance_count(&c, KTAP_FAIL), 2);
	CU_ASSERT_EQUAL(conformance_count(&c, KTAP_SKIP), 1);
	CU_ASSERT_STRING_EQUAL(conformance_find(&c, "p0-open")->why, "");
	CU_ASSERT_STRING_EQUAL(conformance_find(&c, "p1-mmap")->why, "no SIGBUS in D3hot");
	CU_ASSERT_STRING_EQUAL(conformance_find(&c, "p3-pme")->why, "its PME_En cannot be set");
	CU_ASSERT_STRING_EQUAL(conformance_find(&c, "p4-idle")->why, "TIMEOUT");
	CU_ASSERT_PTR_NULL(conformance_find(&c, "p1"));
	conformance_free(&c);
}

static void the_first_test_keeps_its_reason_below_the_head(void)
{
	static const char *const lines[] = {"1..1", "# kernel: 5.10", "# p0-a: broken",
					    "not ok 1 p0-a"};
	struct conformance c = {0};

	conformance_begin(&c);
	take_all(&c, lines, UNIT_COUNT(lines));
	CU_ASSERT_STRING_EQUAL(conformance_find(&c, "p0-a")->why, "broken");
	conformance_free(&c);
}

static void what_is_missing_is_not_complete_and_says_why(void)
{
	static const char *const bail[] = {"1..4", "Bail out! no device"};
	struct conformance c = {0};

	CU_ASSERT_FALSE(conformance_is_complete(&c));
	conformance_begin(&c);
	take_all(&c, whole, 4);
	conformance_end(&c, 0, NULL);
	CU_ASSERT_FALSE(conformance_is_complete(&c));
	CU_ASSERT_STRING_EQUAL(c.why, "1 of 4 tests have a result");

	conformance_begin(&c);
	CU_ASSERT_EQUAL(c.tests_n, 0);
	conformance_end(&c, 137, NULL);
	CU_ASSERT_FALSE(conformance_is_complete(&c));
	CU_ASSERT_STRING_EQUAL(c.why, "it ended with status 137");

	conformance_begin(&c);
	take_all(&c, bail, UNIT_COUNT(bail));
	conformance_end(&c, 3, NULL);
	CU_ASSERT_STRING_EQUAL(c.why, "no device");

	conformance_begin(&c);
	conformance_end(&c, -1, "the target is gone");
	CU_ASSERT_STRING_EQUAL(c.why, "the target is gone");
	conformance_free(&c);
}

static const struct unit_case cases[] = {
	{"a whole suite is gathered with reasons", a_whole_suite_is_gathered_with_reasons},
	{"the first test keeps its reason below the head",
	 the_first_test_keeps_its_reason_below_the_head},
	{"what is missing is not complete and says why",
	 what_is_missing_is_not_complete_and_says_why},
};

int main(void)
{
	return unit_run("conformance", cases, UNIT_COUNT(cases));
}
