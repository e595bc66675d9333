/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "planfile_kexec.h"

#include <string.h>

#include "planfile_parts.h"

static const char *syscall_name(int i)
{
	return plan_syscall_name((enum plan_syscall)i);
}

static const struct yaml_words syscalls = {syscall_name, PLAN_SYSCALL_COUNT};

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
	const struct planfile_draft *draft = reader->user;
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

/* clang-format off */
const struct yaml_schema planfile_kexec_schema = {
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
/* clang-format on */
