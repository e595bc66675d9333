/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every command that works with a target needs around it. */
#ifndef COLDRIG_TARGET_USE_H
#define COLDRIG_TARGET_USE_H

#include "err.h"
#include "lab.h"
#include "lock.h"

/* Where the virtual target's parts of this build lie. */
const char *target_use_files(void);

/* SIGINT, SIGTERM and SIGHUP end what goes on in order, the second of them at once. */
void target_use_signals(void);

/* The target of a lab with a name; NULL: the only one that it has. -EINVAL. */
int target_use_find(const struct lab *lab, const char *name, const struct lab_target **target,
		    struct err *err);

/* One use of a target at a time; user says whose this is ("the run in out/x"). -EBUSY with whose the
 * other one is. Released with lock_release(). */
int target_use_lock(const struct lab *lab, const struct lab_target *target, const char *user,
		    struct lock **lock, struct err *err);

#endif
