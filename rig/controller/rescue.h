/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After a target is lost: if its kernel panicked and a crash kernel came up, the log is saved. */
#ifndef COLDRIG_RESCUE_H
#define COLDRIG_RESCUE_H

#include "err.h"
#include "rig.h"

/*
 * Fetches the log of the kernel that panicked from the agent of the crash kernel, which has answered
 * hello, saves it as panic-ARM-N.txt in the run directory, N counting from 1, and writes "panic".
 * -EREMOTEIO, and what means that a target is lost: there is no log; others: this machine or the run
 * file failed.
 */
int rescue_log(struct rig *rig, const char *run_dir, const char *arm, const struct msg *hello,
	       struct err *err);

#endif
