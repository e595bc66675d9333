/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel's trace of runtime power management: an instance and two kprobes of this process
 * alone, in CLOCK_MONOTONIC time, gone again after trace_close(). What agents that were killed left
 * behind is removed by the next one.
 */
#ifndef COLDRIG_TRACE_H
#define COLDRIG_TRACE_H

#include "err.h"
#include "host.h"

struct trace;

/* NULL with the reason if this kernel does not offer all that is needed. */
struct trace *trace_open(const struct host *host, struct err *why);

/* Readable when there are lines. */
int trace_fd(const struct trace *trace);

/* The next line that is there now: 1 with *line, valid until the next call; 0 if there is none;
 * -errno. */
int trace_next(struct trace *trace, const char **line);

void trace_close(struct trace *trace);

#endif
