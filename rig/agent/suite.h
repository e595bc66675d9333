/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The conformance suite (tests/conformance) as a child of the agent. It is the program
 * vfio-pm-conformance that lies beside the agent's own: a controller cannot have another one run.
 * What it prints goes to the controller line by line, as events; docs/wire.md.
 */
#ifndef COLDRIG_SUITE_CHILD_H
#define COLDRIG_SUITE_CHILD_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "err.h"
#include "line.h"

#define SUITE_PROGRAM	"vfio-pm-conformance"
#define SUITE_LINE_SIZE 400

/* Zeroed is one that does not run. */
struct suite {
	pid_t pid; /* 0: does not run */
	int fd;	   /* its standard output; does not block */
	char text[SUITE_LINE_SIZE];
	size_t used;
	bool cut; /* the line went on and was too long */
};

/* The program's path, beside the running one. -errno. */
int suite_program(char path[static PATH_MAX]);

/* Starts it. -EBUSY when it runs already, -ENOENT and others with words. Ended by suite_stop(). */
int suite_start(struct suite *suite, const char *program, struct err *err);

/* Sends what it has printed; at its end also how it ended. 0, or what sending failed with. */
int suite_drain(struct suite *suite, struct line *line);

/* Asks it to end and to put back what it changed, and waits; after 10 s it is killed, and its keeper
 * puts things back. Safe on one that does not run. */
void suite_stop(struct suite *suite);

#endif
