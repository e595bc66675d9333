/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cycle.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "runner.h"

/* The fields of SQL users' table "cycle"; docs/run-file.md. */
static const char *const cycle_columns[] = {
	"ordinal", "arm",      "kernel",       "device",  "scenario",	     "number",
	"verdict", "sysfs",    "acpi",	       "rpm",	  "meter",	     "power_w",
	"u95_w",   "readings", "to_d3cold_ms", "wake_ms", "unasked_resumes", "forbidden_accesses",
	"why",	   NULL,
};

static int begin(struct rig *rig, const struct runner *runner, const struct cycle_spec *spec,
		 struct err *err)
{
	struct msg *body = msg_object();
	int r;

	msg_set_int(body, "scenario_index", spec->scenario);
	msg_set_str(body, "scenario",
		    scenario_get(runner->plan->scenarios[spec->scenario].id)->name);
	msg_set_str(body, "device", runner->target->devices[spec->device].bdf);
	msg_set_int(body, "number", spec->number);
	r = journal_add(runner->journal, "cycle-begin", body, NULL, err);
	return r < 0 ? r : rig_begin_cycle(rig, spec->in_arm, err);
}

/* Does an action and notes its times; a refusal is noted too. */
static int act(struct rig *rig, const struct runner *runner, const struct action *action,
	       const char *bdf, unsigned vfs, struct err *err)
{
	struct msg *request = rig_request(action->op, bdf), *answer = NULL, *body;
	struct err why = {""};
	int r, noted;

	if (strcmp(action->op, "vfs") == 0)
		msg_set_int(request, "count", vfs);
	r = rig_ask(rig, request, &answer, &why);
	body = msg_object();
	msg_set_str(body, "action", action->name);
	msg_set_bool(body, "ok", r == 0);
	if (r == 0) {
		msg_set_int(body, "t0_ns", msg_get_int(answer, "t0_ns", -1));
		msg_set_int(body, "t1_ns", msg_get_int(answer, "t1_ns", -1));
		msg_set_int(body, "sent_ns", msg_get_int(answer, "sent_ns", -1));
		msg_set_int(body, "received_ns", msg_get_int(answer, "received_ns", -1));
	} else {
		msg_set_str(body, "error", why.text);
	}
	msg_free(answer);
	noted = journal_add(runner->journal, "action", body, NULL, err);
	if (r == -EINTR)
		return err_set(err, r, "%s", why.text);
	if (r < 0)
		return err_set(err, r, "%s: %s", action->name, why.text);
	return noted;
}

static int act_all(struct rig *rig, const struct runner *runner, const struct cycle_spec *spec,
		   struct err *err)
{
	const struct plan_scenario *plan = &runner->plan->scenarios[spec->scenario];
	const struct scenario *scenario = scenario_get(plan->id);
	int r = 0;

	for (size_t i = 0; r == 0 && i < scenario->actions_n; i++) {
		enum action_id id = scenario->actions[i];

		if (id == ACTION_HOLD)
			r = rig_wait(rig, journal_now_ns() + plan->hold_ns, err);
		else
			r = act(rig, runner, action_get(id),
				runner->target->devices[spec->device].bdf,
				id == ACTION_VFS_ON ? plan->vfs : 0, err);
	}
	return r;
}

static int read_state(struct rig *rig, const struct runner *runner, const char *bdf, const char *at,
		      struct err *err)
{
	struct msg *answer, *body;
	int r = rig_ask(rig, rig_request("state", bdf), &answer, err);

	if (r < 0)
		return r;
	body = msg_object();
	msg_set_str(body, "at", at);
	msg_set(body, "state", answer);
	return journal_add(runner->journal, "state", body, NULL, err);
}

/* Nothing is asked of the device from here on but what the kernel knows without touching it. */
static int dwell(struct rig *rig, const struct runner *runner, const struct cycle_spec *spec,
		 struct err *err)
{
	const struct plan_scenario *plan = &runner->plan->scenarios[spec->scenario];
	const char *bdf = runner->target->devices[spec->device].bdf;
	int64_t t0_ns, t1_ns;
	struct msg *body;
	int r = rig_wait(rig, journal_now_ns() + plan->settle_ns, err);

	if (r == 0)
		r = read_state(rig, runner, bdf, "begin", err);
	t0_ns = journal_now_ns();
	if (r == 0)
		r = rig_wait(rig, t0_ns + plan->dwell_ns, err);
	t1_ns = journal_now_ns();
	if (r == 0)
		r = read_state(rig, runner, bdf, "end", err);
	if (r < 0)
		return r;
	body = msg_object();
	msg_set_int(body, "t0_ns", t0_ns);
	msg_set_int(body, "t1_ns", t1_ns);
	r = journal_add(runner->journal, "window", body, NULL, err);
	if (r == 0)
		r = rig_mark_clock(rig, err);
	t1_ns += alignment_wait_ns(analysis_alignment(runner->journal->analysis));
	return r < 0 ? r : rig_sync_samples(rig, t1_ns, err);
}

static struct msg *outcome_row(const struct runner *runner, const struct outcome *o)
{
	struct msg *row = msg_object();

	msg_set_int(row, "ordinal", o->ordinal);
	msg_set_str(row, "arm", runner->plan->arms[o->arm].name);
	msg_set_str(row, "kernel", analysis_arm(runner->journal->analysis, o->arm)->kernel);
	msg_set_str(row, "device", runner->target->devices[o->device].bdf);
	msg_set_str(row, "scenario", scenario_get(runner->plan->scenarios[o->scenario].id)->name);
	msg_set_int(row, "number", o->number);
	msg_set_str(row, "verdict", o->skipped ? "skipped" : verdict_name(o->verdict));
	msg_set_str(row, "sysfs", evidence_sysfs_name(o->evidence.sysfs));
	msg_set_str(row, "acpi", evidence_acpi_name(o->evidence.acpi));
	msg_set_str(row, "rpm", evidence_rpm_name(o->evidence.rpm));
	msg_set_str(row, "meter", evidence_meter_name(o->evidence.meter));
	msg_set_real(row, "power_w", o->window.valid ? o->window.mean_w : NAN);
	msg_set_real(row, "u95_w", o->window.valid ? o->window.u95_w : NAN);
	msg_set_int(row, "readings", (int64_t)o->window.n);
	msg_set_real(row, "to_d3cold_ms", o->to_d3cold_ms);
	msg_set_real(row, "wake_ms", o->wake_ms);
	if (o->unasked_resumes >= 0 && !o->skipped)
		msg_set_int(row, "unasked_resumes", o->unasked_resumes);
	if (o->forbidden_accesses >= 0 && !o->skipped)
		msg_set_int(row, "forbidden_accesses", o->forbidden_accesses);
	msg_set_str(row, "why", o->why[0] ? o->why : NULL);
	return row;
}

static int put_row(const struct runner *runner, const struct outcome *outcome, struct err *err)
{
	struct msg *row = outcome_row(runner, outcome);
	int r = store_put_row(runner->journal->store, "cycle", cycle_columns, row, err);

	msg_free(row);
	return r;
}

int cycle_put_open_rows(const struct runner *runner, struct err *err)
{
	const struct outcome *outcomes;
	size_t n;
	int r = 0;

	outcomes = analysis_outcomes(runner->journal->analysis, &n);
	for (size_t i = analysis_open(runner->journal->analysis); r == 0 && i < n; i++)
		r = put_row(runner, &outcomes[i], err);
	return r < 0 ? r : store_commit(runner->journal->store, err);
}

/* Ends the cycle in the journal; its outcome is on the disk when this returns. */
static int end(struct rig *rig, const struct runner *runner, const char *how, const char *why,
	       struct err *err)
{
	const struct outcome *outcome = NULL;
	struct msg *body;
	int r = rig_take_accesses(rig, err);

	if (r < 0)
		return r;
	body = msg_object();
	msg_set_str(body, "end", how);
	msg_set_str(body, "why", why);
	r = journal_add(runner->journal, "cycle-end", body, &outcome, err);
	if (r < 0)
		return r;
	r = put_row(runner, outcome, err);
	if (r == 0)
		r = store_commit(runner->journal->store, err);
	if (r == 0)
		progress_outcome(runner->progress, runner->plan, runner->target, outcome);
	return r;
}

/* Does the target's list say that the device can have virtual functions? */
static bool has_sriov(const struct rig *rig, const char *bdf)
{
	return msg_get_int(rig_find_device(rig, bdf), "sriov_total", 0) > 0;
}

/* Brings a device back to where a cycle begins, after an action failed half way. */
static int straighten(struct rig *rig, const char *bdf)
{
	static const char *const ops[] = {"close", "vfs", "bind"};
	int r = 0;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]) && !rig_is_lost(r); i++) {
		struct msg *request = rig_request(ops[i], bdf);

		if (strcmp(ops[i], "vfs") == 0)
			msg_set_int(request, "count", 0);
		r = rig_ask(rig, request, NULL, NULL);
	}
	return rig_is_lost(r) ? r : 0;
}

static int run(struct rig *rig, const struct runner *runner, const struct cycle_spec *spec,
	       struct err *err)
{
	const struct plan_scenario *plan = &runner->plan->scenarios[spec->scenario];
	const char *bdf = runner->target->devices[spec->device].bdf;
	struct err why = {""};
	int r = begin(rig, runner, spec, &why);

	if (r == 0 && scenario_get(plan->id)->needs_sriov && !has_sriov(rig, bdf))
		return end(rig, runner, "skipped", "the device has no virtual functions", err);
	if (r == 0)
		r = rig_mark_clock(rig, &why);
	if (r == 0)
		r = act_all(rig, runner, spec, &why);
	if (r == 0)
		r = dwell(rig, runner, spec, &why);
	if (r == 0 && rig_asleep(rig, bdf))
		r = err_set(&why, -ENODEV, "it did not wake: %s", rig_asleep(rig, bdf));
	if (r == 0)
		return end(rig, runner, "done", NULL, err);
	err_set(err, r, "%s", why.text);
	/* The same, told by who wanted to use it. */
	if (r == -EREMOTEIO && rig_asleep(rig, bdf))
		r = -ENODEV;
	if (r == -EREMOTEIO) { /* the target is well, the device is not */
		r = end(rig, runner, "lost", why.text, err);
		return r < 0 ? r : straighten(rig, bdf);
	}
	if (rig_is_lost(r) || r == -ENODEV) {
		int ended = end(rig, runner, "lost", why.text, err);

		return ended < 0 ? ended : err_set(err, r, "%s", why.text);
	}
	return r;
}

int cycle_run(struct rig *rig, const struct runner *runner, const struct cycle_spec *spec,
	      struct err *err)
{
	int r = rig_take_accesses(rig, err); /* what came before is not of this cycle */

	if (r < 0)
		return r;
	runner->journal->cycle = spec->ordinal;
	r = run(rig, runner, spec, err);
	runner->journal->cycle = -1;
	return r;
}
