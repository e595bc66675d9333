/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A function of a test in a process group of its own, with a time limit. A child that hangs is
 * killed; one that cannot be killed, because it sleeps in the kernel, is left behind.
 */
#ifndef CONFORMANCE_CHILD_H
#define CONFORMANCE_CHILD_H

#include <stdbool.h>

#include "verdict.h"

struct child_result {
	struct verdict verdict; /* outcome and reason are filled in whatever happened */
	bool timeout;
	bool stuck; /* it still runs, and holds what it had open */
	int signal; /* that asks this program to end, and came meanwhile; or 0 */
};

/*
 * Blocks the signals that ask for an end, so that they are seen between and during children.
 * To be called once, before the first child.
 */
void child_init(void);

/* Which of those signals came since; 0 for none. Takes it. */
int child_signal(void);

/*
 * Runs run(what), which should end in pass(), fail() or skip(), or return, which is a pass.
 * close_fd is closed in the child.
 */
void child_run(void (*run)(const void *what), const void *what, unsigned timeout_s, int close_fd,
	       struct child_result *result);

#endif
