/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process that has the lines. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "line_backend.h"

#define GUARD_FD    3
#define POLL_GAP_NS INT64_C(20000000) /* between two looks at a line that has no edges */
#define SOON_NS	    INT64_C(1000000)
#define NEVER_NS    INT64_MAX
#define SAFE_TRIES  3

static const struct line_backend *const backends[LAB_LINE_KIND_COUNT] = {
	[LAB_LINE_GPIO] = &line_gpio_backend,	      [LAB_LINE_USBHUB] = &line_usbhub_backend,
	[LAB_LINE_USBRELAY] = &line_usbrelay_backend, [LAB_LINE_COMMAND] = &line_command_backend,
	[LAB_LINE_QMP] = &line_qmp_backend,	      [LAB_LINE_FAKE] = &line_fake_backend,
	[LAB_LINE_REPLAY] = &line_replay_backend,
};

/* What is opened: one for all lines of the same wire. */
struct wire {
	const struct line_backend *backend;
	void *state;
	size_t first; /* line that it was opened for */
	bool driven, active;
	enum lab_safe safe;
	/* A pulse under way, until end_ns. */
	int64_t end_ns;
	struct line_event pulse;
};

struct watch {
	bool on, polled, known, active;
	int fd;
	int64_t next_ns, last_ns; /* of the looks at a polled one */
};

struct guard {
	int fd;
	size_t n, wires_n;
	const char *where[LINES_MAX];
	size_t wire_of[LINES_MAX];
	struct wire wires[LINES_MAX];
	struct watch watches[LINES_MAX];
};

static volatile sig_atomic_t guard_stop;

static void on_term(int number)
{
	(void)number;
	guard_stop = 1;
}

int64_t line_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Blocked, and let through in ppoll() alone: nothing that a backend does is cut short. */
static void set_signals(void)
{
	static const int ignored[] = {SIGINT,  SIGHUP,	SIGQUIT, SIGPIPE,  SIGTTOU, SIGTSTP,
				      SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGXFSZ};
	struct sigaction action = {.sa_handler = SIG_IGN};
	sigset_t term;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &action, NULL);
	action.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_SETMASK, &term, NULL);
	action.sa_handler = on_term;
	sigaction(SIGTERM, &action, NULL);
}

/* Neither the terminal nor what the parent holds open may outlive it in here; its words may. */
static int set_up(int fd, int parent)
{
	int null;

	guard_stop = 0;
	set_signals();
	setsid();
	prctl(PR_SET_NAME, "coldrig-lines");
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(1); /* nothing was driven yet */
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	if (fd != GUARD_FD && dup2(fd, GUARD_FD) < 0)
		_exit(1);
	if (close_range(GUARD_FD + 1, ~0U, 0) < 0)
		_exit(1);
	fcntl(GUARD_FD, F_SETFD, FD_CLOEXEC);
	return GUARD_FD;
}

/* A parent that is gone is seen by the loop. */
static void tell(struct guard *g, const struct line_event *event)
{
	(void)send(g->fd, event, sizeof(*event), MSG_NOSIGNAL);
}

static void fail(const struct guard *g, struct line_event *event, int code, const struct err *why)
{
	const char *where = g->where[event->line];

	event->code = err_set(&event->why, code, "%s%s%s", where ? where : "", where ? ": " : "",
			      why->text);
}

static int open_line(struct guard *g, const struct line_options *options, size_t line,
		     struct err *why)
{
	const struct lab_line *wire = options[line].wire;
	struct wire *new = &g->wires[g->wires_n];
	int r;

	for (size_t i = 0; i < line; i++) {
		if (lab_line_same(wire, options[i].wire)) {
			g->wire_of[line] = g->wire_of[i];
			return 0;
		}
	}
	*new = (struct wire){
		.backend = backends[wire->kind],
		.first = line,
		.safe = wire->safe,
		.end_ns = NEVER_NS,
	};
	g->wire_of[line] = g->wires_n;
	assert(new->backend);
	r = new->backend->open(wire, &new->state, why);
	if (r == 0)
		g->wires_n++;
	return r;
}

static bool open_lines(struct guard *g, const struct line_options *options)
{
	for (size_t i = 0; i < g->n; i++) {
		struct line_event event = {.line = i};
		struct err why = {""};
		int r;

		g->where[i] = options[i].where;
		g->watches[i].fd = -1;
		r = open_line(g, options, i, &why);
		if (r < 0) {
			fail(g, &event, r, &why);
		} else {
			struct wire *wire = &g->wires[g->wire_of[i]];

			wire->backend->describe(wire->state, event.why.text);
		}
		tell(g, &event);
		if (r < 0)
			return false;
	}
	return true;
}

static int set_wire(struct wire *wire, bool active, struct err *why)
{
	int r;

	if (!wire->backend->set)
		return err_set(why, -ENOTSUP, "it can only be read");
	wire->driven = true; /* before it is: half of it may be done when it fails */
	r = wire->backend->set(wire->state, active, why);
	if (r == 0)
		wire->active = active;
	return r;
}

static int read_wire(struct wire *wire, bool *active, struct err *why)
{
	int r = wire->backend->read(wire->state, active, why);

	if (r != -ENODATA || !wire->driven)
		return r;
	*active = wire->active;
	return 0;
}

/* What was asked for, and when it was so: between before_ns and now. */
static void stamp(struct line_event *event, int64_t before_ns)
{
	int64_t half_ns = (line_now_ns() - before_ns) / 2;

	event->t_ns = before_ns + half_ns;
	event->error_ns = half_ns;
}

static int begin_pulse(struct wire *wire, const struct line_ask *ask, struct line_event *event,
		       struct err *why)
{
	int64_t before_ns = line_now_ns();
	int r = -ENOTSUP;

	if (wire->backend->cycle) {
		wire->driven = true;
		r = wire->backend->cycle(wire->state, why);
		wire->active = !ask->active;
	}
	if (r != -ENOTSUP) {
		stamp(event, before_ns);
		return r;
	}
	r = set_wire(wire, ask->active, why);
	stamp(event, before_ns);
	if (r < 0)
		return r;
	wire->end_ns = line_now_ns() + ask->hold_ns;
	wire->pulse = *event;
	wire->pulse.active = !ask->active;
	return -EINPROGRESS;
}

static void end_pulse(struct guard *g, struct wire *wire)
{
	struct line_event event = wire->pulse;
	struct err why = {""};
	int r;

	wire->end_ns = NEVER_NS;
	r = set_wire(wire, event.active, &why);
	if (r < 0)
		fail(g, &event, r, &why);
	tell(g, &event);
}

static int begin_watch(struct wire *wire, struct watch *watch, struct err *why)
{
	int r;

	if (watch->on)
		return 0;
	watch->polled = !wire->backend->watch;
	r = watch->polled ? read_wire(wire, &watch->active, why)
			  : wire->backend->watch(wire->state, &watch->fd, why);
	if (r < 0)
		return r;
	watch->on = true;
	watch->last_ns = line_now_ns();
	watch->next_ns = watch->last_ns;
	return 0;
}

static int carry_out(struct guard *g, struct wire *wire, const struct line_ask *ask,
		     struct line_event *event, struct err *why)
{
	int64_t before_ns = line_now_ns();
	int r = 0;

	if (wire->end_ns != NEVER_NS && ask->op != LINE_READ && ask->op != LINE_WATCH)
		return err_set(why, -EBUSY, "a pulse is under way");
	switch (ask->op) {
	case LINE_SET:
		event->active = ask->active;
		r = set_wire(wire, ask->active, why);
		break;
	case LINE_READ:
		r = read_wire(wire, &event->active, why);
		break;
	case LINE_PULSE:
		event->active = !ask->active;
		return begin_pulse(wire, ask, event, why);
	case LINE_WATCH:
		r = begin_watch(wire, &g->watches[ask->line], why);
		break;
	case LINE_KEEP:
		wire->safe = LAB_SAFE_KEEP;
		break;
	default:
		r = err_set(why, -EINVAL, "no such request");
	}
	stamp(event, before_ns);
	return r;
}

static void serve(struct guard *g)
{
	struct line_event event = {.kind = LINE_DONE};
	struct err why = {""};
	struct line_ask ask;
	ssize_t size = recv(g->fd, &ask, sizeof(ask), MSG_DONTWAIT);
	int r;

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size != (ssize_t)sizeof(ask) || ask.line >= g->n) {
		guard_stop = 1; /* the parent is gone, or beside itself */
		return;
	}
	event.line = ask.line;
	event.request = ask.request;
	r = carry_out(g, &g->wires[g->wire_of[ask.line]], &ask, &event, &why);
	if (r == -EINPROGRESS)
		return;
	if (r < 0)
		fail(g, &event, r, &why);
	tell(g, &event);
}

static void tell_edge(struct guard *g, size_t line, const struct line_edge *edge)
{
	const struct line_event event = {
		.kind = LINE_EDGE,
		.line = line,
		.active = edge->active,
		.t_ns = edge->t_ns,
		.error_ns = edge->error_ns,
	};

	g->watches[line].known = true;
	g->watches[line].active = edge->active;
	tell(g, &event);
}

/* It changed at some time since the last look. */
static void look(struct guard *g, size_t line)
{
	struct watch *watch = &g->watches[line];
	struct line_edge edge;
	int64_t now_ns;

	watch->next_ns = line_now_ns() + POLL_GAP_NS;
	if (read_wire(&g->wires[g->wire_of[line]], &edge.active, NULL) < 0)
		return;
	now_ns = line_now_ns();
	if (!watch->known || edge.active != watch->active) {
		edge.error_ns = (now_ns - watch->last_ns) / 2;
		edge.t_ns = now_ns - edge.error_ns;
		tell_edge(g, line, &edge);
	}
	watch->last_ns = now_ns;
}

/* The kernel tells of changes only: what it is to begin with is read. */
static void take_edges(struct guard *g, size_t line)
{
	struct wire *wire = &g->wires[g->wire_of[line]];
	struct line_edge edge;

	while (wire->backend->take(wire->state, &edge) > 0)
		tell_edge(g, line, &edge);
}

static void tell_first(struct guard *g, size_t line)
{
	struct line_edge edge = {.t_ns = line_now_ns()};

	if (read_wire(&g->wires[g->wire_of[line]], &edge.active, NULL) == 0)
		tell_edge(g, line, &edge);
	g->watches[line].known = true;
}

static int64_t next_due(const struct guard *g)
{
	int64_t due_ns = NEVER_NS;

	for (size_t i = 0; i < g->wires_n; i++) {
		if (g->wires[i].end_ns < due_ns)
			due_ns = g->wires[i].end_ns;
	}
	for (size_t i = 0; i < g->n; i++) {
		const struct watch *watch = &g->watches[i];

		if (watch->on && (watch->polled || !watch->known) && watch->next_ns < due_ns)
			due_ns = watch->next_ns;
	}
	return due_ns;
}

static void do_due(struct guard *g)
{
	for (size_t i = 0; i < g->wires_n; i++) {
		if (line_now_ns() >= g->wires[i].end_ns)
			end_pulse(g, &g->wires[i]);
	}
	for (size_t i = 0; i < g->n; i++) {
		struct watch *watch = &g->watches[i];

		if (watch->on && watch->polled && line_now_ns() >= watch->next_ns)
			look(g, i);
		else if (watch->on && !watch->polled && !watch->known)
			tell_first(g, i);
	}
}

static void wait_and_serve(struct guard *g)
{
	struct pollfd fds[1 + LINES_MAX] = {{.fd = g->fd, .events = POLLIN}};
	int64_t due_ns = next_due(g), left_ns = due_ns - line_now_ns();
	struct timespec limit = {0};
	sigset_t none;

	for (size_t i = 0; i < g->n; i++)
		fds[1 + i] = (struct pollfd){.fd = g->watches[i].fd, .events = POLLIN};
	if (left_ns > 0) {
		limit.tv_sec = left_ns / 1000000000;
		limit.tv_nsec = left_ns % 1000000000;
	}
	sigemptyset(&none);
	if (ppoll(fds, 1 + g->n, due_ns == NEVER_NS ? NULL : &limit, &none) > 0) {
		for (size_t i = 0; i < g->n; i++) {
			if (fds[1 + i].revents)
				take_edges(g, i);
		}
		if (fds[0].revents)
			serve(g);
	}
	do_due(g);
}

/* Nobody may be there to hear it but whoever reads the terminal. */
static void say_unsafe(const struct guard *g, const struct wire *wire, const struct err *why)
{
	const char *where = g->where[wire->first];

	dprintf(STDERR_FILENO, "coldrig: %s: cannot be left %s: %s\n", where ? where : "line",
		lab_safe_name(wire->safe), why->text);
}

static void make_safe(const struct guard *g, struct wire *wire)
{
	const bool active = wire->safe == LAB_SAFE_ON;
	struct err why = {""};

	if (!wire->driven || wire->safe == LAB_SAFE_KEEP)
		return;
	for (int i = 0; i < SAFE_TRIES; i++) {
		if (set_wire(wire, active, &why) == 0)
			return;
	}
	say_unsafe(g, wire, &why);
}

/* Buttons come after the supply in a target's list, and are let go before it is switched. */
static void leave(struct guard *g)
{
	for (size_t i = g->wires_n; i-- > 0;)
		make_safe(g, &g->wires[i]);
	for (size_t i = g->wires_n; i-- > 0;)
		g->wires[i].backend->close(g->wires[i].state);
}

_Noreturn void line_guard(const struct line_options *options, size_t n, int fd, int parent)
{
	static struct guard g;

	g = (struct guard){.fd = set_up(fd, parent), .n = n};
	if (open_lines(&g, options)) {
		while (!guard_stop)
			wait_and_serve(&g);
	}
	leave(&g);
	_exit(0); /* no atexit handlers, no flushing of the parent's streams */
}
