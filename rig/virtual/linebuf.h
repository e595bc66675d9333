/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes as they come, to lines. Pure. */
#ifndef COLDRIG_LINEBUF_H
#define COLDRIG_LINEBUF_H

#include <stddef.h>

#define LINEBUF_SIZE 4096

/* Zero-initialised is empty. */
struct linebuf {
	size_t used;
	char text[LINEBUF_SIZE];
};

/* Gets a line without CR and LF; it lives until the function returns. */
typedef void linebuf_function(char *line, void *context);

/* Longer lines are cut off at the buffer's size; the rest of such a line is dropped. */
void linebuf_feed(struct linebuf *lines, const char *bytes, size_t n, linebuf_function *function,
		  void *context);

#endif
