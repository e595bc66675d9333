/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "planfile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultfile.h"
#include "planfile_recovery.h"
#include "yaml_schema.h"
#include "yaml_words.h"

#define SECOND	   INT64_C(1000000000)
#define CYCLES_MAX 1000000
#define VFS_MAX	   256

/* A plan while it is read. */
struct draft {
	struct plan plan;
	struct plan_scenario defaults; /* of every scenario; id has no meaning */
	const struct lab *lab;
	const struct lab_target *target; /* NULL until it is known */
};

static const char *scenario_name(int i)
{
	return scenario_get((enum scenario_id)i)->name;
}

static const char *choice_of_verdict(int i)
{
	return verdict_name((enum verdict)i);
}

static const char *metric_name(int i)
{
	return plan_metric_name((enum plan_metric)i);
}

static const char *bit_name(int i)
{
	return i ? "1" : "0";
}

static const char *syscall_name(int i)
{
	return plan_syscall_name((enum plan_syscall)i);
}

static const char *align_name(int i)
{
	return plan_align_name((enum plan_align)i);
}

static const struct yaml_words aligns = {align_name, PLAN_ALIGN_COUNT};
static const struct yaml_words syscalls = {syscall_name, PLAN_SYSCALL_COUNT};
static const struct yaml_words scenarios = {scenario_name, SCENARIO_COUNT};
static const struct yaml_words verdicts = {choice_of_verdict, VERDICT_COUNT};
static const struct yaml_words metrics = {metric_name, PLAN_METRIC_COUNT};
static const struct yaml_words bits = {bit_name, 2};

static int read_target(const struct yaml_reader *reader, const struct yaml_item *item, void *object)
{
	const char *known[YAML_LIST_MAX];
	struct draft *draft = object;
	int ret;

	ret = yaml_field_string(reader, item, &draft->plan.target);
	if (ret)
		return ret;
	draft->target = lab_find_target(draft->lab, draft->plan.target);
	if (draft->target)
		return 0;
	for (size_t i = 0; i < draft->lab->targets_n; i++)
		known[i] = draft->lab->targets[i].name;
	return yaml_field_unknown(reader, item, "no such target in the lab", known,
				  draft->lab->targets_n);
}

static int check_in_target(const struct yaml_reader *reader, const struct yaml_item *item,
			   const char *bdf)
{
	const struct draft *draft = reader->user;
	const char *known[YAML_LIST_MAX];
	char hint[YAML_WORDS_SIZE];

	/* A target that is missing is said once, by check_plan(). */
	if (!draft->target || lab_find_device(draft->target, bdf))
		return 0;
	for (size_t i = 0; i < draft->target->devices_n; i++)
		known[i] = draft->target->devices[i].bdf;
	/* All of them, and no guess: devices are too much alike. */
	return yaml_field_error(reader, item, "no such device in the lab's target%s",
				yaml_words_hint("", known, draft->target->devices_n, hint));
}

static bool has_device(const struct plan_scenario *scenario, size_t n, const char *bdf)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(scenario->devices[i], bdf) == 0)
			return true;
	}
	return false;
}

static int read_one_device(const struct yaml_reader *reader, const struct yaml_item *item,
			   struct plan_scenario *scenario)
{
	const size_t n = scenario->devices_n;
	int ret;

	ret = yaml_field_bdf(reader, item, scenario->devices[n]);
	if (!ret)
		ret = check_in_target(reader, item, scenario->devices[n]);
	if (!ret && has_device(scenario, n, scenario->devices[n]))
		ret = yaml_field_error(reader, item, "given twice");
	scenario->devices_n++;
	return ret;
}

/* A list, or "all". */
static int read_devices(const struct yaml_reader *reader, const struct yaml_item *item,
			void *object)
{
	struct plan_scenario *scenario = object;
	int ret = 0;

	if (item->kind == YAML_TREE_TEXT && strcmp(item->text, "all") == 0)
		return 0;
	if (item->kind != YAML_TREE_LIST || !item->items_n || item->items_n > YAML_LIST_MAX)
		return yaml_field_error(reader, item, "must be all, or a list of 1 to %d devices",
					YAML_LIST_MAX);
	scenario->devices = calloc(item->items_n, sizeof(*scenario->devices));
	if (!scenario->devices)
		return yaml_field_no_memory(reader);
	for (size_t i = 0; !ret && i < item->items_n; i++)
		ret = read_one_device(reader, &item->items[i], scenario);
	return ret;
}

static int read_default_devices(const struct yaml_reader *reader, const struct yaml_item *item,
				void *object)
{
	struct draft *draft = object;

	return read_devices(reader, item, &draft->defaults);
}

static void init_arm(const struct yaml_reader *reader, void *object)
{
	struct plan_arm *arm = object;

	(void)reader;
	arm->d3cold_allowed = -1;
	arm->kexec.syscall = PLAN_SYSCALL_FILE;
}

/* What a target of a kind must have, and what it cannot have, because it follows from the cache. */
static const struct {
	const char *key;
	bool is_needed_on_virtual, is_needed_on_real, is_refused_on_virtual;
} kexec_rules[] = {
	{"from", true, false, false},	      {"image", false, true, true},
	{"initrd", false, false, true},	      {"crash_image", false, false, true},
	{"crash_initrd", false, false, true},
};

static int check_kexec_rule(const struct yaml_reader *reader, const struct yaml_item *map, size_t i,
			    bool is_virtual)
{
	const struct yaml_item *item = yaml_tree_get(map, kexec_rules[i].key);

	if (item && is_virtual && kexec_rules[i].is_refused_on_virtual)
		return yaml_field_error(reader, item,
					"not for a virtual target: its kernels are the cache's");
	if (!item &&
	    (is_virtual ? kexec_rules[i].is_needed_on_virtual : kexec_rules[i].is_needed_on_real))
		return yaml_text_error(reader->path, map->place, reader->err,
				       "missing key \"%s\" in kexec: a %s target needs it",
				       kexec_rules[i].key, is_virtual ? "virtual" : "real");
	return 0;
}

static int check_kexec_path(const struct yaml_reader *reader, const struct yaml_item *map,
			    const char *key)
{
	const struct yaml_item *item = yaml_tree_get(map, key);
	const size_t n = strlen(PLAN_ON_TARGET);

	if (item && strncmp(item->text, PLAN_ON_TARGET, n) == 0 && item->text[n] != '/')
		return yaml_field_error(reader, item, "on the target a path begins with /");
	return 0;
}

static int check_kexec(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	static const char *const paths[] = {"image", "initrd", "crash_image", "crash_initrd"};
	const struct draft *draft = reader->user;
	struct plan_kexec *kexec = object;
	int ret = 0;

	kexec->present = true;
	/* A target that is missing is said once, by check_plan(). */
	for (size_t i = 0; !ret && draft->target && i < sizeof(kexec_rules) / sizeof(*kexec_rules);
	     i++)
		ret = check_kexec_rule(reader, map, i,
				       strcmp(draft->target->transport, "virtual") == 0);
	for (size_t i = 0; !ret && i < sizeof(paths) / sizeof(paths[0]); i++)
		ret = check_kexec_path(reader, map, paths[i]);
	if (!ret && kexec->crash_initrd && !kexec->crash_image)
		ret = yaml_field_error(reader, yaml_tree_get(map, "crash_initrd"),
				       "there is no crash_image that it could belong to");
	return ret;
}

static void init_scenario(const struct yaml_reader *reader, void *object)
{
	const struct draft *draft = reader->user;
	struct plan_scenario *scenario = object;

	*scenario = draft->defaults;
	scenario->devices = NULL;
	scenario->devices_n = 0;
}

static int check_scenario(const struct yaml_reader *reader, const struct yaml_item *map,
			  void *object)
{
	const struct draft *draft = reader->user;
	const struct plan_scenario *defaults = &draft->defaults;
	struct plan_scenario *scenario = object;
	size_t size = defaults->devices_n * sizeof(*defaults->devices);

	if (yaml_tree_get(map, "devices") || !defaults->devices)
		return 0;
	scenario->devices = malloc(size);
	if (!scenario->devices)
		return yaml_field_no_memory(reader);
	memcpy(scenario->devices, defaults->devices, size);
	scenario->devices_n = defaults->devices_n;
	return 0;
}

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
	const struct draft *draft = reader->user;
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
	return ret ? ret : check_in_target(reader, item, limit->bdf);
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
		if (!*bdf || !s->devices || has_device(s, s->devices_n, bdf))
			return true;
	}
	return false;
}

/* What the suite finds is of the arm, whatever scenarios and devices it has. */
static int check_limit_suite(const struct yaml_reader *reader, const struct yaml_item *map,
			     const struct plan_limit *limit)
{
	static const char *const not_here[] = {"scenario", "device"};
	const struct draft *draft = reader->user;

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
	const struct draft *draft = reader->user;

	if (!runs(&draft->plan, limit->scenario, ""))
		return yaml_field_error(reader, yaml_tree_get(map, "scenario"),
					"this plan does not run it");
	if (!runs(&draft->plan, limit->scenario, limit->bdf))
		return yaml_field_error(
			reader, yaml_tree_get(map, "device"), "this plan does not run %s on it",
			limit->scenario < 0 ? "anything" : scenario_name(limit->scenario));
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

static int check_faults(const struct yaml_reader *reader, const struct yaml_item *map,
			const struct draft *draft)
{
	const struct yaml_item *list = yaml_tree_get(map, "faults");

	if (list && strcmp(draft->target->transport, "virtual") != 0)
		return yaml_text_error(reader->path, list->key_place, reader->err,
				       "faults: only the virtual target has them");
	return faultfile_check(reader, list, draft->plan.faults, draft->plan.faults_n,
			       &draft->lab->virt);
}

static int check_plan(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	const struct draft *draft = object;

	if (draft->target)
		return check_faults(reader, map, draft);
	return yaml_text_error(reader->path, map->place, reader->err,
			       "missing key \"target\" in a plan: the lab has %zu",
			       draft->lab->targets_n);
}

/* clang-format off */
/* What stands in a scenario, and in the plan as the default of all scenarios. */
#define COMMON_FIELDS(type, to)                                                                    \
	{"cycles", YAML_TYPE_COUNT, 0, YAML_AT(type, to cycles), .min = 1, .max = CYCLES_MAX},          \
	{"settle", YAML_TYPE_DURATION, YAML_ZERO_OK, YAML_AT(type, to settle_ns)},                      \
	{"dwell", YAML_TYPE_DURATION, 0, YAML_AT(type, to dwell_ns)},                                   \
	{"hold", YAML_TYPE_DURATION, YAML_ZERO_OK, YAML_AT(type, to hold_ns)},                          \
	{"vfs", YAML_TYPE_COUNT, 0, YAML_AT(type, to vfs), .min = 1, .max = VFS_MAX}

static const struct yaml_schema kexec_schema = {
	.what = "kexec",
	.check = check_kexec,
	.fields = (const struct yaml_field[]){
		{"from", YAML_TYPE_NAME, 0, YAML_AT(plan_kexec, from), .also = "+~"},
		{"syscall", YAML_TYPE_CHOICE, 0, YAML_AT(plan_kexec, syscall), .words = &syscalls},
		{"append", YAML_TYPE_STRING, 0, YAML_AT(plan_kexec, append)},
		{"image", YAML_TYPE_STRING, 0, YAML_AT(plan_kexec, image)},
		{"initrd", YAML_TYPE_STRING, 0, YAML_AT(plan_kexec, initrd)},
		{"crash_image", YAML_TYPE_STRING, 0, YAML_AT(plan_kexec, crash_image)},
		{"crash_initrd", YAML_TYPE_STRING, 0, YAML_AT(plan_kexec, crash_initrd)},
		{0},
	},
};

static const struct yaml_schema arm_schema = {
	.what = "an arm",
	.size = sizeof(struct plan_arm),
	.init = init_arm,
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_NAME, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(plan_arm, name)},
		{"kernel", YAML_TYPE_NAME, YAML_REQUIRED, YAML_AT(plan_arm, kernel), .also = "+~"},
		{"kexec", YAML_TYPE_MAP, 0, YAML_AT(plan_arm, kexec), .schema = &kexec_schema},
		{"d3cold_allowed", YAML_TYPE_CHOICE, 0, YAML_AT(plan_arm, d3cold_allowed),
		 .words = &bits},
		{0},
	},
};

static const struct yaml_schema scenario_schema = {
	.what = "a scenario",
	.size = sizeof(struct plan_scenario),
	.init = init_scenario,
	.check = check_scenario,
	.fields = (const struct yaml_field[]){
		/* Once each: results go by arm, device and scenario. */
		{"scenario", YAML_TYPE_CHOICE, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(plan_scenario, id),
		 .words = &scenarios},
		COMMON_FIELDS(plan_scenario, ),
		{"devices", YAML_TYPE_CUSTOM, 0, .read = read_devices},
		{0},
	},
};

static const struct yaml_schema limit_schema = {
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
		{"scenario", YAML_TYPE_CHOICE, 0, YAML_AT(plan_limit, scenario), .words = &scenarios},
		{"device", YAML_TYPE_CUSTOM, 0, .read = read_limit_device},
		{0},
	},
};

static const struct yaml_schema plan_schema = {
	.what = "a plan",
	.check = check_plan,
	.fields = (const struct yaml_field[]){
		{"plan", YAML_TYPE_NAME, YAML_REQUIRED, YAML_AT(draft, plan.name)},
		{"target", YAML_TYPE_CUSTOM, 0, .read = read_target},
		{"level_dwell", YAML_TYPE_DURATION, 0, YAML_AT(draft, plan.level_dwell_ns)},
		{"answer_limit", YAML_TYPE_DURATION, 0, YAML_AT(draft, plan.answer_limit_ns)},
		{"align", YAML_TYPE_CHOICE, 0, YAML_AT(draft, plan.align), .words = &aligns},
		{"conformance", YAML_TYPE_DURATION, 0, YAML_AT(draft, plan.conformance_ns)},
		{"boot_limit", YAML_TYPE_DURATION, 0, YAML_AT(draft, plan.boot_limit_ns)},
		{"recovery", YAML_TYPE_MAP, 0, YAML_AT(draft, plan.recovery),
		 .schema = &planfile_recovery_schema},
		{"faults", YAML_TYPE_LIST, 0, YAML_LIST_AT(draft, plan.faults),
		 .schema = &faultfile_schema},
		COMMON_FIELDS(draft, defaults.),
		{"devices", YAML_TYPE_CUSTOM, 0, .read = read_default_devices},
		{"arms", YAML_TYPE_LIST, YAML_REQUIRED, YAML_LIST_AT(draft, plan.arms), .min = 1,
		 .max = PLAN_ARMS_MAX, .schema = &arm_schema},
		{"scenarios", YAML_TYPE_LIST, YAML_REQUIRED, YAML_LIST_AT(draft, plan.scenarios),
		 .min = 1, .schema = &scenario_schema},
		{"limits", YAML_TYPE_LIST, 0, YAML_LIST_AT(draft, plan.limits), .schema = &limit_schema},
		{0},
	},
};
/* clang-format on */

static int fill(struct draft *draft, const char *path, const char *text, struct err *err)
{
	const struct yaml_reader reader = {.path = path, .user = draft, .err = err};
	struct yaml_tree *tree;
	int ret;

	draft->plan.path = strdup(path);
	draft->plan.text = strdup(text);
	if (!draft->plan.path || !draft->plan.text)
		return yaml_field_no_memory(&reader);
	ret = yaml_tree_parse(path, text, &tree, err);
	if (ret)
		return ret;
	ret = yaml_schema_read(&reader, &plan_schema, &tree->root, draft);
	yaml_tree_free(tree);
	return ret;
}

/* clang-format off */
static const struct draft blank = {
	.plan = {
		.level_dwell_ns = 2 * SECOND,
		.answer_limit_ns = 15 * SECOND,
		.boot_limit_ns = 90 * SECOND,
		.align = PLAN_ALIGN_AUTO,
	},
	.defaults = {
		.cycles = 1,
		.settle_ns = 2 * SECOND,
		.dwell_ns = 2 * SECOND,
		.hold_ns = SECOND / 2,
		.vfs = 2,
	},
};
/* clang-format on */

int planfile_parse(const char *path, const char *text, const struct lab *lab, struct plan **out,
		   struct err *err)
{
	struct draft draft = blank;
	struct plan *plan = malloc(sizeof(*plan));
	int ret;

	if (!plan)
		return err_set(err, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	draft.plan.recovery = planfile_recovery_defaults;
	draft.lab = lab;
	draft.target = lab->targets_n == 1 ? &lab->targets[0] : NULL;
	ret = fill(&draft, path, text, err);
	free(draft.defaults.devices);
	planfile_recovery_complete(&draft.plan.recovery, draft.plan.boot_limit_ns);
	*plan = draft.plan;
	if (ret) {
		plan_free(plan);
		return ret;
	}
	*out = plan;
	return 0;
}

int planfile_load(const char *path, const struct lab *lab, struct plan **out, struct err *err)
{
	char *text;
	int ret;

	ret = yaml_text_read(path, &text, err);
	if (ret)
		return ret;
	ret = planfile_parse(path, text, lab, out, err);
	free(text);
	return ret;
}
