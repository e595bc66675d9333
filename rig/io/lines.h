/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines to a target: buttons and supplies that are driven, signals that are read (core/lab_line.h;
 * docs/lines.md has kinds, wiring and what each can).
 *
 * A process of its own, the guardian, has the lines. It leaves every line that was driven in its safe
 * state when it is closed and when its parent is gone, however that went: kill -9, a second Ctrl-C,
 * a closed terminal. If it is itself killed, its parent does the same, with another one. Opening changes
 * nothing at a wire, and a line that was never driven is left as it was found. What cannot be kept:
 * SIGKILL for both at once, and hardware that forgets a level when it is let go.
 *
 * Active is what the line is for, whatever its level: pressed, supplied, in reset, present, good.
 * Times are CLOCK_MONOTONIC of the controller. Words in errors begin with where, and say what to do.
 */
#ifndef COLDRIG_LINES_H
#define COLDRIG_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "lab_line.h"

struct lines;

struct line_options {
	const struct lab_line *wire; /* of these, two that are the same wire are opened once */
	const char *where;	     /* "lab.yaml:12:7: lines: reset"; may be NULL */
};

#define LINES_MAX 16

/*
 * Opens n lines, from here on called by their index, and starts the guardian. The array may go after it;
 * what it points to stays the caller's, and must outlive the lines. Fails as a whole, with the words of the
 * first line that cannot be had.
 * No other thread may run, as with any fork(). Closed with lines_close().
 * -ENOENT: not there. -EACCES: no permission. -EBUSY: in use. -ENOTSUP: it cannot do that.
 */
int lines_open(const struct line_options *options, size_t n, struct lines **out, struct err *err);

/* What was found, in words: "cp2112_gpio (/dev/gpiochip2) line 3, now an input, high". */
const char *lines_text(const struct lines *lines, size_t line);

/* Leaves all in their safe state, ends the guardian (it gets some seconds) and frees. */
void lines_close(struct lines *lines);

/* These wait for their end, which comes: a line that does not answer is -ETIMEDOUT. */
int lines_set(struct lines *lines, size_t line, bool active, struct err *err);
int lines_read(struct lines *lines, size_t line, bool *active, struct err *err);

/* Active (or, for supplies that are to be cycled, inactive), hold_ns later the opposite. */
int lines_pulse(struct lines *lines, size_t line, bool active, int64_t hold_ns, struct err *err);

/* From now on its edges come as events: with the kernel's time stamps from gpio, polled from others.
 * The first tells what it is now. */
int lines_watch(struct lines *lines, size_t line, struct err *err);

/* What it is now is what it shall be left as. */
int lines_keep(struct lines *lines, size_t line, struct err *err);

/* For who must not wait. */
enum line_op { LINE_SET, LINE_READ, LINE_PULSE, LINE_WATCH, LINE_KEEP };

enum line_event_kind {
	LINE_DONE, /* a request has ended, well or not */
	LINE_EDGE, /* of a watched line */
	LINE_LOST  /* the guardian is gone, and what it drove is safe if that can be; final */
};

struct line_event {
	enum line_event_kind kind;
	size_t line;
	uint32_t request; /* LINE_DONE: the number that lines_begin() gave */
	int code;	  /* LINE_DONE: 0 or negative errno; LINE_LOST: -EPIPE */
	bool active;	  /* the line now; LINE_DONE of LINE_KEEP and LINE_WATCH: no meaning */
	int64_t t_ns;	  /* when it became so (LINE_PULSE: when the pulse began) */
	int64_t error_ns; /* the true time lies within t_ns +- error_ns */
	struct err why;	  /* if code is not 0 */
};

/* Hands a request to the guardian; its end comes as an event with the number, from 1. A line has one
 * pulse at a time (-EBUSY). active and hold_ns as above, else of no meaning. */
int lines_begin(struct lines *lines, size_t line, enum line_op op, bool active, int64_t hold_ns,
		uint32_t *request, struct err *err);

/* Readable when lines_next() has something. */
int lines_fd(const struct lines *lines);

/* The next event, without waiting; false if there is none. */
bool lines_next(struct lines *lines, struct line_event *event);

#endif
