/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a serial console tells of a kernel in trouble, line by line. Pure: the caller has the lines
 * and their times. Of a report of many lines (an oops, a pair of AER lines) the first one counts.
 */
#ifndef COLDRIG_CONSOLE_H
#define COLDRIG_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "bdf.h"

enum console_kind {
	CONSOLE_PANIC,
	CONSOLE_OOPS, /* and all other BUGs, sanitizers' reports among them */
	CONSOLE_WARNING,
	CONSOLE_LOCKDEP,
	CONSOLE_HUNG_TASK,
	CONSOLE_SOFT_LOCKUP,
	CONSOLE_HARD_LOCKUP,
	CONSOLE_RCU_STALL,
	CONSOLE_AER, /* and DPC */
	CONSOLE_IOMMU,
	CONSOLE_WAKE_FAILED, /* a device did not come back from a low power state */
	CONSOLE_KIND_COUNT
};

#define CONSOLE_TEXT_SIZE 160

/* Lines of one kind about one device that come so soon after each other are one report. */
#define CONSOLE_REPORT_NS INT64_C(2000000000)

struct console_event {
	enum console_kind kind;
	int64_t t_ns;
	char device[BDF_TEXT_SIZE];   /* that the line names; "" for none */
	char text[CONSOLE_TEXT_SIZE]; /* the line without its time stamp, cut off */
};

/* Zero-initialised is a console that has said nothing. */
struct console {
	struct console_last {
		bool seen;
		int64_t t_ns;
		char device[BDF_TEXT_SIZE];
	} last[CONSOLE_KIND_COUNT];
};

/* Takes the next line; true if it begins a report, which is then in *event. */
bool console_take(struct console *console, const char *line, int64_t t_ns,
		  struct console_event *event);

const char *console_kind_name(enum console_kind kind);		  /* "panic", "soft-lockup", ... */
int console_kind_parse(const char *name, enum console_kind *out); /* -EINVAL */

#endif
