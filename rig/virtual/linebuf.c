/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linebuf.h"

#include <string.h>

static void append(struct linebuf *lines, const char *bytes, size_t n)
{
	size_t room = sizeof(lines->text) - 1 - lines->used;

	if (n > room)
		n = room;
	memcpy(lines->text + lines->used, bytes, n);
	lines->used += n;
}

void linebuf_feed(struct linebuf *lines, const char *bytes, size_t n, linebuf_function *function,
		  void *context)
{
	while (n > 0) {
		const char *end = memchr(bytes, '\n', n);
		size_t part = end ? (size_t)(end - bytes) : n;

		append(lines, bytes, part);
		if (!end)
			return;
		if (lines->used > 0 && lines->text[lines->used - 1] == '\r')
			lines->used--;
		lines->text[lines->used] = '\0';
		lines->used = 0;
		function(lines->text, context);
		bytes += part + 1;
		n -= part + 1;
	}
}
