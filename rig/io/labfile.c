/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "labfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "labfile_meter.h"
#include "labfile_target.h"
#include "labfile_virtual.h"

/* A lab has one emulated target or none, and with it the physics. */
static int check_transports(const struct yaml_reader *reader, const struct yaml_item *map,
			    const struct lab *lab)
{
	const struct yaml_item *targets = yaml_tree_get(map, "targets"), *transport, *first = NULL;

	for (size_t i = 0; i < lab->targets_n; i++) {
		if (strcmp(lab->targets[i].transport, "virtual") != 0)
			continue;
		transport = yaml_tree_get(&targets->items[i], "transport");
		if (!lab->virt.present)
			return yaml_field_error(
				reader, transport,
				"the lab has no key \"virtual\" to say what this is");
		if (first)
			return yaml_field_error(
				reader, transport,
				"only one target can be, and there is one in line %zu",
				first->place.line);
		first = transport;
	}
	if (lab->virt.present && !first)
		return yaml_text_error(reader->path, yaml_tree_get(map, "virtual")->key_place,
				       reader->err,
				       "virtual: no target has the transport \"virtual\"");
	return 0;
}

/* The emulated machine's monitor is of the target that is one. */
static int check_qmp(const struct yaml_reader *reader, const struct yaml_item *map,
		     const struct lab *lab)
{
	const struct yaml_item *targets = yaml_tree_get(map, "targets");

	for (size_t i = 0; i < lab->targets_n; i++) {
		const struct yaml_item *lines = yaml_tree_get(&targets->items[i], "lines");

		for (int role = 0; lines && role < LAB_ROLE_COUNT; role++) {
			const struct lab_line *line = &lab->targets[i].lines[role];

			if (line->kind == LAB_LINE_QMP &&
			    strcmp(line->qmp.socket, LAB_QMP_OWN) == 0 &&
			    strcmp(lab->targets[i].transport, "virtual") != 0)
				return yaml_text_error(
					reader->path, (struct yaml_place){line->line, line->column},
					reader->err,
					"qmp: " LAB_QMP_OWN " is the virtual target's, and this is "
					"none");
		}
	}
	return 0;
}

static int check_lab(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	const struct yaml_item *meters = yaml_tree_get(map, "meters");
	const struct lab *lab = object;

	for (size_t i = 0; !lab->virt.present && i < lab->meters_n; i++) {
		if (strstr(lab->meters[i].spec, "{port}"))
			return yaml_field_error(reader, yaml_tree_get(&meters->items[i], "spec"),
						"{port} is the virtual instrument's, and the lab "
						"has no key \"virtual\"");
	}
	if (check_transports(reader, map, lab))
		return -EINVAL;
	return check_qmp(reader, map, lab);
}

/* clang-format off */
static const struct yaml_schema lab_schema = {
	.what = "a lab",
	.check = check_lab,
	.fields = (const struct yaml_field[]){
		{"lab", YAML_TYPE_NAME, YAML_REQUIRED, YAML_AT(lab, name)},
		{"meters", YAML_TYPE_LIST, 0, YAML_LIST_AT(lab, meters), .max = LAB_METERS_MAX,
		 .schema = &labfile_meter_schema},
		{"targets", YAML_TYPE_LIST, YAML_REQUIRED, YAML_LIST_AT(lab, targets), .min = 1,
		 .schema = &labfile_target_schema},
		{"virtual", YAML_TYPE_MAP, 0, YAML_AT(lab, virt), .schema = &labfile_virtual_schema},
		{0},
	},
};
/* clang-format on */

static struct lab *new_lab(const char *path, const char *text)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	if (!lab)
		return NULL;
	lab->virt = (struct lab_virtual){
		.memory_mib = 1024,
		.cpus = 2,
		.voltage_v = 12,
		.seed = 1,
	};
	lab->path = strdup(path);
	lab->text = strdup(text);
	if (!lab->path || !lab->text) {
		lab_free(lab);
		return NULL;
	}
	return lab;
}

int labfile_parse(const char *path, const char *text, struct lab **out, struct err *err)
{
	struct yaml_reader reader = {.path = path, .err = err};
	struct yaml_tree *tree;
	struct lab *lab;
	int ret;

	ret = yaml_tree_parse(path, text, &tree, err);
	if (ret)
		return ret;
	lab = new_lab(path, text);
	reader.user = lab;
	ret = lab ? yaml_schema_read(&reader, &lab_schema, &tree->root, lab)
		  : yaml_field_no_memory(&reader);
	yaml_tree_free(tree);
	if (ret) {
		lab_free(lab);
		return ret;
	}
	*out = lab;
	return 0;
}

int labfile_load(const char *path, struct lab **out, struct err *err)
{
	char *text;
	int ret;

	ret = yaml_text_read(path, &text, err);
	if (ret)
		return ret;
	ret = labfile_parse(path, text, out, err);
	free(text);
	return ret;
}
