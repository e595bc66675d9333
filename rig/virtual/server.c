/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "gdbstub.h"
#include "hwtrace.h"
#include "qmp.h"
#include "server_parts.h"

/* So much of the trace is read before others get their turn. */
#define TRACE_READS_MAX 16
/* So much when the other side waits for all of it: more than the pipe holds. */
#define TRACE_READS_SYNC 64

enum {
	POLL_CONTROL,
	POLL_EMULATOR,
	POLL_RAIL,
	POLL_TRACE,
	POLL_QMP,
	POLL_RELAY,
	POLL_METER = POLL_RELAY + RELAY_POLLFDS,
	POLL_COUNT = POLL_METER + LABMETER_POLLFDS
};

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void say(struct server *s, enum server_word word, int number, const char *text)
{
	struct server_message message = {.word = word, .number = number};

	snprintf(message.text, sizeof(message.text), "%s", text ? text : "");
	/* Nobody there: the control socket's end is seen by the loop. */
	(void)send(s->control, &message, sizeof(message), MSG_NOSIGNAL);
}

static void on_change(const struct physics_change *change, void *context)
{
	struct server *s = context;

	truth_write(&s->truth, change);
}

static void ask(struct server *s, enum asked what, const char *command)
{
	s->asked = what;
	(void)send(s->emulator.qmp_fd, command, strlen(command), MSG_NOSIGNAL);
}

/* One thing at a time: answers do not say what they answer. */
static void ask_next(struct server *s)
{
	char command[160];

	if (s->asked != ASKED_NOTHING || !s->greeted || s->emulator.pid <= 0)
		return;
	if (s->orders_n > 0) {
		ask(s, ASKED_ORDER, s->orders[0]);
		memmove(s->orders, s->orders + 1, --s->orders_n * sizeof(s->orders[0]));
		return;
	}
	if (s->awaited)
		say(s, s->awaited,
		    s->awaited == SERVER_READY ? labmeter_port(&s->meter) : (int)s->cycle, NULL);
	s->awaited = SERVER_NOTHING;
	if (s->touches_n > 0) {
		snprintf(command, sizeof(command), QMP_TOUCH_FORMAT, s->touches[--s->touches_n]);
		ask(s, ASKED_TOUCH, command);
	}
}

void server_order(struct server *s, const char *command)
{
	if (s->orders_n < ORDERS_MAX)
		s->orders[s->orders_n++] = command;
}

/* Told at once, up to so many: a lab that waits for its reader would measure nothing. */
static void tell_access(struct server *s, const struct forbidden_access *access)
{
	struct server_message message = {.word = SERVER_FORBIDDEN, .access = *access};

	if (s->told < FORBIDDEN_TOLD_MAX && s->untold.times == 0 &&
	    send(s->control, &message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		s->told++;
	else if (s->untold.times++ == 0)
		s->untold = *access;
}

/* The rest, when the other side waits for it. */
static void tell_untold(struct server *s)
{
	struct server_message message = {.word = SERVER_FORBIDDEN, .access = s->untold};

	if (s->untold.times > 0)
		(void)send(s->control, &message, sizeof(message), MSG_NOSIGNAL);
	s->untold.times = 0;
	s->told = 0;
}

static void on_asked_done(struct server *s)
{
	enum asked asked = s->asked;

	s->asked = ASKED_NOTHING;
	if (asked == ASKED_HELLO && s->emulator.gdb_fd >= 0) {
		ask(s, ASKED_DEBUGGER, QMP_DEBUGGER);
		return;
	}
	if (asked == ASKED_DEBUGGER)
		(void)gdbstub_go_on(s->emulator.gdb_fd);
	if (asked == ASKED_HELLO || asked == ASKED_DEBUGGER) {
		s->greeted = true;
		server_hurt(s);
	}
	ask_next(s);
}

static void on_qmp_line(char *line, void *context)
{
	struct server *s = context;

	switch (qmp_parse(line)) {
	case QMP_GREETING:
		ask(s, ASKED_HELLO, QMP_HELLO);
		break;
	case QMP_DONE:
	case QMP_REFUSED:
		on_asked_done(s);
		break;
	case QMP_RESET:
		physics_reset(s->physics, s->now_ns);
		server_machine_reset(s);
		break;
	case QMP_OTHER:
		break;
	}
}

static void remember_words(struct server *s, const char *line)
{
	size_t used = strlen(s->words), n = strlen(line);

	/* A machine that warns lives on: "nic has no peer" is no reason for its end. */
	if (n == 0 || strstr(line, ": warning: "))
		return;
	/* The last are the ones that matter. */
	if (used + n + 3 > sizeof(s->words))
		used = 0;
	snprintf(s->words + used, sizeof(s->words) - used, "%s%s", used ? "; " : "", line);
}

static void on_trace_line(char *line, void *context)
{
	struct server *s = context;
	struct forbidden_access access;
	struct hwtrace_event event;

	line = forbidden_take_rails(&s->forbidden, line);
	if (forbidden_take(&s->forbidden, line, &access)) {
		access.t_ns = s->now_ns;
		tell_access(s, &access);
	}
	server_config_traced(s, line);
	event = hwtrace_parse(s->virt, line);
	switch (event.kind) {
	case HWTRACE_DSTATE:
		physics_dstate(s->physics, event.slot, event.function, event.dstate, s->now_ns);
		break;
	case HWTRACE_ACTIVITY:
		for (size_t i = 0; i < s->virt->slots_n; i++) {
			if (s->virt->slots[i].card == event.card)
				physics_activity(s->physics, s->virt->slots[i].device, s->now_ns);
		}
		break;
	case HWTRACE_NONE:
		remember_words(s, line);
		break;
	case HWTRACE_LOOKED:
	case HWTRACE_PASSED:
		break;
	}
}

/* True while there may be more. */
static bool take_lines(int *fd, struct linebuf *lines, linebuf_function *function, struct server *s)
{
	char bytes[65536];
	ssize_t n = read(*fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
		return false;
	}
	linebuf_feed(lines, bytes, (size_t)n, function, s);
	return true;
}

static void take_trace(struct server *s, int reads_max)
{
	for (int i = 0; i < reads_max && s->emulator.trace_fd >= 0; i++) {
		if (!take_lines(&s->emulator.trace_fd, &s->trace_lines, on_trace_line, s))
			break;
	}
}

static void take_rail(struct server *s)
{
	unsigned char bytes[64];
	ssize_t n = read(s->emulator.rail_fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close(s->emulator.rail_fd);
		s->emulator.rail_fd = -1;
	}
	for (ssize_t i = 0; i < n; i++) {
		unsigned device;
		bool on;

		if (!board_rail_byte(bytes[i], &device, &on))
			continue;
		physics_rail(s->physics, device, on, s->now_ns);
		server_rail_switched(s, device);
	}
	ask_next(s);
}

/* The lab stays up: meters read a target without power until the caller has had enough. */
static void on_emulator_end(struct server *s)
{
	struct err why;
	char how[128];

	take_trace(s, TRACE_READS_MAX);
	emulator_reap(&s->emulator, how, sizeof(how));
	emulator_stop(&s->emulator);
	physics_power_off(s->physics, s->now_ns);
	err_set(&why, 0, "virtual target: %s%s%s", how, *s->words ? ": " : "", s->words);
	say(s, SERVER_FAILED, ECHILD, why.text);
}

/* A line is in the pipe before the guest's instruction ends, so all that led to this request is. */
static void sync_up(struct server *s)
{
	take_trace(s, TRACE_READS_SYNC);
	tell_untold(s);
	say(s, SERVER_SYNCED, 0, NULL);
}

static void begin_cycle(struct server *s, unsigned number)
{
	tell_untold(s);
	s->touched = 0;
	memset(s->given, 0, sizeof(s->given));
	s->cycle = number;
	physics_cycle(s->physics, s->cycle, s->now_ns);
	s->awaited = SERVER_DONE;
	server_hurt(s);
	ask_next(s);
}

/* A press of the button: a machine that stood still goes on, as one that is new. */
static void reset_machine(struct server *s)
{
	s->awaited = SERVER_SWITCHED;
	if (!physics_has_fault(s->physics, LAB_FAULT_LINE_STUCK)) {
		server_order(s, QMP_POWER);
		if (!physics_has_fault(s->physics, LAB_FAULT_RESET_DEAD))
			server_order(s, QMP_CONT);
	}
	ask_next(s);
}

static uint32_t empty_slots(const struct server *s)
{
	uint32_t empty = 0;

	for (size_t i = 0; i < s->virt->slots_n; i++) {
		if (physics_is_empty(s->physics, s->virt->slots[i].device))
			empty |= UINT32_C(1) << s->virt->slots[i].device;
	}
	return empty;
}

static int start_emulator(struct server *s, struct err *err)
{
	const struct emulator_options options = {
		.lab = s->options->lab,
		.kernel_dir = s->options->kernel_dir,
		.kexec_dir = s->options->kexec_dir,
		.data_dir = s->options->data_dir,
		.empty = empty_slots(s),
		.with_pme_card = s->options->with_pme_card,
		.lines_path = s->options->lines_path,
		.with_debugger = server_needs_debugger(s),
		.console_fd = s->lines->console,
		.agent_fd = s->lines->agent,
	};
	struct emulator_options cuttable = options;
	int line[2], code;

	s->asked = ASKED_NOTHING;
	s->greeted = false;
	s->orders_n = s->touches_n = 0;
	s->trace_lines.used = s->qmp_lines.used = 0;
	s->words[0] = '\0';
	server_machine_reset(s);
	forbidden_init(&s->forbidden, s->virt);
	if (!server_may_have(s, LAB_FAULT_TRANSPORT_CUT))
		return emulator_start(&s->emulator, &options, err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) < 0)
		return err_set(err, -errno, "virtual lab: %s", strerror(errno));
	cuttable.agent_fd = line[1];
	code = emulator_start(&s->emulator, &cuttable, err);
	close(line[1]);
	if (s->relay.fd[1] >= 0)
		close(s->relay.fd[1]);
	relay_init(&s->relay, s->lines->agent, line[0]);
	return code;
}

/* The power line. What an emulator that ended by itself has said is forgotten with it. */
static void switch_power(struct server *s, bool on)
{
	struct err err;
	int code;

	if (!on) {
		emulator_stop(&s->emulator);
		physics_power_off(s->physics, s->now_ns);
		say(s, SERVER_SWITCHED, 0, NULL);
		return;
	}
	emulator_stop(&s->emulator);
	physics_power_on(s->physics, s->now_ns);
	s->awaited = SERVER_SWITCHED;
	code = start_emulator(s, &err);
	if (code < 0)
		say(s, SERVER_FAILED, -code, err.text);
}

static void take_control(struct server *s)
{
	struct server_message message;
	ssize_t n = recv(s->control, &message, sizeof(message), 0);

	if (n < 0 && errno == EINTR)
		return;
	if (n != (ssize_t)sizeof(message) || message.word == SERVER_DOWN) {
		s->leaving = true;
		return;
	}
	if (message.word == SERVER_SYNC)
		sync_up(s);
	else if (message.word == SERVER_CYCLE)
		begin_cycle(s, (unsigned)message.number);
	else if (message.word == SERVER_RESET)
		reset_machine(s);
	else if (message.word == SERVER_POWER)
		switch_power(s, message.number);
}

static void pollfds(const struct server *s, struct pollfd fds[static POLL_COUNT])
{
	const int ours[POLL_RELAY] = {
		[POLL_CONTROL] = s->control,	   [POLL_EMULATOR] = s->emulator.pidfd,
		[POLL_RAIL] = s->emulator.rail_fd, [POLL_TRACE] = s->emulator.trace_fd,
		[POLL_QMP] = s->emulator.qmp_fd,
	};

	for (int i = 0; i < POLL_RELAY; i++)
		fds[i] = (struct pollfd){.fd = ours[i], .events = POLLIN};
	relay_pollfds(&s->relay, fds + POLL_RELAY);
	labmeter_pollfds(&s->meter, fds + POLL_METER);
}

/* The rail first: its time is what the rig is measured against. */
static void handle(struct server *s, const struct pollfd fds[static POLL_COUNT])
{
	s->now_ns = clock_ns();
	if (fds[POLL_RAIL].revents)
		take_rail(s);
	if (fds[POLL_TRACE].revents)
		take_trace(s, TRACE_READS_MAX);
	if (fds[POLL_QMP].revents)
		take_lines(&s->emulator.qmp_fd, &s->qmp_lines, on_qmp_line, s);
	relay_handle(&s->relay, fds + POLL_RELAY);
	labmeter_handle(&s->meter, fds + POLL_METER);
	if (fds[POLL_EMULATOR].revents)
		on_emulator_end(s);
	if (fds[POLL_CONTROL].revents)
		take_control(s);
	server_tick(s);
}

/* For poll(): until something is due by itself, -1 for ever. */
static int timeout_ms(struct server *s)
{
	int64_t at_ns = server_next_tick_ns(s), left_ns = at_ns - clock_ns();
	int meter_ms = labmeter_update(&s->meter), tick_ms = -1;

	if (at_ns)
		tick_ms = left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0;
	return tick_ms < 0 || (meter_ms >= 0 && meter_ms < tick_ms) ? meter_ms : tick_ms;
}

static void loop(struct server *s)
{
	struct pollfd fds[POLL_COUNT];

	while (!s->leaving) {
		pollfds(s, fds);
		if (poll(fds, POLL_COUNT, timeout_ms(s)) >= 0)
			handle(s, fds);
		else if (errno != EINTR)
			return;
	}
}

/* Everything that can fail. */
static int start(struct server *s, struct err *err)
{
	int code = truth_open(&s->truth, s->options->truth_path, err);

	if (code < 0)
		return code;
	s->physics = physics_new(s->virt, clock_ns(), on_change, s);
	if (!s->physics)
		return err_set(err, -ENOMEM, "virtual lab: out of memory");
	code = labmeter_start(&s->meter, s->virt, s->physics, s->options->data_dir, err);
	if (code < 0)
		return code;
	s->awaited = SERVER_READY;
	return start_emulator(s, err);
}

int server_run(const struct vlab_options *options, int control, const struct server_lines *lines)
{
	struct server s = {
		.options = options,
		.virt = &options->lab->virt,
		.control = control,
		.lines = lines,
		.truth = {.fd = -1},
		.relay = {.fd = {-1, -1}},
	};
	struct err err = {""};
	int code = start(&s, &err);

	if (code < 0)
		say(&s, SERVER_FAILED, -code, err.text);
	else
		loop(&s);
	if (code == 0)
		emulator_stop(&s.emulator);
	labmeter_stop(&s.meter);
	physics_free(s.physics);
	truth_close(&s.truth);
	return code < 0 ? 1 : 0;
}
