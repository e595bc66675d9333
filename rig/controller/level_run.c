/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "level_run.h"

#include <errno.h>

#include "runner.h"

static int ask_plain(struct rig *rig, const char *op, const char *bdf, struct err *err)
{
	return rig_ask(rig, rig_request(op, bdf), NULL, err);
}

static int set_d3cold_allowed(struct rig *rig, const char *bdf, int value, struct err *err)
{
	struct msg *request = rig_request("set", bdf);

	msg_set_str(request, "attr", "d3cold_allowed");
	msg_set_str(request, "value", value ? "1" : "0");
	return rig_ask(rig, request, NULL, err);
}

/* Measures the level of the state that the device is in now. */
static int measure(struct rig *rig, const struct runner *runner, const char *bdf, const char *state,
		   struct err *err)
{
	int64_t dwell_ns = runner->plan->level_dwell_ns, t0_ns, t1_ns;
	struct msg *begin = NULL, *end = NULL, *body;
	int r = rig_wait(rig, journal_now_ns() + dwell_ns, err);

	if (r == 0)
		r = rig_ask(rig, rig_request("state", bdf), &begin, err);
	t0_ns = journal_now_ns();
	if (r == 0)
		r = rig_wait(rig, t0_ns + dwell_ns, err);
	t1_ns = journal_now_ns();
	if (r == 0)
		r = rig_ask(rig, rig_request("state", bdf), &end, err);
	if (r == 0)
		r = rig_sync_samples(
			rig,
			t1_ns + alignment_wait_ns(analysis_alignment(runner->journal->analysis)),
			err);
	if (r < 0) {
		msg_free(begin);
		msg_free(end);
		return r;
	}
	body = msg_object();
	msg_set_str(body, "device", bdf);
	msg_set_str(body, "state", state);
	msg_set_int(body, "t0_ns", t0_ns);
	msg_set_int(body, "t1_ns", t1_ns);
	msg_set(body, "begin", begin);
	msg_set(body, "end", end);
	return journal_add(runner->journal, "level", body, NULL, err);
}

static int measure_both(struct rig *rig, const struct runner *runner, const char *bdf,
			struct err *err)
{
	int r = set_d3cold_allowed(rig, bdf, 0, err);

	if (r == 0)
		r = ask_plain(rig, "open", bdf, err);
	if (r == 0) {
		int closed;

		r = measure(rig, runner, bdf, "D0", err);
		if (rig_is_lost(r))
			return r;
		closed = ask_plain(rig, "close", bdf, r < 0 ? NULL : err);
		r = r < 0 ? r : closed;
	}
	return r < 0 ? r : measure(rig, runner, bdf, "D3hot", err);
}

int level_run(struct rig *rig, const struct runner *runner, int device, struct err *err)
{
	const struct result_levels *levels =
		analysis_levels(runner->journal->analysis, runner->journal->arm, device);
	const char *bdf = runner->target->devices[device].bdf;
	int allowed = runner->plan->arms[runner->journal->arm].d3cold_allowed;
	struct err why = {""};
	int r = 0;

	if (!levels->d0.level.valid || !levels->d3hot.level.valid)
		r = measure_both(rig, runner, bdf, &why);
	if (r == -EREMOTEIO) {
		struct msg *body = msg_object();

		msg_set_str(body, "device", bdf);
		msg_set_str(body, "why", why.text);
		r = journal_add(runner->journal, "level-failed", body, NULL, &why);
	}
	if (r == 0)
		r = set_d3cold_allowed(rig, bdf, allowed < 0 ? 1 : allowed, &why);
	return r < 0 ? err_set(err, r, "%s: levels: %s", bdf, why.text) : 0;
}
