/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "meter.h"
#include "peer.h"
#include "protocol.h"
#include "transport.h"
#include "vlab.h"
#include "wiring.h"

#define MS_NS		 1000000LL
#define PUMP_SLICE_NS	 (100 * MS_NS) /* the longest sleep: signals and the lab's end are noticed */
#define FLUSH_NS	 (500 * MS_NS) /* readings and entries reach the disk so often */
#define KEEPALIVE_NS	 (2000 * MS_NS)
#define QUIET_LIMIT_MS	 10000 /* the agent restores the target when it hears nothing so long */
#define HELLO_AGAIN_NS	 (1000 * MS_NS) /* a booting target does not hear the first ones */
#define METER_SILENCE_NS (2000 * MS_NS)
#define METER_SYNC_NS	 (300 * MS_NS)
#define BYE_LIMIT_NS	 (8000 * MS_NS)
#define CLOCK_PINGS	 6
#define BUFFER_SAMPLES	 4096

struct rig_meter {
	struct meter *meter;
	bool is_lost;
	int64_t last_t_ns; /* of its latest reading */
	struct meter_sample *buffer;
	size_t buffered;
};

struct rig {
	struct rig_options o;
	struct vlab *vlab;
	struct transport *transport;
	struct peer peer;
	bool greeted; /* the agent has something to restore */
	bool is_lost;
	bool suite_ended;
	struct msg *devices;
	struct rig_meter *meters; /* as many as the lab has; meter is NULL where it is not used */
	int64_t next_flush_ns;
};

static volatile sig_atomic_t interrupted;

void rig_interrupt(void)
{
	interrupted = 1;
}

bool rig_is_interrupted(void)
{
	return interrupted;
}

bool rig_is_lost(int code)
{
	return code == -ETIMEDOUT || code == -EPIPE || code == -EPROTO;
}

/* Meters. */

static int flush_meter(struct rig *rig, size_t i, struct err *err)
{
	struct rig_meter *m = &rig->meters[i];
	int r = store_append_samples(rig->o.journal->store, rig->o.journal->segment, (int)i,
				     m->buffer, m->buffered, err);

	m->buffered = 0;
	return r;
}

static int flush_meters(struct rig *rig, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rig->o.lab->meters_n; i++)
		r = flush_meter(rig, i, err);
	rig->next_flush_ns = journal_now_ns() + FLUSH_NS;
	return r;
}

static int note_meter_event(struct rig *rig, size_t i, const struct meter_event *event,
			    struct err *err)
{
	static const char *const names[] = {[METER_EVENT_READY] = "ready",
					    [METER_EVENT_LOST] = "lost",
					    [METER_EVENT_NOTE] = "note"};
	struct msg *body = msg_object();

	msg_set_str(body, "meter", rig->o.lab->meters[i].name);
	msg_set_str(body, "event", names[event->kind]);
	msg_set_str(body, "text", event->text);
	msg_set_int(body, "t_ns", event->t_ns);
	if (event->kind == METER_EVENT_LOST) {
		rig->meters[i].is_lost = true;
		progress_say(rig->o.progress, "  meter %s is lost: %s", rig->o.lab->meters[i].name,
			     event->text);
	}
	return journal_add(rig->o.journal, "meter", body, NULL, err);
}

static int take_readings(struct rig *rig, size_t i, struct err *err)
{
	struct rig_meter *m = &rig->meters[i];
	size_t n, event_n;
	int r = 0;

	do {
		struct meter_event event;

		n = meter_read(m->meter, m->buffer + m->buffered, BUFFER_SAMPLES - m->buffered,
			       &event, &event_n);
		m->buffered += n;
		if (n)
			m->last_t_ns = m->buffer[m->buffered - 1].t_ns;
		if (event_n)
			r = note_meter_event(rig, i, &event, err);
		if (r == 0 && m->buffered == BUFFER_SAMPLES)
			r = flush_meter(rig, i, err);
	} while (r == 0 && (n || event_n));
	return r;
}

static int open_meters(struct rig *rig, struct err *err)
{
	const struct lab *lab = rig->o.lab;

	for (size_t i = 0; i < lab->meters_n; i++) {
		const char *channels[WIRING_CHANNELS_MAX];
		struct meter_options options = {
			.channels = channels,
			.channels_n = wiring_channels(rig->o.target, i, channels),
			.rate_hz = lab->meters[i].rate_hz,
			.silence_ns = METER_SILENCE_NS,
		};
		const char *port = strstr(lab->meters[i].spec, "{port}");
		char spec[512];
		int r;

		if (options.channels_n == 0)
			continue;
		snprintf(spec, sizeof(spec), "%s", lab->meters[i].spec);
		if (port && rig->vlab)
			snprintf(spec, sizeof(spec), "%.*s%u%s", (int)(port - lab->meters[i].spec),
				 lab->meters[i].spec, vlab_instrument_port(rig->vlab), port + 6);
		options.spec = spec;
		rig->meters[i].buffer = calloc(BUFFER_SAMPLES, sizeof(struct meter_sample));
		if (!rig->meters[i].buffer)
			return -ENOMEM;
		r = meter_open(&options, &rig->meters[i].meter, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Taking in what comes. */

static int take_rpm(struct rig *rig, struct msg *event, struct err *err)
{
	if (!msg_get_str(event, "bdf") || !msg_get_str(event, "what") ||
	    msg_get_int(event, "t_ns", -1) < 0) {
		msg_free(event);
		return err_set(err, -EPROTO, "the agent sent an event that lacks a part");
	}
	return journal_add(rig->o.journal, "rpm", event, NULL, err);
}

static int take_suite_line(struct rig *rig, struct msg *event, struct err *err)
{
	if (!msg_get_str(event, "line")) {
		msg_free(event);
		return err_set(err, -EPROTO, "the agent sent an event that lacks a part");
	}
	return journal_add(rig->o.journal, "suite", event, NULL, err);
}

static int take_suite_end(struct rig *rig, struct msg *event, struct err *err)
{
	rig->suite_ended = true;
	return journal_add(rig->o.journal, "suite-end", event, NULL, err);
}

/* Those of a newer agent that are not listed are left out. */
static const struct {
	const char *kind;
	int (*take)(struct rig *rig, struct msg *event, struct err *err);
} event_takers[] = {
	{"rpm", take_rpm},
	{"suite", take_suite_line},
	{"suite-end", take_suite_end},
};

static int take_event(struct rig *rig, struct msg *event, struct err *err)
{
	const char *kind = msg_get_str(event, "event");

	for (size_t i = 0; kind && i < sizeof(event_takers) / sizeof(event_takers[0]); i++) {
		if (strcmp(kind, event_takers[i].kind) == 0)
			return event_takers[i].take(rig, event, err);
	}
	msg_free(event);
	return 0;
}

/* Handles what has come from the agent; keeps the answer to id, if that is among it. */
static int take_messages(struct rig *rig, int64_t id, struct msg **answer, struct err *err)
{
	struct msg *msg;
	int r;

	while ((r = peer_next(&rig->peer, &msg, err)) > 0) {
		if (msg_get(msg, "event")) {
			r = take_event(rig, msg, err);
			if (r < 0)
				return r;
		} else if (id && msg_get_int(msg, "id", -1) == id) {
			*answer = msg;
			return 0;
		} else {
			msg_free(msg); /* the answer to a ping that nobody waits for */
		}
	}
	return r;
}

/* Accesses to devices without power, which the virtual lab sees. */

static int note_access(struct rig *rig, const struct forbidden_access *access, struct err *err)
{
	char device[BDF_TEXT_SIZE], function[BDF_TEXT_SIZE];
	struct msg *body = msg_object();

	if (vlab_slot_bdf(rig->o.lab, access->slot, device) < 0)
		device[0] = 0;
	bdf_format(&access->which, function);
	msg_set_str(body, "device", device);
	msg_set_str(body, "function", function);
	msg_set_str(body, "kind", forbidden_kind_name(access->kind));
	msg_set_int(body, "address", (int64_t)access->address);
	msg_set_int(body, "times", access->times);
	msg_set_int(body, "t_ns", access->t_ns);
	return journal_add(rig->o.journal, "forbidden", body, NULL, err);
}

static int note_accesses(struct rig *rig, struct err *err)
{
	struct forbidden_access access;
	int r = 0;

	while (r == 0 && rig->vlab && vlab_take_forbidden(rig->vlab, &access))
		r = note_access(rig, &access, err);
	return r;
}

int rig_take_accesses(struct rig *rig, struct err *err)
{
	/* A lab that is gone tells what it had told. That it is gone is noticed by who needs it. */
	if (rig->vlab)
		(void)vlab_sync(rig->vlab);
	return note_accesses(rig, err);
}

/* Sleeps until something comes, at most until a moment, and takes it in. */
static int pump(struct rig *rig, int64_t until_ns, int64_t id, struct msg **answer, struct err *err)
{
	struct pollfd fds[1 + LAB_METERS_MAX];
	size_t of[1 + LAB_METERS_MAX], n = 0;
	int64_t now_ns = journal_now_ns(), left_ns = until_ns - now_ns;
	int r = 0;

	fds[n++] = (struct pollfd){.fd = transport_read_fd(rig->transport), .events = POLLIN};
	for (size_t i = 0; i < rig->o.lab->meters_n; i++) {
		if (rig->meters[i].meter && !rig->meters[i].is_lost) {
			of[n] = i;
			fds[n++] = (struct pollfd){.fd = meter_fd(rig->meters[i].meter),
						   .events = POLLIN};
		}
	}
	if (left_ns > PUMP_SLICE_NS)
		left_ns = PUMP_SLICE_NS;
	if (poll(fds, (nfds_t)n, left_ns <= 0 ? 0 : (int)((left_ns + MS_NS - 1) / MS_NS)) < 0 &&
	    errno != EINTR)
		return -errno;
	if (interrupted)
		return err_set(err, -EINTR, "stopped by the user");
	for (size_t k = 1; r == 0 && k < n; k++) /* also where nothing is readable: its watchdog */
		r = take_readings(rig, of[k], err);
	if (r == 0 && journal_now_ns() >= rig->next_flush_ns) {
		r = flush_meters(rig, err);
		if (r == 0)
			r = store_commit(rig->o.journal->store, err);
	}
	if (r == 0 && rig->vlab)
		r = vlab_check(rig->vlab, err) < 0 ? -EPIPE : note_accesses(rig, err);
	if (r == 0 && fds[0].revents)
		r = peer_receive(&rig->peer, err);
	if (r == 0 || r == -EPIPE) {
		/* What came before the end still counts. */
		int t = take_messages(rig, id, answer, r == 0 ? err : NULL);

		r = r == 0 || (answer && *answer) ? t : r;
	}
	return r;
}

static int note_lost(struct rig *rig, int r)
{
	if (rig_is_lost(r))
		rig->is_lost = true;
	return r;
}

/* Waits for the answer to a request that was sent. */
static int await(struct rig *rig, int64_t id, int64_t deadline_ns, struct msg **answer,
		 struct err *err)
{
	*answer = NULL;
	while (!*answer) {
		int r = pump(rig, deadline_ns, id, answer, err);

		if (r < 0)
			return r;
		if (!*answer && journal_now_ns() >= deadline_ns)
			return err_set(err, -ETIMEDOUT, "the agent did not answer in time");
	}
	return 0;
}

static int ask_within(struct rig *rig, struct msg *request, int64_t limit_ns, struct msg **answer,
		      struct err *err)
{
	int64_t sent_ns = journal_now_ns();
	int64_t id = peer_send(&rig->peer, request, err);
	int r;

	*answer = NULL;
	if (id < 0)
		return (int)id;
	r = await(rig, id, sent_ns + limit_ns, answer, err);
	if (r < 0)
		return r;
	msg_set_int(*answer, "sent_ns", sent_ns);
	msg_set_int(*answer, "received_ns", journal_now_ns());
	return 0;
}

int rig_ask(struct rig *rig, struct msg *request, struct msg **answer, struct err *err)
{
	struct msg *got;
	int r = note_lost(rig, ask_within(rig, request, rig->o.plan->answer_limit_ns, &got, err));

	if (r < 0)
		return r;
	if (!msg_get_bool(got, "ok", false)) {
		const char *why = msg_get_str(got, "error");

		r = err_set(err, -EREMOTEIO, "%s",
			    why ? why : "the agent refused without a reason");
	}
	if (answer && r == 0)
		*answer = got;
	else
		msg_free(got);
	return r;
}

struct msg *rig_request(const char *op, const char *bdf)
{
	struct msg *request = msg_object();

	msg_set_str(request, "op", op);
	if (bdf)
		msg_set_str(request, "bdf", bdf);
	return request;
}

int rig_wait(struct rig *rig, int64_t until_ns, struct err *err)
{
	int r = 0;

	while (r == 0 && journal_now_ns() < until_ns) {
		struct msg *none = NULL;

		if (journal_now_ns() - rig->peer.last_sent_ns > KEEPALIVE_NS) {
			int64_t id = peer_send(&rig->peer, rig_request("ping", NULL), err);

			if (id < 0)
				r = (int)id;
		}
		if (r == 0)
			r = pump(rig, until_ns, 0, &none, err);
	}
	return note_lost(rig, r);
}

int rig_mark_clock(struct rig *rig, struct err *err)
{
	struct clock_ping pings[CLOCK_PINGS];
	struct clock_mark mark;
	struct msg *body;

	for (size_t i = 0; i < CLOCK_PINGS; i++) {
		struct msg *answer;
		int r = rig_ask(rig, rig_request("ping", NULL), &answer, err);

		if (r < 0)
			return r;
		pings[i] = (struct clock_ping){
			.sent_ns = msg_get_int(answer, "sent_ns", 0),
			.received_ns = msg_get_int(answer, "received_ns", 0),
			.taken_ns = msg_get_int(answer, "t0_ns", 0),
			.answered_ns = msg_get_int(answer, "t1_ns", 0),
		};
		msg_free(answer);
	}
	mark = clock_mark_from(pings, CLOCK_PINGS);
	body = msg_object();
	msg_set_int(body, "controller_ns", mark.controller_ns);
	msg_set_int(body, "target_ns", mark.target_ns);
	msg_set_int(body, "error_ns", mark.error_ns);
	return journal_add(rig->o.journal, "clock", body, NULL, err);
}

static bool meters_reach(const struct rig *rig, int64_t t_ns)
{
	for (size_t i = 0; i < rig->o.lab->meters_n; i++) {
		const struct rig_meter *m = &rig->meters[i];

		if (m->meter && !m->is_lost && m->last_t_ns < t_ns)
			return false;
	}
	return true;
}

int rig_sync_samples(struct rig *rig, int64_t until_ns, struct err *err)
{
	int64_t limit_ns = journal_now_ns() + METER_SYNC_NS;
	int r = 0;

	while (r == 0 && !meters_reach(rig, until_ns) && journal_now_ns() < limit_ns) {
		struct msg *none = NULL;

		r = pump(rig, journal_now_ns() + 5 * MS_NS, 0, &none, err);
	}
	return r < 0 ? note_lost(rig, r) : flush_meters(rig, err);
}

int rig_run_suite(struct rig *rig, struct err *err)
{
	int64_t until_ns = journal_now_ns() + rig->o.plan->conformance_ns;
	struct err why = {""};
	int r = journal_add(rig->o.journal, "suite-begin", msg_object(), NULL, err);

	if (r < 0)
		return r;
	rig->suite_ended = false;
	r = rig_ask(rig, rig_request("suite", NULL), NULL, &why);
	while (r == 0 && !rig->suite_ended) {
		int64_t slice_ns = journal_now_ns() + PUMP_SLICE_NS;

		r = rig_wait(rig, slice_ns, &why);
		if (r == 0 && !rig->suite_ended && journal_now_ns() >= until_ns)
			r = err_set(&why, -ETIMEDOUT, "the conformance suite did not end in time");
	}
	if (r < 0 && r != -EINTR) {
		struct msg *body = msg_object();
		int noted;

		msg_set_int(body, "status", -1);
		msg_set_str(body, "why", why.text);
		noted = journal_add(rig->o.journal, "suite-end", body, NULL, err);
		r = noted < 0 ? noted : r;
	}
	if (err && r < 0)
		*err = why;
	return r == -EREMOTEIO ? 0 : r; /* a target without the suite has its cycles all the same */
}

int rig_begin_cycle(struct rig *rig, unsigned n, struct err *err)
{
	int r = rig->vlab ? vlab_cycle(rig->vlab, n) : 0;

	return r < 0 ? err_set(err, -EPIPE, "the virtual lab ended") : 0;
}

const struct msg *rig_devices(const struct rig *rig)
{
	return rig->devices;
}

/* Coming up. */

static int start_virtual(struct rig *rig, struct err *err)
{
	char console[4096], truth[4096], *kernel_dir = NULL;
	struct vlab_options options = {
		.lab = rig->o.lab,
		.data_dir = rig->o.target_files,
		.console_path = console,
		.truth_path = truth,
		.with_suite = rig->o.plan->conformance_ns > 0,
	};
	int r = vlab_kernel_dir(rig->o.plan->arms[rig->o.arm].kernel, &kernel_dir, err);

	if (r < 0)
		return r;
	options.kernel_dir = kernel_dir;
	snprintf(console, sizeof(console), "%s/console-%s.log", rig->o.run_dir,
		 rig->o.plan->arms[rig->o.arm].name);
	snprintf(truth, sizeof(truth), "%s/truth-%s.csv", rig->o.run_dir,
		 rig->o.plan->arms[rig->o.arm].name);
	r = vlab_up(&options, &rig->vlab, err);
	free(kernel_dir);
	return r < 0 ? r : transport_wrap(vlab_agent_fd(rig->vlab), true, &rig->transport);
}

static struct msg *hello_request(const char *nonce)
{
	struct msg *request = rig_request("hello", NULL);

	msg_set_int(request, "proto", PROTOCOL_VERSION);
	msg_set_str(request, "nonce", nonce);
	msg_set_int(request, "quiet_limit_ms", QUIET_LIMIT_MS);
	return request;
}

/* Greets until an agent answers: on a serial line the first greetings may meet a booting machine. */
static int greet(struct rig *rig, struct msg **hello, struct err *err)
{
	int64_t deadline_ns = journal_now_ns() + rig->o.plan->boot_limit_ns;
	char nonce[40];

	snprintf(nonce, sizeof(nonce), "%d-%lld", getpid(), (long long)journal_now_ns());
	for (;;) {
		int64_t again_ns = journal_now_ns() + HELLO_AGAIN_NS;
		int64_t id = peer_send(&rig->peer, hello_request(nonce), err);
		const char *echoed;
		int r;

		if (id < 0)
			return (int)id;
		if (!transport_is_serial(rig->transport))
			again_ns = deadline_ns;
		r = await(rig, id, again_ns < deadline_ns ? again_ns : deadline_ns, hello, err);
		if (r == -ETIMEDOUT && journal_now_ns() < deadline_ns)
			continue;
		if (r == -ETIMEDOUT)
			return err_set(err, r, "no agent answered within %lld s",
				       (long long)(rig->o.plan->boot_limit_ns / 1000000000));
		if (r < 0)
			return r;
		echoed = msg_get_str(*hello, "nonce");
		if (!echoed || strcmp(echoed, nonce) != 0) {
			msg_free(*hello);
			return err_set(err, -EPROTO,
				       "the agent answered a greeting that was not sent");
		}
		return 0;
	}
}

static int check_hello(const struct rig *rig, const struct msg *hello, struct err *err)
{
	const struct plan_arm *arm = &rig->o.plan->arms[rig->o.arm];
	const char *release = msg_get_str(hello, "release");
	size_t n = strcspn(arm->kernel, "+"); /* a variant has other modules, not another release */

	if (!msg_get_bool(hello, "ok", false))
		return err_set(err, -EPROTO, "the agent refused the greeting: %s",
			       msg_get_str(hello, "error") ? msg_get_str(hello, "error")
							   : "no reason");
	if (msg_get_int(hello, "proto", -1) != PROTOCOL_VERSION)
		return err_set(err, -EPROTO, "the agent speaks protocol %lld, this program %d",
			       (long long)msg_get_int(hello, "proto", -1), PROTOCOL_VERSION);
	if (!release)
		return err_set(err, -EPROTO, "the agent does not say which kernel runs");
	/* "5.1" must not accept 5.10. */
	if (strncmp(release, arm->kernel, n) != 0 || (release[n] >= '0' && release[n] <= '9'))
		return err_set(err, -ENOEXEC, "arm %s asks for kernel %s, the target runs %s",
			       arm->name, arm->kernel, release);
	return 0;
}

static int note_arm_up(struct rig *rig, const struct msg *hello, struct err *err)
{
	struct msg *body = msg_object(), *list = NULL, *copy;
	char *text;
	int r = rig_ask(rig, rig_request("list", NULL), &list, err);

	if (r < 0) {
		msg_free(body);
		return r;
	}
	text = msg_dump(hello);
	r = msg_parse(text, strlen(text), &copy, err);
	free(text);
	if (r == 0) {
		msg_set(body, "hello", copy);
		msg_set_str(body, "arm", rig->o.plan->arms[rig->o.arm].name);
		msg_set_bool(body, "accesses_watched", rig->vlab != NULL);
		text = msg_dump(list);
		r = msg_parse(text, strlen(text), &copy, err);
		free(text);
	}
	if (r < 0) {
		msg_free(body);
		msg_free(list);
		return r;
	}
	msg_set(body, "list", copy);
	rig->devices = list;
	return journal_add(rig->o.journal, "arm-up", body, NULL, err);
}

static int connect_agent(struct rig *rig, struct err *err)
{
	struct msg *hello;
	int r = greet(rig, &hello, err);

	if (r < 0)
		return r;
	peer_expect_frames(&rig->peer);
	rig->greeted = true;
	r = check_hello(rig, hello, err);
	if (r == 0)
		r = note_arm_up(rig, hello, err);
	msg_free(hello);
	return r;
}

/* A meter that is alive has said so by now; one that is not is an event, not a failure. */
static int await_meters(struct rig *rig, struct err *err)
{
	int64_t limit_ns = journal_now_ns() + METER_SILENCE_NS;
	int r = 0;

	while (r == 0 && !meters_reach(rig, 1) && journal_now_ns() < limit_ns) {
		struct msg *none = NULL;

		r = pump(rig, journal_now_ns() + 20 * MS_NS, 0, &none, err);
	}
	return r;
}

int rig_up(const struct rig_options *options, struct rig **out, struct err *err)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	int r;

	if (!rig)
		return -ENOMEM;
	rig->o = *options;
	rig->meters =
		calloc(options->lab->meters_n ? options->lab->meters_n : 1, sizeof(*rig->meters));
	if (!rig->meters)
		r = -ENOMEM;
	else if (strcmp(options->target->transport, "virtual") == 0)
		r = start_virtual(rig, err);
	else
		r = transport_open(options->target->transport, &rig->transport, err);
	if (r == 0) {
		peer_init(&rig->peer, rig->transport);
		r = open_meters(rig, err);
	}
	if (r == 0)
		r = connect_agent(rig, err);
	if (r == 0)
		r = await_meters(rig, err);
	if (r < 0) {
		note_lost(rig, r);
		rig_down(rig);
		return r;
	}
	*out = rig;
	return 0;
}

/* The target is restored by its agent; a lost one cannot be asked. */
static void say_bye(struct rig *rig)
{
	struct msg *answer = NULL;

	interrupted = 0; /* what was asked for is under way */
	if (ask_within(rig, rig_request("bye", NULL), BYE_LIMIT_NS, &answer, NULL) == 0)
		msg_free(answer);
}

void rig_down(struct rig *rig)
{
	bool was_interrupted = interrupted;

	if (!rig)
		return;
	if (rig->greeted && !rig->is_lost)
		say_bye(rig);
	(void)rig_take_accesses(rig, NULL);
	if (was_interrupted)
		interrupted = 1;
	for (size_t i = 0; rig->meters && i < rig->o.lab->meters_n; i++) {
		meter_close(rig->meters[i].meter);
		free(rig->meters[i].buffer);
	}
	if (rig->transport)
		peer_end(&rig->peer);
	transport_close(rig->transport);
	vlab_down(rig->vlab);
	msg_free(rig->devices);
	free(rig->meters);
	free(rig);
}
