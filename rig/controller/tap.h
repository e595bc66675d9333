/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A target's console: each line goes to a file with its time, and through the recogniser
 * (core/console.h). It can be typed on, as far as SysRq needs. It never waits; rig.h does.
 */
#ifndef COLDRIG_TAP_H
#define COLDRIG_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "console.h"
#include "err.h"
#include "transport.h"

struct tap;

struct tap_options {
	struct transport *transport; /* taken over, also on failure */
	const char *break_text;	     /* what is sent for a break; NULL: the line's own */
	const char *log_path;	     /* appended to; NULL: not kept */
};

int tap_open(const struct tap_options *options, struct tap **out, struct err *err);
void tap_close(struct tap *tap);

/* -1 once the other end is gone. */
int tap_fd(const struct tap *tap);

/* Called for each event, with what was passed to tap_take(); a failure ends tap_take() with it. */
typedef int tap_function(const struct console_event *event, void *context, struct err *err);

/* Takes in what has come. Fails where the log cannot be written, or the function does. */
int tap_take(struct tap *tap, tap_function *function, void *context, struct err *err);

/* When something came last, CLOCK_MONOTONIC; 0: never. */
int64_t tap_heard_ns(const struct tap *tap);

/* Can a break be sent? */
bool tap_can_sysrq(const struct tap *tap);

/* A break and a letter; nobody confirms it. -ENOTTY, -EPIPE. */
int tap_sysrq(struct tap *tap, char key);

#endif
