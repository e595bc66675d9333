/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "planfile_limit.h"

#include <math.h>
#include <string.h>

#include "planfile_parts.h"

static const char *choice_of_verdict(int i)
{
	return verdict_name((enum verdict)i);
}

static const char *metric_name(int i)
{
	return plan_metric_name((enum plan_metric)i);
}

static const struct yaml_words verdicts = {choice_of_verdict, VERDICT_COUNT};
static const struct yaml_words metrics = {metric_name, PLAN_METRIC_COUNT};

static void init_limit(const struct yaml_reader *reader, void *object)
{
	struct plan_limit *limit = object;

	(void)reader;
	limit->scenario = -1;
	limit->at_least = -INFINITY;
	limit->at_most = INFINITY;
}

static int read_bound(const struct yaml_reader *reader, const struct yaml_item *item, double *out)
{
	const double before = *out;
	int ret;

	ret = yaml_field_real(reader, item, out);
	if (!ret && *out < 0) {
		*out = before;
		ret = yaml_field_error(reader, item, "must be 0 or more");
	}
	return ret;
}

static int read_at_least(const struct yaml_reader *reader, const struct yaml_item *item,
			 void *object)
{
	struct plan_limit *limit = object;

	limit->all = item->kind == YAML_TREE_TEXT && strcmp(item->text, "all") == 0;
	return limit->all ? 0 : read_bound(reader, item, &limit->at_least);
}

static int read_at_most(const struct yaml_reader *reader, const struct yaml_item *item,
			void *object)
{
	struct plan_limit *limit = object;

	return read_bound(reader, item, &limit->at_most);
}

static int read_limit_arm(const struct yaml_reader *reader, const struct yaml_item *item,
			  void *object)
{
	const struct planfile_draft *draft = reader->user;
	struct plan_limit *limit = object;
	const char *known[PLAN_ARMS_MAX];
	int ret;

	ret = yaml_field_string(reader, item, &limit->arm);
	if (ret)
		return ret;
	for (size_t i = 0; i < draft->plan.arms_n; i++) {
		known[i] = draft->plan.arms[i].name;
		if (strcmp(known[i], limit->arm) == 0)
			return 0;
	}
	return yaml_field_unknown(reader, item, "no such arm in this plan", known,
				  draft->plan.arms_n);
}

static int read_limit_device(const struct yaml_reader *reader, const struct yaml_item *item,
			     void *object)
{
	struct plan_limit *limit = object;
	int ret;

	ret = yaml_field_bdf(reader, item, limit->bdf);
	return ret ? ret : planfile_check_device(reader, item, limit->bdf);
}

/* Which of metric and verdict stand there, and do they agree? */
static int check_limit_metric(const struct yaml_reader *reader, const struct yaml_item *map,
			      const struct plan_limit *limit)
{
	const struct yaml_item *verdict = yaml_tree_get(map, "verdict");

	if (limit->metric != PLAN_METRIC_VERDICT && verdict)
		return yaml_field_error(reader, verdict, "the metric here is %s, not verdict",
					plan_metric_name(limit->metric));
	if (limit->metric == PLAN_METRIC_VERDICT && !verdict)
		return yaml_text_error(reader->path, map->place, reader->err,
				       "missing key \"verdict\" or \"metric\" in a limit: "
				       "what does it limit?");
	return 0;
}

static int check_whole(const struct yaml_reader *reader, const struct yaml_item *item)
{
	double value = 0;
	int ret;

	ret = item ? yaml_field_real(reader, item, &value) : 0;
	if (ret)
		return ret;
	if (value > floor(value))
		return yaml_field_error(reader, item, "must be whole: it is a count");
	return 0;
}

static int check_limit_bounds(const struct yaml_reader *reader, const struct yaml_item *map,
			      const struct plan_limit *limit)
{
	const struct yaml_item *least = yaml_tree_get(map, "at_least");
	const struct yaml_item *most = yaml_tree_get(map, "at_most");
	const bool counted = plan_metric_is_count(limit->metric);
	int ret;

	if (!least && !most)
		return yaml_text_error(reader->path, map->place, reader->err,
				       "missing key \"at_least\" or \"at_most\" in a limit");
	if (limit->all && limit->metric != PLAN_METRIC_VERDICT)
		return yaml_field_error(reader, least, "only verdicts can be all, %s cannot",
					plan_metric_name(limit->metric));
	if (limit->all && most)
		return yaml_field_error(reader, most, "at_least is all: there is no room for this");
	if (limit->at_least > limit->at_most)
		return yaml_field_error(reader, least, "more than at_most, which is %s",
					most->text);
	ret = counted ? check_whole(reader, limit->all ? NULL : least) : 0;
	if (!ret && counted)
		ret = check_whole(reader, most);
	return ret;
}

static bool runs(const struct plan *plan, int scenario, const char *bdf)
{
	for (size_t i = 0; i < plan->scenarios_n; i++) {
		const struct plan_scenario *s = &plan->scenarios[i];

		if (scenario >= 0 && (int)s->id != scenario)
			continue;
		if (!*bdf || !s->devices || planfile_has_device(s, s->devices_n, bdf))
			return true;
	}
	return false;
}

/* What the suite finds is of the arm, whatever scenarios and devices it has. */
static int check_limit_suite(const struct yaml_reader *reader, const struct yaml_item *map,
			     const struct plan_limit *limit)
{
	static const char *const not_here[] = {"scenario", "device"};
	const struct planfile_draft *draft = reader->user;

	if (!plan_metric_is_of_suite(limit->metric))
		return 0;
	for (size_t i = 0; i < sizeof(not_here) / sizeof(not_here[0]); i++) {
		const struct yaml_item *item = yaml_tree_get(map, not_here[i]);

		if (item)
			return yaml_field_error(reader, item, "%s is of a whole arm",
						plan_metric_name(limit->metric));
	}
	if (!draft->plan.conformance_ns)
		return yaml_field_error(reader, yaml_tree_get(map, "metric"),
					"this plan does not run the suite: it has no key "
					"\"conformance\"");
	return 0;
}

/* A limit without a cycle would always fail: better said now than after the run. */
static int check_limit_selects(const struct yaml_reader *reader, const struct yaml_item *map,
			       const struct plan_limit *limit)
{
	const struct planfile_draft *draft = reader->user;

	if (!runs(&draft->plan, limit->scenario, ""))
		return yaml_field_error(reader, yaml_tree_get(map, "scenario"),
					"this plan does not run it");
	if (!runs(&draft->plan, limit->scenario, limit->bdf))
		return yaml_field_error(
			reader, yaml_tree_get(map, "device"), "this plan does not run %s on it",
			limit->scenario < 0
				? "anything"
				: scenario_get((enum scenario_id)limit->scenario)->name);
	return 0;
}

static int check_limit(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	int ret;

	ret = check_limit_metric(reader, map, object);
	if (!ret)
		ret = check_limit_bounds(reader, map, object);
	if (!ret)
		ret = check_limit_suite(reader, map, object);
	if (!ret)
		ret = check_limit_selects(reader, map, object);
	return ret;
}

/* clang-format off */
const struct yaml_schema planfile_limit_schema = {
	.what = "a limit",
	.size = sizeof(struct plan_limit),
	.init = init_limit,
	.check = check_limit,
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_STRING, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(plan_limit, name)},
		{"metric", YAML_TYPE_CHOICE, 0, YAML_AT(plan_limit, metric), .words = &metrics},
		{"verdict", YAML_TYPE_CHOICE, 0, YAML_AT(plan_limit, verdict), .words = &verdicts},
		{"at_least", YAML_TYPE_CUSTOM, 0, .read = read_at_least},
		{"at_most", YAML_TYPE_CUSTOM, 0, .read = read_at_most},
		{"arm", YAML_TYPE_CUSTOM, 0, .read = read_limit_arm},
		{"scenario", YAML_TYPE_CHOICE, 0, YAML_AT(plan_limit, scenario), .words = &planfile_scenarios},
		{"device", YAML_TYPE_CUSTOM, 0, .read = read_limit_device},
		{0},
	},
};
/* clang-format on */
