/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the emulated hardware did, as CSV: t_ns,slot,what,value. Written at once, line by line, so
 * that a test can read it while the lab runs. Never read by the rig.
 */
#ifndef COLDRIG_TRUTH_H
#define COLDRIG_TRUTH_H

#include "err.h"
#include "physics.h"

struct truth {
	int fd; /* -1: not kept */
};

/* Opens for appending, with a header if the file is new. path may be NULL. */
int truth_open(struct truth *truth, const char *path, struct err *err);
void truth_write(struct truth *truth, const struct physics_change *change);
void truth_close(struct truth *truth);

#endif
