/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After a target is lost: if its kernel panicked and a crash kernel came up, the log is saved. */
#ifndef COLDRIG_RESCUE_H
#define COLDRIG_RESCUE_H

#include <stdbool.h>

#include "err.h"
#include "rig.h"

/*
 * Waits, for at most the plan's boot limit, for the agent of the crash kernel that was loaded, saves
 * the log of the dead kernel as panic-ARM-N.txt in the run directory, N counting from 1, and writes
 * "panic". *saved is false, and nothing is waited for, where no crash kernel was loaded; false with
 * words in why where none came up or gave the log. Fails only where this machine or the run file
 * does, or with -EINTR.
 */
int rescue(struct rig *rig, const char *run_dir, const char *arm, bool *saved, struct err *why,
	   struct err *err);

#endif
