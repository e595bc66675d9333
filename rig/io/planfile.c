/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "planfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "faultfile.h"
#include "planfile_kexec.h"
#include "planfile_limit.h"
#include "planfile_parts.h"
#include "planfile_recovery.h"
#include "yaml_schema.h"
#include "yaml_words.h"

#define SECOND	   INT64_C(1000000000)
#define CYCLES_MAX 1000000
#define VFS_MAX	   256

static const char *scenario_name(int i)
{
	return scenario_get((enum scenario_id)i)->name;
}

static const char *bit_name(int i)
{
	return i ? "1" : "0";
}

static const char *align_name(int i)
{
	return plan_align_name((enum plan_align)i);
}

static const struct yaml_words aligns = {align_name, PLAN_ALIGN_COUNT};
const struct yaml_words planfile_scenarios = {scenario_name, SCENARIO_COUNT};
static const struct yaml_words bits = {bit_name, 2};

static int read_target(const struct yaml_reader *reader, const struct yaml_item *item, void *object)
{
	const char *known[YAML_LIST_MAX];
	struct planfile_draft *draft = object;
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

int planfile_check_device(const struct yaml_reader *reader, const struct yaml_item *item,
			  const char *bdf)
{
	const struct planfile_draft *draft = reader->user;
	const char *known[YAML_LIST_MAX];
	char hint[YAML_WORDS_SIZE];

	if (!draft->target || lab_find_device(draft->target, bdf))
		return 0;
	for (size_t i = 0; i < draft->target->devices_n; i++)
		known[i] = draft->target->devices[i].bdf;
	/* All of them, and no guess: devices are too much alike. */
	return yaml_field_error(reader, item, "no such device in the lab's target%s",
				yaml_words_hint("", known, draft->target->devices_n, hint));
}

bool planfile_has_device(const struct plan_scenario *scenario, size_t n, const char *bdf)
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
		ret = planfile_check_device(reader, item, scenario->devices[n]);
	if (!ret && planfile_has_device(scenario, n, scenario->devices[n]))
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
	struct planfile_draft *draft = object;

	return read_devices(reader, item, &draft->defaults);
}

static void init_arm(const struct yaml_reader *reader, void *object)
{
	struct plan_arm *arm = object;

	(void)reader;
	arm->d3cold_allowed = -1;
	arm->kexec.syscall = PLAN_SYSCALL_FILE;
}

static void init_scenario(const struct yaml_reader *reader, void *object)
{
	const struct planfile_draft *draft = reader->user;
	struct plan_scenario *scenario = object;

	*scenario = draft->defaults;
	scenario->devices = NULL;
	scenario->devices_n = 0;
}

static int check_scenario(const struct yaml_reader *reader, const struct yaml_item *map,
			  void *object)
{
	const struct planfile_draft *draft = reader->user;
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

static int check_faults(const struct yaml_reader *reader, const struct yaml_item *map,
			const struct planfile_draft *draft)
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
	const struct planfile_draft *draft = object;

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

static const struct yaml_schema arm_schema = {
	.what = "an arm",
	.size = sizeof(struct plan_arm),
	.init = init_arm,
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_NAME, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(plan_arm, name)},
		{"kernel", YAML_TYPE_NAME, YAML_REQUIRED, YAML_AT(plan_arm, kernel), .also = "+~"},
		{"kexec", YAML_TYPE_MAP, 0, YAML_AT(plan_arm, kexec), .schema = &planfile_kexec_schema},
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
		 .words = &planfile_scenarios},
		COMMON_FIELDS(plan_scenario, ),
		{"devices", YAML_TYPE_CUSTOM, 0, .read = read_devices},
		{0},
	},
};

static const struct yaml_schema plan_schema = {
	.what = "a plan",
	.check = check_plan,
	.fields = (const struct yaml_field[]){
		{"plan", YAML_TYPE_NAME, YAML_REQUIRED, YAML_AT(planfile_draft, plan.name)},
		{"target", YAML_TYPE_CUSTOM, 0, .read = read_target},
		{"level_dwell", YAML_TYPE_DURATION, 0, YAML_AT(planfile_draft, plan.level_dwell_ns)},
		{"answer_limit", YAML_TYPE_DURATION, 0, YAML_AT(planfile_draft, plan.answer_limit_ns)},
		{"align", YAML_TYPE_CHOICE, 0, YAML_AT(planfile_draft, plan.align), .words = &aligns},
		{"conformance", YAML_TYPE_DURATION, 0, YAML_AT(planfile_draft, plan.conformance_ns)},
		{"boot_limit", YAML_TYPE_DURATION, 0, YAML_AT(planfile_draft, plan.boot_limit_ns)},
		{"recovery", YAML_TYPE_MAP, 0, YAML_AT(planfile_draft, plan.recovery),
		 .schema = &planfile_recovery_schema},
		{"faults", YAML_TYPE_LIST, 0, YAML_LIST_AT(planfile_draft, plan.faults),
		 .schema = &faultfile_schema},
		COMMON_FIELDS(planfile_draft, defaults.),
		{"devices", YAML_TYPE_CUSTOM, 0, .read = read_default_devices},
		{"arms", YAML_TYPE_LIST, YAML_REQUIRED, YAML_LIST_AT(planfile_draft, plan.arms), .min = 1,
		 .max = PLAN_ARMS_MAX, .schema = &arm_schema},
		{"scenarios", YAML_TYPE_LIST, YAML_REQUIRED, YAML_LIST_AT(planfile_draft, plan.scenarios),
		 .min = 1, .schema = &scenario_schema},
		{"limits", YAML_TYPE_LIST, 0, YAML_LIST_AT(planfile_draft, plan.limits), .schema = &planfile_limit_schema},
		{0},
	},
};
/* clang-format on */

static int fill(struct planfile_draft *draft, const char *path, const char *text, struct err *err)
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
static const struct planfile_draft blank = {
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
	struct planfile_draft draft = blank;
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
