/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "faultfile.h"

#define CYCLES_MAX 1000000

static const char *fault_name(int i)
{
	return lab_fault_name((enum lab_fault_kind)i);
}

static const struct yaml_words faults_known = {fault_name, LAB_FAULT_COUNT};

static void init_fault(const struct yaml_reader *reader, void *object)
{
	struct lab_fault *fault = object;

	(void)reader;
	/* Not 0: the levels are measured before the first cycle, and should be true. */
	fault->from_cycle = 1;
	fault->lasts_ns = LAB_FAULT_LASTS_NS;
}

static int check_when(const struct yaml_reader *reader, const struct yaml_item *map,
		      const struct lab_fault *fault)
{
	const struct yaml_item *lasts = yaml_tree_get(map, "lasts");

	if (fault->from_cycle == 0 && lab_fault_is_event(fault->kind))
		return yaml_field_error(reader, yaml_tree_get(map, "from_cycle"),
					"no kernel runs yet to which this could happen");
	if (fault->every && fault->every <= lab_fault_cycles(fault))
		return yaml_field_error(reader, yaml_tree_get(map, "every"),
					"must be more than the cycles that it lasts");
	if (lasts && fault->kind != LAB_FAULT_TRANSPORT_CUT)
		return yaml_field_error(reader, lasts, "%s lasts for whole cycles",
					lab_fault_name(fault->kind));
	return 0;
}

static int check_fault(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	const struct lab_fault *fault = object;
	const struct yaml_item *slot = yaml_tree_get(map, "slot");

	if (lab_fault_has_slot(fault->kind) && !slot)
		return yaml_text_error(reader->path, map->place, reader->err,
				       "missing key \"slot\" in a fault of kind %s",
				       lab_fault_name(fault->kind));
	if (!lab_fault_has_slot(fault->kind) && slot)
		return yaml_field_error(reader, slot, "%s is of no one slot",
					lab_fault_name(fault->kind));
	return check_when(reader, map, fault);
}

/* clang-format off */
const struct yaml_schema faultfile_schema = {
	.what = "a fault",
	.size = sizeof(struct lab_fault),
	.init = init_fault,
	.check = check_fault,
	.fields = (const struct yaml_field[]){
		{"fault", YAML_TYPE_CHOICE, YAML_REQUIRED,
		 .offset = offsetof(struct lab_fault, kind),
		 .words = &faults_known},
		{"slot", YAML_TYPE_COUNT, 0,
		 .offset = offsetof(struct lab_fault, slot), .min = 5, .max = 8},
		{"from_cycle", YAML_TYPE_COUNT, 0,
		 .offset = offsetof(struct lab_fault, from_cycle),
		 .max = CYCLES_MAX},
		{"cycles", YAML_TYPE_COUNT, 0,
		 .offset = offsetof(struct lab_fault, cycles), .min = 1,
		 .max = CYCLES_MAX},
		{"every", YAML_TYPE_COUNT, 0,
		 .offset = offsetof(struct lab_fault, every), .min = 2,
		 .max = CYCLES_MAX},
		{"lasts", YAML_TYPE_DURATION, 0,
		 .offset = offsetof(struct lab_fault, lasts_ns)},
		{0},
	},
};
/* clang-format on */

static bool has_slot(const struct lab_virtual *virt, unsigned device)
{
	for (size_t i = 0; i < virt->slots_n; i++) {
		if (virt->slots[i].device == device)
			return true;
	}
	return false;
}

int faultfile_check(const struct yaml_reader *reader, const struct yaml_item *list,
		    const struct lab_fault *faults, size_t n, const struct lab_virtual *virt)
{
	for (size_t i = 0; i < n; i++) {
		if (lab_fault_has_slot(faults[i].kind) && !has_slot(virt, faults[i].slot))
			return yaml_field_error(reader, yaml_tree_get(&list->items[i], "slot"),
						"no such slot in this lab");
		for (size_t j = 0; j < i; j++) {
			if (faults[j].kind == faults[i].kind && faults[j].slot == faults[i].slot)
				return yaml_field_error(reader,
							yaml_tree_get(&list->items[i], "fault"),
							"given twice, first in line %zu",
							list->items[j].place.line);
		}
	}
	return 0;
}
