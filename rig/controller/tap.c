/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "linebuf.h"

struct tap {
	struct transport *transport;
	char *break_text;
	FILE *log;
	char *log_path;
	bool ended;
	int64_t heard_ns;
	int64_t line_ns; /* when the line that is coming in began; 0: none is */
	struct linebuf lines;
	struct console console;
};

/* The times below are the journal's; this line ties them to the calendar. */
static int begin_log(struct tap *tap, struct err *err)
{
	time_t now = time(NULL);
	char date[32];
	struct tm tm;

	tap->log = fopen(tap->log_path, "ae");
	if (!tap->log)
		return err_set(err, -errno, "%s: %s", tap->log_path, strerror(errno));
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	fprintf(tap->log, "# %.6f is %s\n", (double)journal_now_ns() / 1e9, date);
	return 0;
}

int tap_open(const struct tap_options *options, struct tap **out, struct err *err)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int r = 0;

	if (!tap) {
		transport_close(options->transport);
		return -ENOMEM;
	}
	tap->transport = options->transport;
	tap->break_text = options->break_text ? strdup(options->break_text) : NULL;
	tap->log_path = options->log_path ? strdup(options->log_path) : NULL;
	if ((options->break_text && !tap->break_text) || (options->log_path && !tap->log_path))
		r = -ENOMEM;
	else if (tap->log_path)
		r = begin_log(tap, err);
	if (r < 0) {
		tap_close(tap);
		return r;
	}
	*out = tap;
	return 0;
}

void tap_close(struct tap *tap)
{
	if (!tap)
		return;
	if (tap->log) {
		if (tap->lines.used) /* a last line without an end */
			fprintf(tap->log, "%.6f %.*s\n", (double)tap->line_ns / 1e9,
				(int)tap->lines.used, tap->lines.text);
		fclose(tap->log);
	}
	transport_close(tap->transport);
	free(tap->break_text);
	free(tap->log_path);
	free(tap);
}

int tap_fd(const struct tap *tap)
{
	return tap->ended ? -1 : transport_read_fd(tap->transport);
}

/* What on_line() needs; a linebuf knows one context. */
struct taking {
	struct tap *tap;
	tap_function *function;
	void *context;
	struct err *err;
	int r;
};

static void on_line(char *line, void *context)
{
	struct taking *t = context;
	struct tap *tap = t->tap;
	struct console_event event;

	if (tap->log)
		fprintf(tap->log, "%.6f %s\n", (double)tap->line_ns / 1e9, line);
	if (t->r == 0 && console_take(&tap->console, line, tap->line_ns, &event))
		t->r = t->function(&event, t->context, t->err);
	tap->line_ns = tap->heard_ns; /* what follows came with the same read */
}

/* A real machine's console may break off; what it would have said is then not known, no more. */
static void end(struct tap *tap)
{
	tap->ended = true;
	if (tap->log)
		fprintf(tap->log, "# %.6f the console ended\n", (double)journal_now_ns() / 1e9);
}

int tap_take(struct tap *tap, tap_function *function, void *context, struct err *err)
{
	struct taking t = {tap, function, context, err, 0};
	char bytes[4096];

	while (t.r == 0 && !tap->ended) {
		ssize_t n = read(transport_read_fd(tap->transport), bytes, sizeof(bytes));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			end(tap);
			break;
		}
		tap->heard_ns = journal_now_ns();
		if (!tap->lines.used)
			tap->line_ns = tap->heard_ns;
		linebuf_feed(&tap->lines, bytes, (size_t)n, on_line, &t);
	}
	if (t.r == 0 && tap->log && fflush(tap->log) != 0)
		return err_set(err, -errno, "%s: %s", tap->log_path, strerror(errno));
	return t.r;
}

int64_t tap_heard_ns(const struct tap *tap)
{
	return tap->heard_ns;
}

bool tap_can_sysrq(const struct tap *tap)
{
	return !tap->ended && (tap->break_text || transport_is_serial(tap->transport));
}

int tap_sysrq(struct tap *tap, char key)
{
	int fd = transport_write_fd(tap->transport);

	if (!tap_can_sysrq(tap))
		return -ENOTTY;
	if (tap->break_text) {
		size_t n = strlen(tap->break_text);

		if (write(fd, tap->break_text, n) != (ssize_t)n)
			return -EPIPE;
	} else {
		int r = transport_break(tap->transport);

		if (r < 0)
			return r;
	}
	return write(fd, &key, 1) == 1 ? 0 : -EPIPE;
}
