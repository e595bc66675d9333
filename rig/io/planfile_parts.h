/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan while it is read, for planfile.c and those that read some of its keys. */
#ifndef COLDRIG_PLANFILE_PARTS_H
#define COLDRIG_PLANFILE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lab.h"
#include "plan.h"
#include "yaml_field.h"

struct planfile_draft {
	struct plan plan;
	struct plan_scenario defaults; /* of every scenario; id has no meaning */
	const struct lab *lab;
	const struct lab_target *target; /* NULL until it is known */
};

extern const struct yaml_words planfile_scenarios;

/* Is the device there in the target? A target that is missing is said once, at the end. */
int planfile_check_device(const struct yaml_reader *reader, const struct yaml_item *item,
			  const char *bdf);

/* Is it among the first n of the scenario's devices? */
bool planfile_has_device(const struct plan_scenario *scenario, size_t n, const char *bdf);

#endif
