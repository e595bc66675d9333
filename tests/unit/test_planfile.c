/* SPDX-License-Identifier: GPL-3.0-or-later */
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

static struct lab *load_lab(void)
{
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL(labfile_parse("l.yaml", lab_text, &lab, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	return lab;
}

static struct plan *load_plan(const char *text)
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

static void arms_and_times_arrive_field_by_field(void)
{
	struct plan *plan = load_plan(good);

	CU_ASSERT_STRING_EQUAL(plan->name, "p");
	CU_ASSERT_STRING_EQUAL(plan->path, "dir/p.yaml");
	CU_ASSERT_STRING_EQUAL(plan->text, good);
	CU_ASSERT_STRING_EQUAL(plan->target, "vt");
	CU_ASSERT_EQUAL(plan->level_dwell_ns, 500000000);
	CU_ASSERT_EQUAL(plan->answer_limit_ns, 10000000000);
	CU_ASSERT_EQUAL(plan->boot_limit_ns, 60000000000);
	CU_ASSERT_EQUAL_FATAL(plan->arms_n, 2);
	CU_ASSERT_STRING_EQUAL(plan->arms[0].name, "a1");
	CU_ASSERT_STRING_EQUAL(plan->arms[0].kernel, "5.10");
	CU_ASSERT_EQUAL(plan->arms[0].d3cold_allowed, -1);
	CU_ASSERT_STRING_EQUAL(plan->arms[1].kernel, "6.1.0+rpt");
	CU_ASSERT_EQUAL(plan->arms[1].d3cold_allowed, 0);
	plan_free(plan);
	plan_free(NULL);
}

static void a_scenario_takes_what_it_does_not_say_from_the_plan(void)
{
	struct plan *plan = load_plan(good);
	const struct plan_scenario *s = plan->scenarios;

	CU_ASSERT_EQUAL_FATAL(plan->scenarios_n, 3);
	CU_ASSERT_EQUAL(s[0].id, SCENARIO_IDLE);
	CU_ASSERT_EQUAL(s[0].cycles, 4);
	CU_ASSERT_EQUAL(s[0].settle_ns, 0);
	CU_ASSERT_EQUAL(s[0].dwell_ns, 1500000000);
	CU_ASSERT_EQUAL(s[0].hold_ns, 250000);
	CU_ASSERT_EQUAL(s[0].vfs, 3);
	CU_ASSERT_EQUAL_FATAL(s[0].devices_n, 2);
	CU_ASSERT_STRING_EQUAL(s[0].devices[1], "0000:0a:00.0");

	CU_ASSERT_EQUAL(s[1].id, SCENARIO_SRIOV);
	CU_ASSERT_EQUAL(s[1].cycles, 2);
	CU_ASSERT_EQUAL(s[1].settle_ns, 2000000000);
	CU_ASSERT_EQUAL(s[1].dwell_ns, 800000000);
	CU_ASSERT_EQUAL(s[1].hold_ns, 0);
	CU_ASSERT_EQUAL(s[1].vfs, 7);
	CU_ASSERT_EQUAL_FATAL(s[1].devices_n, 1);
	CU_ASSERT_STRING_EQUAL(s[1].devices[0], "0000:02:00.0");

	CU_ASSERT_EQUAL(s[2].id, SCENARIO_REBIND);
	CU_ASSERT_PTR_NULL(s[2].devices);
	CU_ASSERT_EQUAL(s[2].devices_n, 0);
	plan_free(plan);
}

static void limits_arrive_field_by_field(void)
{
	struct plan *plan = load_plan(good);
	const struct plan_limit *l = plan->limits;

	CU_ASSERT_EQUAL_FATAL(plan->limits_n, 3);
	CU_ASSERT_STRING_EQUAL(l[0].name, "one of all");
	CU_ASSERT_EQUAL(l[0].metric, PLAN_METRIC_VERDICT);
	CU_ASSERT_EQUAL(l[0].verdict, VERDICT_FALSE_CLAIM);
	CU_ASSERT_PTR_NULL(l[0].arm);
	CU_ASSERT_EQUAL(l[0].scenario, -1);
	CU_ASSERT_STRING_EQUAL(l[0].bdf, "");
	CU_ASSERT(!l[0].all);
	CU_ASSERT(isinf(l[0].at_least) && l[0].at_least < 0);
	CU_ASSERT_DOUBLE_EQUAL(l[0].at_most, 0, 0);

	CU_ASSERT_EQUAL(l[1].verdict, VERDICT_D3HOT);
	CU_ASSERT(l[1].all);
	CU_ASSERT(isinf(l[1].at_most) && l[1].at_most > 0);
	CU_ASSERT_STRING_EQUAL(l[1].arm, "a2");
	CU_ASSERT_EQUAL(l[1].scenario, SCENARIO_SRIOV);
	CU_ASSERT_STRING_EQUAL(l[1].bdf, "0000:02:00.0");

	CU_ASSERT_EQUAL(l[2].metric, PLAN_METRIC_TO_D3COLD_MS);
	CU_ASSERT_DOUBLE_EQUAL(l[2].at_least, 10.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(l[2].at_most, 500, 0);
	plan_free(plan);
}

static void defaults_are_those_of_the_docs(void)
{
	struct plan *plan = load_plan("plan: p\n"
				      "arms: [{name: a, kernel: \"6.1\"}]\n"
				      "scenarios: [{scenario: open-close}]\n");
	const struct plan_scenario *s = plan->scenarios;

	CU_ASSERT_PTR_NULL(plan->target);
	CU_ASSERT_EQUAL(plan->level_dwell_ns, 2000000000);
	CU_ASSERT_EQUAL(plan->answer_limit_ns, 15000000000);
	CU_ASSERT_EQUAL(plan->boot_limit_ns, 90000000000);
	CU_ASSERT_EQUAL(plan->align, PLAN_ALIGN_AUTO);
	CU_ASSERT_EQUAL(s->cycles, 1);
	CU_ASSERT_EQUAL(s->settle_ns, 2000000000);
	CU_ASSERT_EQUAL(s->dwell_ns, 2000000000);
	CU_ASSERT_EQUAL(s->hold_ns, 500000000);
	CU_ASSERT_EQUAL(s->vfs, 2);
	CU_ASSERT_PTR_NULL(s->devices);
	CU_ASSERT_EQUAL(plan->limits_n, 0);
	plan_free(plan);
}

static void meters_are_aligned_unless_the_plan_says_none(void)
{
	struct plan *plan =
		load_plan("plan: p\n"
			  "align: none\n"
			  "dwell: 900 ms\n"
			  "arms: [{name: a, kernel: \"6.1\"}]\n"
			  "scenarios: [{scenario: idle}, {scenario: rebind, dwell: 400 ms}]\n");

	CU_ASSERT_EQUAL(plan->align, PLAN_ALIGN_NONE);
	CU_ASSERT_EQUAL(plan_align_limit_ns(plan), 40000000);
	plan_free(plan);
}

static void kexec_arrives_key_by_key(void)
{
	struct plan *plan =
		load_plan("plan: p\n"
			  "arms:\n"
			  "  - name: a\n"
			  "    kernel: \"6.1\"\n"
			  "    kexec: {from: \"5.10\", syscall: load, append: a=b c, image: i,\n"
			  "            initrd: \"target:/j\", crash_image: k, crash_initrd: l}\n"
			  "  - {name: b, kernel: \"6.1\", kexec: {image: i}}\n"
			  "  - {name: c, kernel: \"6.1\"}\n"
			  "scenarios: [{scenario: idle}]\n");
	const struct plan_kexec *all = &plan->arms[0].kexec, *few = &plan->arms[1].kexec;

	CU_ASSERT_TRUE(all->present);
	CU_ASSERT_EQUAL(all->syscall, PLAN_SYSCALL_LOAD);
	CU_ASSERT_STRING_EQUAL(all->from, "5.10");
	CU_ASSERT_STRING_EQUAL(all->append, "a=b c");
	CU_ASSERT_STRING_EQUAL(all->image, "i");
	CU_ASSERT_STRING_EQUAL(all->initrd, PLAN_ON_TARGET "/j");
	CU_ASSERT_STRING_EQUAL(all->crash_image, "k");
	CU_ASSERT_STRING_EQUAL(all->crash_initrd, "l");
	CU_ASSERT_TRUE(few->present);
	CU_ASSERT_EQUAL(few->syscall, PLAN_SYSCALL_FILE);
	CU_ASSERT_PTR_NULL(few->from);
	CU_ASSERT_PTR_NULL(few->append);
	CU_ASSERT_FALSE(plan->arms[2].kexec.present);
	plan_free(plan);
}

static const struct edit edits[] = {
	{"\"5.10\"}", "\"5.10\", kexec: x}",
	 "p.yaml:13:39: kexec: \"x\": kexec is a mapping of keys to values"},
	{"\"5.10\"}", "\"5.10\", kexec: {from: \"6.1\"}}",
	 "p.yaml:13:39: missing key \"image\" in kexec: a real target needs it"},
	{"\"5.10\"}", "\"5.10\", kexec: {image: i, syscall: s}}",
	 "p.yaml:13:59: syscall: \"s\": no such word; known: load, file"},
	{"\"5.10\"}", "\"5.10\", kexec: {image: i, imitrd: j}}",
	 "p.yaml:13:50: unknown key \"imitrd\" in kexec; did you mean \"initrd\"?"},
	{"\"5.10\"}", "\"5.10\", kexec: {image: \"target:i\"}}",
	 "p.yaml:13:47: image: \"target:i\": on the target a path begins with /"},
	{"\"5.10\"}", "\"5.10\", kexec: {image: i, crash_initrd: j}}",
	 "p.yaml:13:64: crash_initrd: \"j\": there is no crash_image"},
	{"plan: p", "pla: p",
	 "p.yaml:1:1: unknown key \"pla\" in a plan; did you mean \"plan\"? "
	 "known: plan, target, level_dwell"},
	{"plan: p\n", "", "p.yaml:1:1: missing key \"plan\" in a plan"},
	{"target: vt", "target: vx",
	 "p.yaml:2:9: target: \"vx\": no such target in the lab; did "
	 "you mean \"vt\"? known: vt"},
	{"500 ms\n", "500\n", "p.yaml:3:14: level_dwell: \"500\": a duration needs a unit"},
	{"500 ms\n", "0 ms\n",
	 "p.yaml:3:14: level_dwell: \"0 ms\": a duration must be more than 0"},
	{"10 s", "10 W", "p.yaml:4:15: answer_limit: \"10 W\": \"W\" is no unit of a duration"},
	{"1 min", "1 month", "p.yaml:5:13: boot_limit: \"1 month\": \"month\" is no unit"},
	{"cycles: 4", "cycles: 0", "p.yaml:6:9: cycles: \"0\": must be 1 to 1000000"},
	{"settle: 0 s", "settle: -0.1 s",
	 "p.yaml:7:9: settle: \"-0.1 s\": a duration must be 0 or "
	 "more"},
	{"dwell: 1.5 s", "dwell: -1 s",
	 "p.yaml:8:8: dwell: \"-1 s\": a duration must be more than 0"},
	{"dwell: 1.5 s", "dwell: 0 s",
	 "p.yaml:8:8: dwell: \"0 s\": a duration must be more than 0"},
	{"dwell: 1.5 s", "dwell: 1.5s x", "p.yaml:8:8: dwell: \"1.5s x\": \"s x\" is no unit"},
	{"dwell: 1.5 s", "dwell: 1e99 s", "p.yaml:8:8: dwell: \"1e99 s\": a duration is at most"},
	{"vfs: 3", "vfs: 0", "p.yaml:10:6: vfs: \"0\": must be 1 to 256"},
	{"[\"0000:02:00.0\", \"0000:0A:00.0\"]", "[]",
	 "p.yaml:11:10: devices: must be all, or a "
	 "list of 1 to 256 devices"},
	{"[\"0000:02:00.0\", \"0000:0A:00.0\"]", "some",
	 "p.yaml:11:10: devices: \"some\": must be"},
	{"\"0000:0A:00.0\"", "\"0000:0A:00\"", "p.yaml:11:27: \"0000:0A:00\": not a PCI function"},
	{"\"0000:0A:00.0\"", "\"0000:0b:00.0\"",
	 "p.yaml:11:27: \"0000:0b:00.0\": no such device in "
	 "the lab's target; known: 0000:01:00.0, 0000:02"},
	{"\"0000:0A:00.0\"", "\"0000:02:00.0\"", "p.yaml:11:27: \"0000:02:00.0\": given twice"},
	{"\"0000:0A:00.0\"", "[x]", "p.yaml:11:27: one value belongs here, not a list"},
	{"arms:\n  - {name: a1, kernel: \"5.10\"}\n  - {name: a2, kernel: 6.1.0+rpt, "
	 "d3cold_allowed: 0}\n",
	 "arms: []\n", "p.yaml:12:7: arms: must have 1 to 64 entries, not 0"},
	{"arms:\n  - {name: a1, kernel: \"5.10\"}\n  - {name: a2, kernel: 6.1.0+rpt, "
	 "d3cold_allowed: 0}\n",
	 "", "p.yaml:1:1: missing key \"arms\" in a plan"},
	{"name: a2", "name: a1", "p.yaml:14:12: name: \"a1\": given twice, first in line 13"},
	{"name: a2", "name: a/2", "p.yaml:14:12: name: \"a/2\": a name has only letters, digits"},
	{"name: a2, ", "", "p.yaml:14:5: missing key \"name\" in an arm"},
	{"6.1.0+rpt", "../6.1", "kernel: \"../6.1\": a name has only letters, digits and ._-+~"},
	{"d3cold_allowed: 0", "d3cold_allowed: 2",
	 "p.yaml:14:51: d3cold_allowed: \"2\": no such "
	 "word; known: 0, 1"},
	{"scenario: idle", "scenario: idel",
	 "p.yaml:16:15: scenario: \"idel\": no such word; "
	 "did you mean \"idle\"? known: idle, rebind, open-"},
	{"scenario: rebind, dev", "scenario: idle, dev",
	 "p.yaml:24:16: scenario: \"idle\": given "
	 "twice, first in line 16"},
	{"    dwell: 800 ms", "    dwel: 800 ms",
	 "p.yaml:20:5: unknown key \"dwel\" in a scenario; "
	 "did you mean \"dwell\"? known: scenario, cycles"},
	{"vfs: 7", "vfs: 0", "p.yaml:22:10: vfs: \"0\": must be 1 to 256"},
	{"devices: all", "devices: [\"0000:03:00.0\"]", "p.yaml:24:34: \"0000:03:00.0\": no such"},
	{"name: one of all, ", "", "p.yaml:26:5: missing key \"name\" in a limit"},
	{"name: two", "name: one of all", "p.yaml:27:11: name: \"one of all\": given twice"},
	{"verdict: false-claim, ", "", "p.yaml:26:5: missing key \"verdict\" or \"metric\""},
	{"verdict: false-claim", "metric: verdict", "p.yaml:26:5: missing key \"verdict\""},
	{"verdict: false-claim", "verdict: falseclaim",
	 "p.yaml:26:33: verdict: \"falseclaim\": no "
	 "such word; did you mean \"false-claim\"?"},
	{"verdict: d3hot", "verdict: D3hot",
	 "p.yaml:28:14: verdict: \"D3hot\": no such word; did "
	 "you mean \"d3hot\"?"},
	{", at_most: 0", "", "p.yaml:26:5: missing key \"at_least\" or \"at_most\" in a limit"},
	{"at_most: 0", "at_most: -1", "at_most: \"-1\": must be 0 or more"},
	{"at_most: 0", "at_most: 0.5", "at_most: \"0.5\": must be whole: it is a count"},
	{"at_most: 0", "at_most: nan", "at_most: \"nan\": not a number"},
	{"at_most: 0", "at_most: all", "at_most: \"all\": not a number"},
	{"at_least: all", "at_least: 1.5", "p.yaml:29:15: at_least: \"1.5\": must be whole"},
	{"at_least: all", "at_least: all\n    at_most: 3",
	 "p.yaml:30:14: at_most: \"3\": at_least "
	 "is all"},
	{"arm: a2", "arm: a3",
	 "p.yaml:30:10: arm: \"a3\": no such arm in this plan; did you mean "
	 "\"a1\"? known: a1, a2"},
	{"scenario: sriov\n    dev", "scenario: open-close\n    dev",
	 "p.yaml:31:15: scenario: \"open-close\": this plan does not run it"},
	{"device: \"0000:02:00.0\"", "device: \"0000:03:00.0\"",
	 "p.yaml:32:13: device: \"0000:03:00.0\": no such device in the lab's target"},
	{"device: \"0000:02:00.0\"", "device: \"0000:01:00.0\"",
	 "p.yaml:32:13: device: \"0000:01:00.0\": this plan does not run sriov on it"},
	{"metric: to_d3cold_ms", "metric: to_d3cold",
	 "p.yaml:34:13: metric: \"to_d3cold\": no such "
	 "word; did you mean \"to_d3cold_ms\"?"},
	{"metric: to_d3cold_ms", "metric: wake_ms\n    verdict: lost",
	 "p.yaml:35:14: verdict: \"lost\": the metric here is wake_ms, not verdict"},
	{"metric: to_d3cold_ms", "metric: unasked_resumes",
	 "p.yaml:35:15: at_least: \"10.5\": must "
	 "be whole"},
	{"metric: to_d3cold_ms", "metric: forbidden_accesses",
	 "p.yaml:35:15: at_least: \"10.5\": must "
	 "be whole"},
	{"at_least: 10.5", "at_least: 501",
	 "p.yaml:35:15: at_least: \"501\": more than at_most, "
	 "which is 500"},
	{"at_least: 10.5", "at_least: all",
	 "p.yaml:35:15: at_least: \"all\": only verdicts can be "
	 "all, to_d3cold_ms cannot"},
};

static void bad_plans_say_where_and_why(void)
{
	struct lab *lab = load_lab();

	for (size_t i = 0; i < UNIT_COUNT(edits); i++) {
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

static void a_plan_names_its_target_if_the_lab_has_several(void)
{
	static const char more[] = "  - name: box\n"
				   "    transport: \"unix:/run/x\"\n"
				   "    devices: [{bdf: \"0000:03:00.0\", model: x}]\n";
	char text[sizeof(lab_text) + sizeof(more)];
	char *without = edit_text(good, "target: vt\n", "");
	struct plan *plan = NULL;
	struct lab *lab = NULL;
	struct err err = {""};

	snprintf(text, sizeof(text), "%s%s", lab_text, more);
	CU_ASSERT_EQUAL_FATAL(labfile_parse("l.yaml", text, &lab, NULL), 0);
	CU_ASSERT_EQUAL(planfile_parse("p.yaml", good, lab, &plan, NULL), 0);
	plan_free(plan);
	plan = NULL;
	CU_ASSERT_EQUAL(planfile_parse("p.yaml", without, lab, &plan, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "p.yaml:1:1: missing key \"target\" in a plan: the lab has 2");
	CU_ASSERT_PTR_NULL(plan);
	free(without);
	lab_free(lab);
}

static struct lab *load_virtual_lab(void)
{
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL(labfile_load(COLDRIG_SOURCE_DIR "/labs/virtual.yaml", &lab, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	return lab;
}

static void plans_of_the_repository_load(void)
{
	static const char *const paths[] = {
		COLDRIG_SOURCE_DIR "/plans/quickstart.yaml",
		COLDRIG_SOURCE_DIR "/plans/full.yaml",
	};
	struct lab *lab = load_virtual_lab();

	for (size_t i = 0; i < UNIT_COUNT(paths); i++) {
		struct plan *plan = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(planfile_load(paths[i], lab, &plan, &err), 0);
		CU_ASSERT_STRING_EQUAL(err.text, "");
		plan_free(plan);
	}
	lab_free(lab);
}

static void files_of_a_virtual_target_are_the_caches(void)
{
	static const struct edit kexecs[] = {
		{"", "{}", "p.yaml:2:38: missing key \"from\" in kexec: a virtual target"},
		{"", "{from: \"6.1\", image: i}",
		 "p.yaml:2:59: image: \"i\": not for a virtual target"},
		{"", "{from: \"6.1\", crash_initrd: i}",
		 "crash_initrd: \"i\": not for a virtual target"},
		{"", "{from: \"../6.1\"}", "from: \"../6.1\": a name has only letters"},
	};
	struct lab *lab = load_virtual_lab();

	for (size_t i = 0; i < UNIT_COUNT(kexecs); i++) {
		struct plan *plan = NULL;
		struct err err = {""};
		char text[256];

		snprintf(text, sizeof(text),
			 "plan: p\n"
			 "arms: [{name: a, kernel: \"5\", kexec: %s}]\n"
			 "scenarios: [{scenario: idle}]\n",
			 kexecs[i].to);
		CU_ASSERT_EQUAL(planfile_parse("p.yaml", text, lab, &plan, &err), -EINVAL);
		edit_check_error(&kexecs[i], &err);
	}
	lab_free(lab);
}

static void examples_of_the_docs_load(void)
{
	char *page = edit_read(COLDRIG_SOURCE_DIR "/docs/plan.md"), *block;
	struct lab *lab = load_virtual_lab();
	const char *rest = page;
	int n = 0;

	while ((block = edit_next_block(&rest))) {
		struct plan *plan = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(planfile_parse("docs/plan.md", block, lab, &plan, &err), 0);
		CU_ASSERT_STRING_EQUAL(err.text, "");
		plan_free(plan);
		free(block);
		n++;
	}
	CU_ASSERT(n >= 1);
	lab_free(lab);
	free(page);
}

static void damaged_plans_do_no_harm(void)
{
	char *file = edit_read(COLDRIG_SOURCE_DIR "/plans/full.yaml");
	struct lab *lab = load_lab();
	uint32_t state = 7;

	for (int i = 0; i < 3000; i++) {
		char *text = strdup(i % 2 ? file : good);
		struct plan *plan = NULL;
		struct err err = {""};
		int ret;

		edit_damage(text, &state);
		ret = planfile_parse("p.yaml", text, lab, &plan, &err);
		CU_ASSERT(ret == 0 || (ret == -EINVAL && strncmp(err.text, "p.yaml:", 7) == 0));
		plan_free(plan);
		free(text);
	}
	lab_free(lab);
	free(file);
}

static void a_plan_that_is_not_there_says_so(void)
{
	struct lab *lab = load_lab();
	struct plan *plan = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(planfile_load("/nonexistent", lab, &plan, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "/nonexistent: cannot be opened: No such file or directory");
	CU_ASSERT_PTR_NULL(plan);
	lab_free(lab);
}

static void names_of_metrics_go_both_ways(void)
{
	enum plan_metric metric;

	for (int i = 0; i < PLAN_METRIC_COUNT; i++) {
		CU_ASSERT_EQUAL(plan_metric_parse(plan_metric_name((enum plan_metric)i), &metric),
				0);
		CU_ASSERT_EQUAL((int)metric, i);
	}
	CU_ASSERT_EQUAL(plan_metric_parse("watts", &metric), -EINVAL);
}

/* A plan as short as it can be, with more behind it. */
static int parse_small(const char *more, struct plan **plan, struct err *err)
{
	static const char head[] = "plan: p\narms:\n  - {name: a, kernel: \"6.1\"}\n"
				   "scenarios:\n  - scenario: idle\nboot_limit: 50 s\n";
	struct lab *lab = load_lab();
	char text[1024];
	int ret;

	snprintf(text, sizeof(text), "%s%s", head, more);
	ret = planfile_parse("p.yaml", text, lab, plan, err);
	lab_free(lab);
	return ret;
}

static void steps_of_recovery_that_boot_have_the_limit_of_a_boot(void)
{
	struct plan *plan = NULL;

	CU_ASSERT_EQUAL_FATAL(parse_small("", &plan, NULL), 0);
	CU_ASSERT_EQUAL(plan->recovery.limit_ns[RECOVERY_ASK], INT64_C(6000000000));
	CU_ASSERT_EQUAL(plan->recovery.limit_ns[RECOVERY_POWER], INT64_C(50000000000));
	CU_ASSERT_EQUAL(plan->recovery.losses, 5);
	plan_free(plan);
	CU_ASSERT_EQUAL_FATAL(
		parse_small("recovery: {silence: 2 s, sysrq: 0 s, reset: 7 s, losses: 0}\n", &plan,
			    NULL),
		0);
	CU_ASSERT_EQUAL(plan->recovery.silence_ns, INT64_C(2000000000));
	CU_ASSERT_EQUAL(plan->recovery.limit_ns[RECOVERY_SYSRQ], 0);
	CU_ASSERT_EQUAL(plan->recovery.limit_ns[RECOVERY_RESET], INT64_C(7000000000));
	CU_ASSERT_EQUAL(plan->recovery.limit_ns[RECOVERY_CRASH], INT64_C(50000000000));
	CU_ASSERT_EQUAL(plan->recovery.losses, 0);
	plan_free(plan);
}

static void faults_are_for_the_virtual_target_only(void)
{
	struct plan *plan = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(parse_small("faults: [{fault: target-panic}]\n", &plan, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "p.yaml:7:1: faults: only the virtual target"));
}

static const struct unit_case cases[] = {
	{"arms and times arrive field by field", arms_and_times_arrive_field_by_field},
	{"a scenario takes what it does not say from the plan",
	 a_scenario_takes_what_it_does_not_say_from_the_plan},
	{"limits arrive field by field", limits_arrive_field_by_field},
	{"meters are aligned unless the plan says none",
	 meters_are_aligned_unless_the_plan_says_none},
	{"defaults are those of the docs", defaults_are_those_of_the_docs},
	{"kexec arrives key by key", kexec_arrives_key_by_key},
	{"files of a virtual target are the cache's", files_of_a_virtual_target_are_the_caches},
	{"bad plans say where and why", bad_plans_say_where_and_why},
	{"a plan names its target if the lab has several",
	 a_plan_names_its_target_if_the_lab_has_several},
	{"plans of the repository load", plans_of_the_repository_load},
	{"examples of the docs load", examples_of_the_docs_load},
	{"damaged plans do no harm", damaged_plans_do_no_harm},
	{"a plan that is not there says so", a_plan_that_is_not_there_says_so},
	{"names of metrics go both ways", names_of_metrics_go_both_ways},
	{"steps of recovery that boot have the limit of a boot",
	 steps_of_recovery_that_boot_have_the_limit_of_a_boot},
	{"faults are for the virtual target only", faults_are_for_the_virtual_target_only},
};

int main(void)
{
	return unit_run("planfile", cases, UNIT_COUNT(cases));
}
