/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "rig_parts.h"

#define KEEPALIVE_NS (2000 * MS_NS)
/* A meter that has stopped is told lost by then. */
#define METER_SYNC_NS (METER_SILENCE_NS + 300 * MS_NS)
#define CLOCK_PINGS   6

static volatile sig_atomic_t interrupted;

void rig_interrupt(void)
{
	interrupted = 1;
}

bool rig_is_interrupted(void)
{
	return interrupted;
}

void rig_set_interrupted(bool is)
{
	interrupted = is;
}

bool rig_is_lost(int code)
{
	return code == -ETIMEDOUT || code == -EPIPE || code == -EPROTO;
}

int rig_note(struct rig *rig, const char *kind, struct msg *body, struct err *err)
{
	if (rig->o.journal)
		return journal_add(rig->o.journal, kind, body, NULL, err);
	msg_free(body);
	return 0;
}

int rig_note_lost(struct rig *rig, int r)
{
	if (rig_is_lost(r))
		rig->is_lost = true;
	return r;
}

/* Waits for the answer to a request that was sent. */
int rig_await(struct rig *rig, int64_t id, int64_t deadline_ns, struct msg **answer,
	      struct err *err)
{
	*answer = NULL;
	while (!*answer) {
		int r = rig_pump(rig, deadline_ns, id, answer, err);

		if (r < 0)
			return r;
		if (!*answer && journal_now_ns() >= deadline_ns)
			return err_set(err, -ETIMEDOUT, "the agent did not answer in time");
	}
	return 0;
}

int rig_ask_within(struct rig *rig, struct msg *request, int64_t limit_ns, struct msg **answer,
		   struct err *err)
{
	int64_t sent_ns = journal_now_ns();
	int64_t id = peer_send(&rig->peer, request, err);
	int r;

	*answer = NULL;
	if (id < 0)
		return (int)id;
	r = rig_await(rig, id, sent_ns + limit_ns, answer, err);
	if (r < 0)
		return r;
	msg_set_int(*answer, "sent_ns", sent_ns);
	msg_set_int(*answer, "received_ns", journal_now_ns());
	return 0;
}

int rig_ask_for(struct rig *rig, struct msg *request, int64_t limit_ns, struct msg **answer,
		struct err *err)
{
	struct msg *got;
	int r = rig_note_lost(rig, rig_ask_within(rig, request, limit_ns, &got, err));

	if (r < 0)
		return r;
	if (!msg_get_bool(got, "ok", false)) {
		const char *why = msg_get_str(got, "error");

		r = err_set(err, -EREMOTEIO, "%s",
			    why ? why : "the agent refused without a reason");
		/* It knows nothing of what was done before: the machine is another one now. */
		if (msg_get_int(got, "errno", 0) == EPROTO)
			r = rig_note_lost(rig, err_set(err, -EPROTO, "the agent was started anew"));
	}
	if (answer && r == 0)
		*answer = got;
	else
		msg_free(got);
	return r;
}

int rig_ask(struct rig *rig, struct msg *request, struct msg **answer, struct err *err)
{
	return rig_ask_for(rig, request, rig->o.plan->answer_limit_ns, answer, err);
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
	const int64_t silence_ns = rig->o.plan->recovery.silence_ns;
	int r = 0;

	while (r == 0 && journal_now_ns() < until_ns) {
		struct msg *none = NULL;

		if (silence_ns && rig->beat_every_ns &&
		    journal_now_ns() - rig->heard_ns > silence_ns) {
			r = err_set(err, -ETIMEDOUT, "no heartbeat for %.1f s",
				    (double)(journal_now_ns() - rig->heard_ns) / 1e9);
			break;
		}
		if (journal_now_ns() - rig->peer.last_sent_ns > KEEPALIVE_NS) {
			int64_t id = peer_send(&rig->peer, rig_request("ping", NULL), err);

			if (id < 0)
				r = (int)id;
		}
		if (r == 0)
			r = rig_pump(rig, until_ns, 0, &none, err);
	}
	return rig_note_lost(rig, r);
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
	return rig_note(rig, "clock", body, err);
}

void rig_set_recovering(struct rig *rig, bool recovering)
{
	rig->recovering = recovering;
	if (!recovering)
		rig->is_deaf = false;
}

int rig_listen(struct rig *rig, int64_t until_ns, struct err *err)
{
	bool was_deaf = rig->is_deaf;
	int r = 0;

	rig->is_deaf = true;
	while (r == 0 && journal_now_ns() < until_ns)
		r = rig_pump(rig, until_ns, 0, NULL, err);
	rig->is_deaf = was_deaf;
	return r;
}

enum recovery_symptom rig_symptom(struct rig *rig, int code)
{
	if (rig->panic.text[0])
		return RECOVERY_PANICKED;
	if (rig->vlab && vlab_check(rig->vlab, NULL) < 0)
		return RECOVERY_OFF;
	return code == -ETIMEDOUT ? RECOVERY_SILENT : RECOVERY_CUT;
}

bool rig_meter_reads(const struct rig *rig, size_t meter)
{
	return rig->meters[meter].meter && !rig->meters[meter].is_lost;
}

int rig_sync_samples(struct rig *rig, int64_t until_ns, struct err *err)
{
	int64_t now_ns = journal_now_ns();
	int64_t limit_ns = (until_ns > now_ns ? until_ns : now_ns) + METER_SYNC_NS;
	int r = 0;

	while (r == 0 && !rig_meters_reach(rig, until_ns) && journal_now_ns() < limit_ns) {
		struct msg *none = NULL;

		r = rig_pump(rig, journal_now_ns() + 5 * MS_NS, 0, &none, err);
	}
	return r < 0 ? rig_note_lost(rig, r) : rig_flush_meters(rig, err);
}

int rig_run_suite(struct rig *rig, struct err *err)
{
	int64_t until_ns = journal_now_ns() + rig->o.plan->conformance_ns;
	struct err why = {""};
	int r = rig_note(rig, "suite-begin", msg_object(), err);

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
		noted = rig_note(rig, "suite-end", body, err);
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

const struct msg *rig_hello(const struct rig *rig)
{
	return rig->hello;
}

const struct msg *rig_how(const struct rig *rig)
{
	return rig->how;
}

const struct msg *rig_find_device(const struct rig *rig, const char *bdf)
{
	const struct msg *list = msg_get(rig->devices, "devices");

	for (size_t i = 0; i < msg_count(list); i++) {
		const char *name = msg_get_str(msg_at(list, i), "bdf");

		if (name && strcmp(name, bdf) == 0)
			return msg_at(list, i);
	}
	return NULL;
}
