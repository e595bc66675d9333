/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking in what comes: from the agent, the meters, the console and the virtual lab. */
#include <errno.h>
#include <string.h>

#include "rig_parts.h"

/* The agent. */

static int take_rpm(struct rig *rig, struct msg *event, struct err *err)
{
	if (!msg_get_str(event, "bdf") || !msg_get_str(event, "what") ||
	    msg_get_int(event, "t_ns", -1) < 0) {
		msg_free(event);
		return err_set(err, -EPROTO, "the agent sent an event that lacks a part");
	}
	return rig_note(rig, "rpm", event, err);
}

static int take_suite_line(struct rig *rig, struct msg *event, struct err *err)
{
	if (!msg_get_str(event, "line")) {
		msg_free(event);
		return err_set(err, -EPROTO, "the agent sent an event that lacks a part");
	}
	return rig_note(rig, "suite", event, err);
}

static int take_suite_end(struct rig *rig, struct msg *event, struct err *err)
{
	rig->suite_ended = true;
	return rig_note(rig, "suite-end", event, err);
}

/* That it came is what it says. */
static int take_beat(struct rig *rig, struct msg *event, struct err *err)
{
	(void)rig;
	(void)err;
	msg_free(event);
	return 0;
}

/* Those of a newer agent that are not listed are left out. */
static const struct {
	const char *kind;
	int (*take)(struct rig *rig, struct msg *event, struct err *err);
} event_takers[] = {
	{"rpm", take_rpm},
	{"beat", take_beat},
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
		rig->heard_ns = journal_now_ns();
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
	return rig_note(rig, "forbidden", body, err);
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

/* The console. */

static int note_console(const struct console_event *event, void *context, struct err *err)
{
	struct rig *rig = context;
	struct msg *body = msg_object();

	msg_set_str(body, "kind", console_kind_name(event->kind));
	msg_set_str(body, "text", event->text);
	msg_set_str(body, "device", event->device[0] ? event->device : NULL);
	msg_set_int(body, "t_ns", event->t_ns);
	if (event->kind == CONSOLE_PANIC)
		rig->panic = *event;
	if (event->kind == CONSOLE_WAKE_FAILED)
		rig->asleep = *event;
	return rig_note(rig, "console", body, err);
}

int rig_take_console(struct rig *rig, struct err *err)
{
	int r = rig->tap ? tap_take(rig->tap, note_console, rig, err) : 0;

	if (r == 0 && rig->panic.text[0] && !rig->recovering)
		r = err_set(err, -EPIPE, "%s", rig->panic.text);
	return r;
}

const char *rig_asleep(const struct rig *rig, const char *bdf)
{
	return strcmp(rig->asleep.device, bdf) == 0 ? rig->asleep.text : NULL;
}

/* Taking it all in. */

static int take_rest(struct rig *rig, struct err *err)
{
	int r = 0;

	if (journal_now_ns() >= rig->next_flush_ns) {
		r = rig_flush_meters(rig, err);
		if (r == 0 && rig->o.journal)
			r = store_commit(rig->o.journal->store, err);
	}
	if (r == 0 && rig->vlab) {
		r = vlab_check(rig->vlab, err) < 0 && !rig->recovering ? -EPIPE : 0;
		if (r == 0)
			r = note_accesses(rig, err);
	}
	return r;
}

/* What the agent sent; what came before an end still counts. */
static int take_line(struct rig *rig, int64_t id, struct msg **answer, struct err *err)
{
	int r = peer_receive(&rig->peer, err), t;

	if (r != 0 && r != -EPIPE)
		return r;
	t = take_messages(rig, id, answer, r == 0 ? err : NULL);
	return r == 0 || (answer && *answer) ? t : r;
}

int rig_pump(struct rig *rig, int64_t until_ns, int64_t id, struct msg **answer, struct err *err)
{
	struct pollfd fds[2 + LAB_METERS_MAX];
	size_t of[LAB_METERS_MAX], n = 0;
	bool listens = rig->transport && !rig->is_deaf;
	int64_t now_ns = journal_now_ns(), left_ns = until_ns - now_ns;
	int r = 0;

	fds[n++] = (struct pollfd){.fd = listens ? transport_read_fd(rig->transport) : -1,
				   .events = POLLIN};
	fds[n++] = (struct pollfd){.fd = rig->tap ? tap_fd(rig->tap) : -1, .events = POLLIN};
	n += rig_meter_fds(rig, fds + 2, of);
	if (left_ns > PUMP_SLICE_NS)
		left_ns = PUMP_SLICE_NS;
	if (poll(fds, (nfds_t)n, left_ns <= 0 ? 0 : (int)((left_ns + MS_NS - 1) / MS_NS)) < 0 &&
	    errno != EINTR)
		return -errno;
	if (rig_is_interrupted())
		return err_set(err, -EINTR, "stopped by the user");
	for (size_t k = 2; r == 0 && k < n; k++) /* also where nothing is readable: its watchdog */
		r = rig_take_readings(rig, of[k - 2], err);
	if (r == 0)
		r = take_rest(rig, err);
	if (r == 0 && fds[1].revents)
		r = rig_take_console(rig, err);
	if (listens && r == 0 && fds[0].revents)
		r = take_line(rig, id, answer, err);
	else if (listens && r == -EPIPE)
		(void)take_messages(rig, id, answer, NULL);
	return r;
}
