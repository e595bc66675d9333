/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "pmstate.h"
#include "trace.h"

#define TRACE_TICK_MS 50 /* should a kernel not wake us */

enum phase { PHASE_NONE, PHASE_SUSPENDING, PHASE_RESUMING };

struct watched {
	struct bdf bdf;
	char name[BDF_TEXT_SIZE];
	bool asked;	/* itself, */
	unsigned below; /* or as the port of so many */
	enum phase phase;
	enum pm_status status; /* when polling: at the last look */
	long active_ms;
	int64_t looked_ns;
};

struct watch {
	const struct host *host;
	watch_emit emit;
	void *arg;
	struct trace *trace;
	bool tried; /* to open the trace; why not is in why */
	struct err why;
	struct watched *watched;
	size_t n;
};

struct watch *watch_new(const struct host *host, watch_emit emit, void *arg)
{
	struct watch *watch = host_grow(NULL, 1, sizeof(*watch));

	*watch = (struct watch){.host = host, .emit = emit, .arg = arg};
	return watch;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	trace_close(watch->trace);
	free(watch->watched);
	free(watch);
}

static struct watched *find(struct watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->n; i++) {
		if (strcmp(watch->watched[i].name, name) == 0)
			return &watch->watched[i];
	}
	return NULL;
}

static void look(const struct watch *watch, struct watched *w)
{
	char text[DEVICE_TEXT_SIZE];

	/* The time is taken first: a change that this look misses came later. */
	w->looked_ns = host_now_ns();
	device_read(watch->host, &w->bdf, "power/runtime_status", text);
	w->status = pm_status_parse(text);
	if (device_number(watch->host, &w->bdf, "power/runtime_active_time", &w->active_ms) < 0)
		w->active_ms = -1;
}

static struct watched *get(struct watch *watch, const struct bdf *bdf)
{
	char name[BDF_TEXT_SIZE];
	struct watched *w;

	bdf_format(bdf, name);
	w = find(watch, name);
	if (w)
		return w;
	watch->watched = host_grow(watch->watched, watch->n + 1, sizeof(*watch->watched));
	w = &watch->watched[watch->n++];
	*w = (struct watched){.bdf = *bdf};
	memcpy(w->name, name, sizeof(name));
	look(watch, w);
	return w;
}

void watch_add(struct watch *watch, const struct bdf *bdf)
{
	struct bdf port;

	if (!watch->tried) {
		watch->trace = trace_open(watch->host, &watch->why);
		watch->tried = true;
	}
	watch_drain(watch);
	if (get(watch, bdf)->asked)
		return;
	get(watch, bdf)->asked = true;
	if (device_port(watch->host, bdf, &port) == 0)
		get(watch, &port)->below++;
}

static void drop_unused(struct watch *watch, struct watched *w)
{
	if (!w->asked && !w->below)
		*w = watch->watched[--watch->n];
}

int watch_remove(struct watch *watch, const struct bdf *bdf)
{
	char name[BDF_TEXT_SIZE];
	struct watched *w;
	struct bdf port;

	bdf_format(bdf, name);
	w = find(watch, name);
	if (!w || !w->asked)
		return -ENOENT;
	w->asked = false;
	drop_unused(watch, w);
	if (device_port(watch->host, bdf, &port) < 0)
		return 0;
	bdf_format(&port, name);
	w = find(watch, name);
	if (w && w->below) {
		w->below--;
		drop_unused(watch, w);
	}
	return 0;
}

const char *watch_witness(const struct watch *watch, const char **why)
{
	*why = watch->trace ? NULL : watch->why.text;
	return watch->trace ? "tracefs" : "poll";
}

int watch_fd(const struct watch *watch)
{
	return watch->trace ? trace_fd(watch->trace) : -1;
}

int watch_timeout_ms(const struct watch *watch)
{
	if (!watch->n)
		return -1;
	return watch->trace ? TRACE_TICK_MS : WATCH_POLL_MS;
}

static void emit(struct watch *watch, const struct watched *w, const char *what, int64_t t_ns,
		 int64_t error_ns)
{
	struct watch_event event = {w->name, what, t_ns, error_ns};

	watch->emit(watch->arg, &event);
}

void watch_take(struct watch *watch, const struct traceline *line)
{
	static const struct {
		enum phase needs, becomes;
		int ret_max;
		const char *what;
	} steps[] = {
		[TRACELINE_SUSPEND_BEGINS] = {PHASE_NONE, PHASE_SUSPENDING, 0, "suspend"},
		[TRACELINE_RESUME_BEGINS] = {PHASE_NONE, PHASE_RESUMING, 0, "resume"},
		[TRACELINE_SUSPEND_RETURNS] = {PHASE_SUSPENDING, PHASE_NONE, 0, "suspended"},
		/* 1: it was active already. */
		[TRACELINE_RESUME_RETURNS] = {PHASE_RESUMING, PHASE_NONE, 1, "resumed"},
	};
	struct watched *w;

	if (line->kind == TRACELINE_LOST) {
		host_say("trace: the kernel lost events: some are missing");
		return;
	}
	w = find(watch, line->device);
	if (!w || (steps[line->kind].needs != PHASE_NONE && w->phase != steps[line->kind].needs))
		return;
	/* Another caller, who does not wait for the transition that is under way. */
	if (line->ret == -EINPROGRESS)
		return;
	w->phase = steps[line->kind].becomes;
	if (line->ret >= 0 && line->ret <= steps[line->kind].ret_max)
		emit(watch, w, steps[line->kind].what, line->t_ns, -1);
}

static void drain_trace(struct watch *watch)
{
	struct traceline parsed;
	const char *line;

	while (trace_next(watch->trace, &line) > 0) {
		if (traceline_parse(line, &parsed) == 0)
			watch_take(watch, &parsed);
	}
}

static bool is_awake(enum pm_status status)
{
	return status == PM_STATUS_ACTIVE;
}

/* A whole resume and suspend between two looks shows in the time that it was active. */
static void compare(struct watch *watch, const struct watched *before, const struct watched *now)
{
	int64_t t_ns = now->looked_ns, error_ns = t_ns - before->looked_ns;
	bool slept = before->status == PM_STATUS_SUSPENDED;
	bool sleeps = now->status == PM_STATUS_SUSPENDED;

	if (slept && (is_awake(now->status) || (sleeps && now->active_ms > before->active_ms)))
		emit(watch, now, "resumed", t_ns, error_ns);
	if (sleeps && (!slept || now->active_ms > before->active_ms))
		emit(watch, now, "suspended", t_ns, error_ns);
}

static void drain_looks(struct watch *watch)
{
	for (size_t i = 0; i < watch->n; i++) {
		struct watched *w = &watch->watched[i];
		struct watched before = *w;

		look(watch, w);
		/* On its way: what it was before stays the last word. */
		if (w->status == PM_STATUS_SUSPENDING || w->status == PM_STATUS_RESUMING ||
		    w->status == PM_STATUS_UNKNOWN)
			*w = before;
		else
			compare(watch, &before, w);
	}
}

void watch_drain(struct watch *watch)
{
	if (watch->trace)
		drain_trace(watch);
	else
		drain_looks(watch);
}
