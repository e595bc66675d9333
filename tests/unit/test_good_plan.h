/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan with something of everything and its lab, for the tests of plan files: loaded, and made bad. */
#ifndef COLDRIG_TEST_GOOD_PLAN_H
#define COLDRIG_TEST_GOOD_PLAN_H

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "labfile.h"
#include "planfile.h"
#include "test_yaml_edit.h"
#include "unit.h"

static const char lab_text[] = "lab: l\n"
			       "targets:\n"
			       "  - name: vt\n"
			       "    transport: \"exec:x\"\n"
			       "    devices:\n"
			       "      - {bdf: \"0000:01:00.0\", model: gpu}\n"
			       "      - {bdf: \"0000:02:00.0\", model: nic}\n"
			       "      - {bdf: \"0000:0a:00.0\", model: nvme}\n";

static const char good[] = "plan: p\n"							/* 1 */
			   "target: vt\n"						/* 2 */
			   "level_dwell: 500 ms\n"					/* 3 */
			   "answer_limit: 10 s\n"					/* 4 */
			   "boot_limit: 1 min\n"					/* 5 */
			   "cycles: 4\n"						/* 6 */
			   "settle: 0 s\n"						/* 7 */
			   "dwell: 1.5 s\n"						/* 8 */
			   "hold: 250 us\n"						/* 9 */
			   "vfs: 3\n"							/* 10 */
			   "devices: [\"0000:02:00.0\", \"0000:0A:00.0\"]\n"		/* 11 */
			   "arms:\n"							/* 12 */
			   "  - {name: a1, kernel: \"5.10\"}\n"				/* 13 */
			   "  - {name: a2, kernel: 6.1.0+rpt, d3cold_allowed: 0}\n"	/* 14 */
			   "scenarios:\n"						/* 15 */
			   "  - scenario: idle\n"					/* 16 */
			   "  - scenario: sriov\n"					/* 17 */
			   "    cycles: 2\n"						/* 18 */
			   "    settle: 2 s\n"						/* 19 */
			   "    dwell: 800 ms\n"					/* 20 */
			   "    hold: 0 s\n"						/* 21 */
			   "    vfs: 7\n"						/* 22 */
			   "    devices: [\"0000:02:00.0\"]\n"				/* 23 */
			   "  - {scenario: rebind, devices: all}\n"			/* 24 */
			   "limits:\n"							/* 25 */
			   "  - {name: one of all, verdict: false-claim, at_most: 0}\n" /* 26 */
			   "  - name: two\n"						/* 27 */
			   "    verdict: d3hot\n"					/* 28 */
			   "    at_least: all\n"					/* 29 */
			   "    arm: a2\n"						/* 30 */
			   "    scenario: sriov\n"					/* 31 */
			   "    device: \"0000:02:00.0\"\n"				/* 32 */
			   "  - name: three\n"						/* 33 */
			   "    metric: to_d3cold_ms\n"					/* 34 */
			   "    at_least: 10.5\n"					/* 35 */
			   "    at_most: 500\n";					/* 36 */

static inline struct lab *load_lab(void)
{
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL(labfile_parse("l.yaml", lab_text, &lab, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	return lab;
}

static inline struct plan *load_plan(const char *text)
{
	struct lab *lab = load_lab();
	struct plan *plan = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(planfile_parse("dir/p.yaml", text, lab, &plan, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
	lab_free(lab);
	return plan;
}

static inline struct lab *load_virtual_lab(void)
{
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL(labfile_load(COLDRIG_SOURCE_DIR "/labs/virtual.yaml", &lab, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	return lab;
}

/* Each edit of it must be refused. */
static inline void expect_bad_plans(const struct edit *edits, size_t n)
{
	struct lab *lab = load_lab();

	for (size_t i = 0; i < n; i++) {
		char *text = edit_text(good, edits[i].from, edits[i].to);
		struct plan *plan = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(planfile_parse("p.yaml", text, lab, &plan, &err), -EINVAL);
		CU_ASSERT_PTR_NULL(plan);
		edit_check_error(&edits[i], &err);
		free(text);
	}
	lab_free(lab);
}

#endif
