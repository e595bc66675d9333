/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lab with something of everything, for the tests of lab files: loaded, and made bad. */
#ifndef COLDRIG_TEST_GOOD_LAB_H
#define COLDRIG_TEST_GOOD_LAB_H

#include <errno.h>

#include "labfile.h"
#include "test_yaml_edit.h"
#include "unit.h"

static const char good[] =
	"lab: l\n"						       /* 1 */
	"meters:\n"						       /* 2 */
	"  - name: m1\n"					       /* 3 */
	"    spec: \"scpi-pps:conn=tcp-raw/127.0.0.1/{port}\"\n"       /* 4 */
	"    rate: 450 Hz\n"					       /* 5 */
	"    accuracy: {gain: 0.05 %, offset: 2 mW}\n"		       /* 6 */
	"  - name: m2\n"					       /* 7 */
	"    spec: \"fake:x=1\"\n"				       /* 8 */
	"    rate: 2.5 Hz\n"					       /* 9 */
	"    accuracy: {gain: 1 %, offset: 0 W}\n"		       /* 10 */
	"targets:\n"						       /* 11 */
	"  - name: vt\n"					       /* 12 */
	"    transport: virtual\n"				       /* 13 */
	"    devices:\n"					       /* 14 */
	"      - bdf: \"0000:0A:00.0\"\n"			       /* 15 */
	"        model: GPU\n"					       /* 16 */
	"        rails:\n"					       /* 17 */
	"          - {name: r1, meter: m2, channel: P1}\n"	       /* 18 */
	"          - {name: r2, meter: m1, channel: P1, factor: -2}\n" /* 19 */
	"      - bdf: \"0000:0b:00.1\"\n"			       /* 20 */
	"        model: NIC\n"					       /* 21 */
	"  - name: box\n"					       /* 22 */
	"    transport: \"exec:ssh box\"\n"			       /* 23 */
	"    devices:\n"					       /* 24 */
	"      - {bdf: \"0000:01:00.0\", model: x}\n"		       /* 25 */
	"virtual:\n"						       /* 26 */
	"  memory: 2 GiB\n"					       /* 27 */
	"  cpus: 4\n"						       /* 28 */
	"  kvm: true\n"						       /* 29 */
	"  voltage: 3300 mV\n"					       /* 30 */
	"  seed: 18446744073709551615\n"			       /* 31 */
	"  slots:\n"						       /* 32 */
	"    - slot: 5\n"					       /* 33 */
	"      card: nvme\n"					       /* 34 */
	"      channel: 3\n"					       /* 35 */
	"      power: {busy: 70 W, idle: 8.2 W, d3hot: 6 W, off: 1 mW, noise: 30 mW,\n"
	"              inrush: 66 W, inrush_tau: 4.4 ms}\n"	 /* 37 */
	"    - slot: 8\n"					 /* 38 */
	"      card: gpu\n"					 /* 39 */
	"      channel: 1\n"					 /* 40 */
	"      power: {busy: 2 W, idle: 1 W, d3hot: 500 mW}\n"	 /* 41 */
	"  faults:\n"						 /* 42 */
	"    - {fault: rail-stuck-on, slot: 8, from_cycle: 3}\n" /* 43 */
	"    - {fault: meter-dead}\n";				 /* 44 */

static inline struct lab *load_good(void)
{
	struct err err = {""};
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL(labfile_parse("dir/l.yaml", good, &lab, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	return lab;
}

static inline void same(double a, double b)
{
	CU_ASSERT_DOUBLE_EQUAL(a, b, 1e-12);
}

/* Each edit of it must be refused. */
static inline void expect_bad_labs(const struct edit *edits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *text = edit_text(good, edits[i].from, edits[i].to);
		struct lab *lab = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(labfile_parse("l.yaml", text, &lab, &err), -EINVAL);
		CU_ASSERT_PTR_NULL(lab);
		edit_check_error(&edits[i], &err);
		free(text);
	}
}

#endif
