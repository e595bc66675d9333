/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The line to the controller: frames over two descriptors. A terminal is set raw, and bytes that
 * are no frame are skipped on it, because the kernel may talk there too; on anything else they are
 * an error.
 */
#ifndef COLDRIG_LINE_H
#define COLDRIG_LINE_H

#include <stdbool.h>
#include <termios.h>

#include "frame.h"
#include "msg.h"

struct line {
	int in, out;
	int in_flags, out_flags; /* before they were set to non-blocking */
	bool is_tty;
	struct termios termios; /* before it was set raw, if is_tty */
	struct frame_reader reader;
};

/* Borrows the descriptors; line_close() puts their settings back. */
int line_open(struct line *line, int in, int out);
void line_close(struct line *line);

/* Reads what is there: 1, 0 at the end of the stream, -errno. */
int line_read(struct line *line);

/* The next message that was read: 1 with *msg, to be freed; 0 if there is none yet; -errno with
 * words for bytes that are no message. */
int line_next(struct line *line, struct msg **msg, struct err *err);

int line_send(struct line *line, const struct msg *msg);

#endif
