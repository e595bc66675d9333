/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures what a device draws in D0 and in D3hot, before the cycles of an arm: the levels against
 * which cold is decided. */
#ifndef COLDRIG_LEVEL_RUN_H
#define COLDRIG_LEVEL_RUN_H

#include "err.h"
#include "rig.h"

struct runner;

/*
 * D0 is taken while the device is held open, D3hot after it was closed with d3cold_allowed=0, each
 * after a settle time as long as the dwell. Ends with the arm's d3cold_allowed. What was measured
 * before, in the same run, is not measured again. A refusal leaves the level unmeasured; a lost
 * target is an error.
 */
int level_run(struct rig *rig, const struct runner *runner, int device, struct err *err);

#endif
