/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans from YAML files (docs/plan.md). */
#ifndef COLDRIG_PLANFILE_H
#define COLDRIG_PLANFILE_H

#include "err.h"
#include "plan.h"

/* As labfile_load(). Devices and target of the plan are checked against the lab, with the place in
 * the plan's text. Freed with plan_free(). */
int planfile_load(const char *path, const struct lab *lab, struct plan **out, struct err *err);
int planfile_parse(const char *path, const char *text, const struct lab *lab, struct plan **out,
		   struct err *err);

#endif
