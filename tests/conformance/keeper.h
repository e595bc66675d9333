/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A process that restores what was saved when this one is done, or gone: it waits for the end of a
 * pipe, which comes on every way out, SIGKILL included.
 */
#ifndef CONFORMANCE_KEEPER_H
#define CONFORMANCE_KEEPER_H

#include <sys/types.h>

#include "saved.h"

struct keeper {
	pid_t pid;
	int fd; /* not to be inherited by anything that may hang */
};

/* To be called before anything is changed. -errno when it cannot be started. */
int keeper_start(struct keeper *keeper, const struct saved *saved);

/* Tells it to leave that group alone. */
void keeper_leave_group(const struct keeper *keeper, int group);

/* Lets it restore, and waits for it. 0, or -1 when something was not restored, which it has said.
 */
int keeper_end(struct keeper *keeper);

#endif
