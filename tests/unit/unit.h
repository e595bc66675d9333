/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A test program is: static void functions, a table of struct unit_case, and
 * int main(void) { return unit_run("what", cases, UNIT_COUNT(cases)); }
 */
#ifndef COLDRIG_UNIT_H
#define COLDRIG_UNIT_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>

struct unit_case {
	const char *name; /* a sentence of the situation */
	void (*run)(void);
};

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline int unit_run(const char *suite_name, const struct unit_case *cases, size_t n)
{
	CU_pSuite suite;
	unsigned failures;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	suite = CU_add_suite(suite_name, NULL, NULL);
	for (size_t i = 0; suite && i < n; i++)
		CU_add_test(suite, cases[i].name, cases[i].run);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	if (!suite || CU_basic_run_tests() != CUE_SUCCESS) {
		CU_cleanup_registry();
		return 2;
	}
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}

#endif
