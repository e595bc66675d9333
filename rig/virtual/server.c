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
#include "emulator.h"
#include "forbidden.h"
#include "hwtrace.h"
#include "instrument.h"
#include "linebuf.h"
#include "physics.h"
#include "qmp.h"
#include "truth.h"

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
	POLL_INSTRUMENT,
	POLL_COUNT = POLL_INSTRUMENT + INSTRUMENT_POLLFDS
};

/* What the emulator's monitor was asked last. */
enum asked { ASKED_NOTHING, ASKED_HELLO, ASKED_ORDER, ASKED_TOUCH };

/* Faults that the monitor carries out, once each. */
static const struct {
	enum lab_fault_kind fault;
	const char *command;
} orders[] = {
	{LAB_FAULT_TARGET_HANG, QMP_STOP},
	{LAB_FAULT_TARGET_PANIC, QMP_NMI},
};

#define ORDERS_N (sizeof(orders) / sizeof(orders[0]))

#define TOUCHES_MAX (2 * FORBIDDEN_SLOTS_MAX)

struct server {
	const struct vlab_options *options;
	const struct lab_virtual *virt;
	int control;
	bool leaving;
	bool ready; /* said so */
	enum asked asked;
	const char *order;	       /* the command of one that is due, or NULL */
	bool ordered[ORDERS_N];	       /* which were given */
	uint64_t touches[TOUCHES_MAX]; /* physical addresses, to be read by touch-while-off */
	size_t touches_n;
	uint32_t touched; /* in this cycle: a bit for each slot */
	struct forbidden forbidden;
	unsigned told;			/* accesses, since the cycle or a sync began */
	struct forbidden_access untold; /* the rest of them; times is 0 if there is none */
	int64_t now_ns;			/* of the event that is being handled */
	unsigned cycle;
	struct truth truth;
	struct physics *physics;
	int64_t power_on_ns;
	struct instrument *instrument;
	struct emulator emulator;
	struct linebuf trace_lines, qmp_lines;
	char words[EMULATOR_WORDS_SIZE]; /* the emulator's last that were no trace */
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

/* The moment that a reading of now is of. */
static int64_t seen_ns(const struct server *s)
{
	int64_t now_ns = clock_ns();

	return now_ns - s->virt->lag_ns -
	       (int64_t)(s->virt->drift * (double)(now_ns - s->power_on_ns));
}

/* The instrument stands upstream of the slots' switches: its voltage is there in any case. */
static double reading(unsigned channel, enum scpi_quantity quantity, void *context)
{
	struct server *s = context;
	double watts = 0.0;

	if (quantity == SCPI_VOLTAGE)
		return s->virt->voltage_v;
	for (size_t i = 0; i < s->virt->slots_n; i++) {
		if (s->virt->slots[i].channel == channel)
			watts = physics_read_w(s->physics, s->virt->slots[i].device, seen_ns(s));
	}
	return quantity == SCPI_CURRENT ? watts / s->virt->voltage_v : watts;
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

	if (s->asked != ASKED_NOTHING || s->emulator.pid <= 0)
		return;
	if (s->order) {
		ask(s, ASKED_ORDER, s->order);
		s->order = NULL;
	} else if (s->ready && s->touches_n > 0) {
		snprintf(command, sizeof(command), QMP_TOUCH_FORMAT, s->touches[--s->touches_n]);
		ask(s, ASKED_TOUCH, command);
	}
}

/* The touch-while-off fault: the first time that the rail is off in a cycle. */
static void touch(struct server *s, unsigned device)
{
	uint64_t config, memory;

	if (!physics_slot_has_fault(s->physics, LAB_FAULT_TOUCH_WHILE_OFF, device) ||
	    physics_is_switched_on(s->physics, device) || s->touched & UINT32_C(1) << device ||
	    s->touches_n + 2 > TOUCHES_MAX ||
	    !forbidden_addresses(&s->forbidden, device, &config, &memory))
		return;
	s->touched |= UINT32_C(1) << device;
	s->touches[s->touches_n++] = memory;
	s->touches[s->touches_n++] = config;
	ask_next(s);
}

static void touch_all(struct server *s)
{
	for (size_t i = 0; i < s->virt->slots_n; i++)
		touch(s, s->virt->slots[i].device);
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

/* Gives the next order of the present cycle; false if none is left. */
static bool give_order(struct server *s)
{
	for (size_t i = 0; i < ORDERS_N && s->emulator.pid > 0; i++) {
		if (s->ordered[i] || !physics_has_fault(s->physics, orders[i].fault))
			continue;
		s->ordered[i] = true;
		s->order = orders[i].command;
		ask_next(s);
		return true;
	}
	return false;
}

/* Puts the faults of the present cycle into force; says so now, or once the emulator has done what
 * it is told to. */
static void apply_faults(struct server *s)
{
	instrument_set_dead(s->instrument, physics_has_fault(s->physics, LAB_FAULT_METER_DEAD));
	if (give_order(s))
		return;
	if (!s->ready)
		say(s, SERVER_READY, instrument_port(s->instrument), NULL);
	else
		say(s, SERVER_DONE, (int)s->cycle, NULL);
	s->ready = true;
	touch_all(s);
}

static void on_asked_done(struct server *s)
{
	enum asked asked = s->asked;

	s->asked = ASKED_NOTHING;
	if (asked == ASKED_HELLO || asked == ASKED_ORDER)
		apply_faults(s);
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
		touch(s, device);
	}
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
	if (message.word != SERVER_CYCLE)
		return;
	tell_untold(s);
	s->touched = 0;
	s->cycle = (unsigned)message.number;
	physics_cycle(s->physics, s->cycle, s->now_ns);
	apply_faults(s);
}

static void pollfds(const struct server *s, struct pollfd fds[static POLL_COUNT])
{
	const int ours[POLL_INSTRUMENT] = {
		[POLL_CONTROL] = s->control,	   [POLL_EMULATOR] = s->emulator.pidfd,
		[POLL_RAIL] = s->emulator.rail_fd, [POLL_TRACE] = s->emulator.trace_fd,
		[POLL_QMP] = s->emulator.qmp_fd,
	};

	for (int i = 0; i < POLL_INSTRUMENT; i++)
		fds[i] = (struct pollfd){.fd = ours[i], .events = POLLIN};
	instrument_pollfds(s->instrument, fds + POLL_INSTRUMENT);
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
	instrument_handle(s->instrument, fds + POLL_INSTRUMENT);
	if (fds[POLL_EMULATOR].revents)
		on_emulator_end(s);
	if (fds[POLL_CONTROL].revents)
		take_control(s);
}

static void loop(struct server *s)
{
	struct pollfd fds[POLL_COUNT];

	while (!s->leaving) {
		pollfds(s, fds);
		if (poll(fds, POLL_COUNT, -1) > 0)
			handle(s, fds);
		else if (errno != EINTR)
			return;
	}
}

/* Everything that can fail. */
static int start(struct server *s, int agent_fd, struct err *err)
{
	const struct emulator_options options = {
		.lab = s->options->lab,
		.kernel_dir = s->options->kernel_dir,
		.kexec_dir = s->options->kexec_dir,
		.data_dir = s->options->data_dir,
		.console_path = s->options->console_path,
		.with_pme_card = s->options->with_pme_card,
		.agent_fd = agent_fd,
	};
	int code = truth_open(&s->truth, s->options->truth_path, err);

	if (code < 0)
		return code;
	code = instrument_new(reading, s, &s->instrument, err);
	if (code < 0)
		return code;
	forbidden_init(&s->forbidden, s->virt);
	s->power_on_ns = clock_ns();
	s->physics = physics_new(s->virt, s->power_on_ns, on_change, s);
	if (!s->physics)
		return err_set(err, -ENOMEM, "virtual lab: out of memory");
	return emulator_start(&s->emulator, &options, err);
}

int server_run(const struct vlab_options *options, int control, int agent_fd)
{
	struct server s = {
		.options = options,
		.virt = &options->lab->virt,
		.control = control,
		.truth = {.fd = -1},
	};
	struct err err = {""};
	int code = start(&s, agent_fd, &err);

	/* The other side sees the end of the emulator by the end of this line. */
	close(agent_fd);
	if (code < 0)
		say(&s, SERVER_FAILED, -code, err.text);
	else
		loop(&s);
	if (code == 0)
		emulator_stop(&s.emulator);
	instrument_free(s.instrument);
	physics_free(s.physics);
	truth_close(&s.truth);
	return code < 0 ? 1 : 0;
}
