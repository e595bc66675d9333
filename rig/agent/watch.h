/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watching runtime power management of functions and their ports, through the kernel's trace, or
 * where that is not to be had by looking at allowed attributes every WATCH_POLL_MS.
 */
#ifndef COLDRIG_WATCH_H
#define COLDRIG_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "host.h"
#include "traceline.h"

#define WATCH_POLL_MS 10

struct watch_event {
	const char *bdf; /* valid during the call */
	const char *what;
	int64_t t_ns;
	int64_t error_ns; /* the event came at most so long before t_ns; -1 when traced */
};

/* Called from within watch_drain() and watch_add(); may not call back into the watch. */
typedef void (*watch_emit)(void *arg, const struct watch_event *event);

struct watch;

/* Never NULL; watch_free() ends it and removes all from tracefs. */
struct watch *watch_new(const struct host *host, watch_emit emit, void *arg);
void watch_free(struct watch *watch);

/* Begins with a function and its port; twice is fine. Changes from before are not reported. */
void watch_add(struct watch *watch, const struct bdf *bdf);

/* -ENOENT if it was not watched. */
int watch_remove(struct watch *watch, const struct bdf *bdf);

/* "tracefs" or "poll", and then why, else NULL. Valid after watch_add(). */
const char *watch_witness(const struct watch *watch, const char **why);

/* What poll() has to wait for: a descriptor or -1, and how long at most in ms, -1 for ever. */
int watch_fd(const struct watch *watch);
int watch_timeout_ms(const struct watch *watch);

/* Reports all that has happened until now. */
void watch_drain(struct watch *watch);

/* Takes one line of the trace; watch_drain() does so with each. */
void watch_take(struct watch *watch, const struct traceline *line);

#endif
