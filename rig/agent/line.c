/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEND_LIMIT_NS INT64_C(10000000000)

int line_open(struct line *line, int in, int out)
{
	*line = (struct line){.in = in, .out = out};
	line->in_flags = fcntl(in, F_GETFL);
	line->out_flags = fcntl(out, F_GETFL);
	if (line->in_flags < 0 || line->out_flags < 0)
		return -errno;
	if (isatty(in) && tcgetattr(in, &line->termios) == 0) {
		struct termios raw = line->termios;

		cfmakeraw(&raw);
		raw.c_cflag |= CLOCAL;
		if (tcsetattr(in, TCSANOW, &raw) < 0)
			return -errno;
		line->is_tty = true;
		line->reader.hunt = true;
	}
	if (fcntl(in, F_SETFL, line->in_flags | O_NONBLOCK) < 0 ||
	    fcntl(out, F_SETFL, line->out_flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

void line_close(struct line *line)
{
	if (line->is_tty)
		tcsetattr(line->in, TCSANOW, &line->termios);
	fcntl(line->out, F_SETFL, line->out_flags);
	fcntl(line->in, F_SETFL, line->in_flags);
	frame_reader_free(&line->reader);
}

int line_read(struct line *line)
{
	char bytes[4096];
	ssize_t n = read(line->in, bytes, sizeof(bytes));
	int r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	if (n == 0)
		return 0;
	r = frame_reader_feed(&line->reader, bytes, (size_t)n);
	return r < 0 ? r : 1;
}

int line_next(struct line *line, struct msg **msg, struct err *err)
{
	const char *payload;
	size_t length;
	int r;

	for (;;) {
		r = frame_reader_next(&line->reader, &payload, &length);
		if (r < 0)
			return err_set(err, r, "the controller sends what is no frame: %s",
				       strerror(-r));
		if (r == 0)
			return 0;
		r = msg_parse(payload, length, msg, err);
		if (r == 0)
			return 1;
		if (!line->is_tty)
			return r;
	}
}

int line_send(struct line *line, const struct msg *msg)
{
	char *text = msg_dump(msg);
	int r = frame_write(line->out, text, strlen(text), SEND_LIMIT_NS);

	free(text);
	return r;
}
