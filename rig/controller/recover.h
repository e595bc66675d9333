/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Brings a target back that was lost: the ladder of core/recovery.h, carried out. */
#ifndef COLDRIG_RECOVER_H
#define COLDRIG_RECOVER_H

#include "err.h"
#include "recovery.h"
#include "rig.h"

struct runner;

/*
 * Writes "recovery" for its begin, each step and its end. 0: the target is up again, its kernel and
 * devices verified, "arm-up" written; nothing is claimed. -EHOSTDOWN with words: no step helped.
 * Others: the user stopped it, or this machine or the run file failed.
 */
int recover(struct rig *rig, const struct runner *runner, enum recovery_symptom symptom,
	    struct err *err);

#endif
