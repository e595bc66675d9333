/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key "recovery" of a plan. */
#ifndef COLDRIG_PLANFILE_RECOVERY_H
#define COLDRIG_PLANFILE_RECOVERY_H

#include "plan.h"
#include "yaml_schema.h"

extern const struct yaml_schema planfile_recovery_schema; /* of a struct plan_recovery */
extern const struct plan_recovery planfile_recovery_defaults;

/* Steps that a plan does not limit and that boot the target get the limit of a boot. */
void planfile_recovery_complete(struct plan_recovery *recovery, int64_t boot_limit_ns);

#endif
