/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Claims on paper: in a file of /run, which lives as long as the boot, so that after a SIGKILL the
 * next agent can put back what the killed one had changed. The file is locked by whoever writes it.
 */
#ifndef COLDRIG_KEEP_H
#define COLDRIG_KEEP_H

#include <stdbool.h>

#include "host.h"

#define KEEP_PATH "/run/coldrig.claims"

struct saved;

/* Zero-initialised is closed. */
struct keep {
	bool is_open;
	int fd;
};

/* Writes down all claims, none included. Where it cannot be done it says so and goes on: the agent
 * itself still restores. */
void keep_write(struct keep *keep, const struct host *host, const struct saved *saved);

/* Adds the claims that a killed agent has left, if any, to saved, which has none. */
void keep_read(struct keep *keep, const struct host *host, struct saved *saved);

/* Removes the file; the claims are restored. */
void keep_end(struct keep *keep, const struct host *host);

#endif
