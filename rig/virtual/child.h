/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program as a child process that does not outlive us. */
#ifndef COLDRIG_CHILD_H
#define COLDRIG_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: not started, or ended */
	int pidfd; /* readable when it has ended; -1: none */
};

/*
 * Starts argv[0], found along PATH, which dies with the calling thread. It gets errors as its
 * stderr, and the n descriptors in kept under the same numbers; others must be close-on-exec. 0, or a negative
 * errno also if it cannot be executed. Ended with child_stop().
 */
int child_start(struct child *child, char *const argv[], const int kept[], size_t n, int errors);

/* SIGTERM, a second later SIGKILL; waits. Safe on one that is zeroed or has ended. */
void child_stop(struct child *child);

#endif
