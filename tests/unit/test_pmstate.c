/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pmstate.h"
#include "unit.h"

static void every_state_comes_back_from_its_name(void)
{
	for (int i = 0; i < PM_STATE_COUNT; i++)
		CU_ASSERT_EQUAL((int)pm_state_parse(pm_state_name((enum pm_state)i)), i);
	for (int i = 0; i < PM_STATUS_COUNT; i++)
		CU_ASSERT_EQUAL((int)pm_status_parse(pm_status_name((enum pm_status)i)), i);
}

static void the_names_are_the_kernels(void)
{
	CU_ASSERT_EQUAL(pm_state_parse("D0"), PM_STATE_D0);
	CU_ASSERT_EQUAL(pm_state_parse("D3hot"), PM_STATE_D3HOT);
	CU_ASSERT_EQUAL(pm_state_parse("D3cold"), PM_STATE_D3COLD);
	CU_ASSERT_EQUAL(pm_status_parse("suspended"), PM_STATUS_SUSPENDED);
	CU_ASSERT_EQUAL(pm_status_parse("resuming"), PM_STATUS_RESUMING);
}

static void a_word_that_is_almost_right_is_unknown(void)
{
	static const char *const rows[] = {"",	 "d3cold", "D3Cold",   "D3cold\n",
					   "D3", "error",  "(unknown)"};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		CU_ASSERT_EQUAL(pm_state_parse(rows[i]), PM_STATE_UNKNOWN);
	CU_ASSERT_EQUAL(pm_status_parse("Suspended"), PM_STATUS_UNKNOWN);
	CU_ASSERT_EQUAL(pm_status_parse("suspended\n"), PM_STATUS_UNKNOWN);
}

static void no_word_at_all_is_unknown(void)
{
	CU_ASSERT_EQUAL(pm_state_parse(NULL), PM_STATE_UNKNOWN);
	CU_ASSERT_EQUAL(pm_status_parse(NULL), PM_STATUS_UNKNOWN);
}

static const struct unit_case cases[] = {
	{"every state comes back from its name", every_state_comes_back_from_its_name},
	{"the names are the kernel's", the_names_are_the_kernels},
	{"a word that is almost right is unknown", a_word_that_is_almost_right_is_unknown},
	{"no word at all is unknown", no_word_at_all_is_unknown},
};

int main(void)
{
	return unit_run("pmstate", cases, UNIT_COUNT(cases));
}
