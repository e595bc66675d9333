/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One cycle: the actions of its scenario, the settle time, the dwell with its witnesses. */
#ifndef COLDRIG_CYCLE_H
#define COLDRIG_CYCLE_H

#include <stdint.h>

#include "err.h"
#include "rig.h"

struct runner;

struct cycle_spec {
	int64_t ordinal;
	int scenario, device; /* indices into plan and target */
	unsigned number;      /* of the cycle in its scenario and device, from 1 */
	unsigned in_arm;      /* of the cycle in its arm, from 1 */
};

/*
 * Runs it and commits its outcome to the run file. 0 if the target is well, also when the device is
 * lost. If the target is lost, the cycle has ended as lost and the error is returned. -ENODEV: the
 * same, the target is well, and its device did not wake: it must be booted anew. Other errors
 * leave the cycle unfinished: it will be run again by a resume.
 */
int cycle_run(struct rig *rig, const struct runner *runner, const struct cycle_spec *spec,
	      struct err *err);

/* Writes the rows of the cycles that load steps have judged anew, and commits. */
int cycle_put_open_rows(const struct runner *runner, struct err *err);

#endif
