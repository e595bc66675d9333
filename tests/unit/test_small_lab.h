/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lab and a plan, small enough to know by heart. Meter m0 has channel 0 "A" and channel 1 "B",
 * meter m1 channel 0 "C". Device 0 is A; device 1 is 2 B - C; device 2 is not measured.
 * Arms "old" and "new". Scenarios: 0 idle (3 cycles), 1 open-close (2 cycles, only on device 0).
 */
#ifndef COLDRIG_TEST_SMALL_LAB_H
#define COLDRIG_TEST_SMALL_LAB_H

#include <stdio.h>
#include <stdlib.h>

#include "labfile.h"
#include "planfile.h"
#include "unit.h"

#define DEVICE0 "0000:01:00.0"
#define DEVICE1 "0000:02:00.0"
#define DEVICE2 "0000:03:00.0"

static const char small_lab_text[] =
	"lab: small\n"
	"meters:\n"
	"  - {name: m0, spec: \"fake:w=1\", rate: 100 Hz, accuracy: {gain: 1 %, offset: 1 mW}}\n"
	"  - {name: m1, spec: \"fake:w=1\", rate: 100 Hz, accuracy: {gain: 2 %, offset: 5 mW}}\n"
	"targets:\n"
	"  - name: box\n"
	"    transport: \"exec:true\"\n"
	"    devices:\n"
	"      - {bdf: \"" DEVICE0 "\", model: gpu, rails: [{name: r, meter: m0, channel: A}]}\n"
	"      - bdf: \"" DEVICE1 "\"\n"
	"        model: nic\n"
	"        rails:\n"
	"          - {name: r0, meter: m0, channel: B, factor: 2}\n"
	"          - {name: r1, meter: m1, channel: C, factor: -1}\n"
	"      - {bdf: \"" DEVICE2 "\", model: nvme}\n";

static const char small_plan_text[] =
	"plan: few\n"
	"align: none\n"
	"level_dwell: 1 s\n"
	"arms:\n"
	"  - {name: old, kernel: \"5.10\"}\n"
	"  - {name: new, kernel: \"6.1\"}\n"
	"scenarios:\n"
	"  - {scenario: idle, cycles: 3}\n"
	"  - {scenario: open-close, cycles: 2, devices: [\"" DEVICE0 "\"]}\n";

struct small_lab {
	struct lab *lab;
	const struct lab_target *target;
	struct plan *plan;
};

/* With another plan. */
static inline struct small_lab small_lab_with(const char *plan)
{
	struct small_lab s = {0};
	struct err err = {""};

	CU_ASSERT_EQUAL(labfile_parse("lab.yaml", small_lab_text, &s.lab, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.lab);
	CU_ASSERT_EQUAL(planfile_parse("plan.yaml", plan, s.lab, &s.plan, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.plan);
	s.target = &s.lab->targets[0];
	return s;
}

/* limits is the plan's "limits:" with its items, or "". */
static inline struct small_lab small_lab_new(const char *limits)
{
	struct small_lab s;
	char *text;

	if (asprintf(&text, "%s%s", small_plan_text, limits) < 0)
		abort();
	s = small_lab_with(text);
	free(text);
	return s;
}

static inline void small_lab_free(struct small_lab *s)
{
	plan_free(s->plan);
	lab_free(s->lab);
}

#endif
