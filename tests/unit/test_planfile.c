/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_good_plan.h"

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

static const struct edit edits[] = {
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
};

static void bad_plans_say_where_and_why(void)
{
	expect_bad_plans(edits, UNIT_COUNT(edits));
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
	{"meters are aligned unless the plan says none",
	 meters_are_aligned_unless_the_plan_says_none},
	{"defaults are those of the docs", defaults_are_those_of_the_docs},
	{"bad plans say where and why", bad_plans_say_where_and_why},
	{"a plan names its target if the lab has several",
	 a_plan_names_its_target_if_the_lab_has_several},
	{"plans of the repository load", plans_of_the_repository_load},
	{"examples of the docs load", examples_of_the_docs_load},
	{"damaged plans do no harm", damaged_plans_do_no_harm},
	{"a plan that is not there says so", a_plan_that_is_not_there_says_so},
	{"steps of recovery that boot have the limit of a boot",
	 steps_of_recovery_that_boot_have_the_limit_of_a_boot},
	{"faults are for the virtual target only", faults_are_for_the_virtual_target_only},
};

int main(void)
{
	return unit_run("planfile", cases, UNIT_COUNT(cases));
}
