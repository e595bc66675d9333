/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the guardian and the kinds of lines share. All of it runs in the guardian's process, one call
 * at a time. Private to the line's files.
 */
#ifndef COLDRIG_LINE_BACKEND_H
#define COLDRIG_LINE_BACKEND_H

#include "lines.h"

#define LINE_TEXT_SIZE 200

struct line_edge {
	bool active;
	int64_t t_ns, error_ns;
};

/* Words of errors are "what: why: what to do"; each call has an end, within some seconds. */
struct line_backend {
	/* Changes nothing at the wire. */
	int (*open)(const struct lab_line *line, void **state, struct err *why);
	/* Verified where the hardware tells. NULL: it can only be read. */
	int (*set)(void *state, bool active, struct err *why);
	/* -ENODATA: it cannot be known, or not before it is set. */
	int (*read)(void *state, bool *active, struct err *why);
	/* A whole pulse by the hardware's own timing; NULL, or -ENOTSUP: set, wait, set. */
	int (*cycle)(void *state, struct err *why);
	/* Edges by a descriptor that becomes readable, and one at a time (1, 0 for none, or negative
	 * errno); NULL: read is asked over and over. */
	int (*watch)(void *state, int *fd, struct err *why);
	int (*take)(void *state, struct line_edge *edge);
	void (*describe)(void *state, char text[static LINE_TEXT_SIZE]);
	void (*close)(void *state);
};

extern const struct line_backend line_gpio_backend, line_usbhub_backend, line_usbrelay_backend,
	line_command_backend, line_qmp_backend, line_fake_backend, line_replay_backend;

int64_t line_now_ns(void);

/* What parent and guardian say to each other: one packet each. */
struct line_ask {
	uint32_t request;
	uint32_t line;
	uint32_t op;
	uint32_t active;
	int64_t hold_ns;
};

/*
 * The guardian: opens the lines, answers for each with a line_event of request 0 (its words are the
 * description, or why not), and then serves requests until the other end of fd is closed or parent has
 * ended. Does not return.
 */
_Noreturn void line_guard(const struct line_options *options, size_t n, int fd, int parent);

#endif
