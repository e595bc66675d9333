/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run on one target at a time. The lock goes with the process, however that ends. */
#ifndef COLDRIG_LOCK_H
#define COLDRIG_LOCK_H

#include "err.h"

struct lock;

/*
 * Takes the lock of a target, named by whatever identifies it (its transport, or lab file and
 * name); holder describes this run for those who are refused. -EBUSY with the description of the
 * run that has it. Lock files lie in $COLDRIG_LOCK_DIR, else /run/lock, else /tmp.
 */
int lock_take(const char *identity, const char *holder, struct lock **out, struct err *err);
void lock_release(struct lock *lock);

#endif
