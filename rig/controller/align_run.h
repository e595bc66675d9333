/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Load steps on the target, by which the meters are aligned with it: at both ends of an arm, and now
 * and then between cycles. docs/time.md says how they are used. */
#ifndef COLDRIG_ALIGN_RUN_H
#define COLDRIG_ALIGN_RUN_H

#include "err.h"
#include "rig.h"

struct runner;

/*
 * Steps a device of each meter between D0 and D3hot, and looks for that in the readings. Nothing
 * where the plan or the lab has nothing to align. A device that refuses is noted; a lost target is an
 * error. Rows of cycles that are judged anew are written again.
 */
int align_run(struct rig *rig, const struct runner *runner, struct err *err);

/* Is it time for steps again? What a clock drifts in between would show in each error. */
bool align_is_due(const struct runner *runner, int64_t last_ns);

#endif
