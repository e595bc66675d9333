/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_good_plan.h"

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

static const struct edit edits[] = {
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

static void bad_limits_say_where_and_why(void)
{
	expect_bad_plans(edits, UNIT_COUNT(edits));
}

static const struct unit_case cases[] = {
	{"limits arrive field by field", limits_arrive_field_by_field},
	{"names of metrics go both ways", names_of_metrics_go_both_ways},
	{"bad limits say where and why", bad_limits_say_where_and_why},
};

int main(void)
{
	return unit_run("planfile_limit", cases, UNIT_COUNT(cases));
}
