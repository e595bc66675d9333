/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "runner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "align_run.h"
#include "cycle.h"
#include "level_run.h"
#include "rescue.h"
#include "result.h"
#include "rig.h"

/* A target that comes up this often without finishing a cycle is not coming back. */
#define BARREN_BOOTS_MAX 2

/* The cycles of one arm in the order in which they are run. */
struct position {
	size_t scenario, device;
	unsigned number; /* from 1 */
	int64_t ordinal; /* over the whole plan */
	unsigned in_arm; /* from 1 */
};

static size_t cycles_per_arm(const struct plan *plan, const struct lab_target *target)
{
	size_t n = 0;

	for (size_t s = 0; s < plan->scenarios_n; s++) {
		for (size_t d = 0; d < target->devices_n; d++) {
			if (result_is_planned(&plan->scenarios[s], &target->devices[d]))
				n += plan->scenarios[s].cycles;
		}
	}
	return n;
}

size_t runner_count(const struct plan *plan, const struct lab_target *target)
{
	return plan->arms_n * cycles_per_arm(plan, target);
}

static void first_position(const struct runner *r, size_t arm, struct position *p)
{
	*p = (struct position){
		.number = 1,
		.ordinal = (int64_t)(arm * cycles_per_arm(r->plan, r->target)),
		.in_arm = 1,
	};
}

/* Moves on to a device that the scenario is meant for; false at the end of the arm. */
static bool settle_position(const struct runner *r, struct position *p)
{
	while (p->scenario < r->plan->scenarios_n) {
		if (p->device == r->target->devices_n) {
			p->device = 0;
			p->scenario++;
		} else if (result_is_planned(&r->plan->scenarios[p->scenario],
					     &r->target->devices[p->device])) {
			return true;
		} else {
			p->device++;
		}
	}
	return false;
}

static void next_position(const struct runner *r, struct position *p)
{
	p->ordinal++;
	p->in_arm++;
	if (p->number < r->plan->scenarios[p->scenario].cycles) {
		p->number++;
		return;
	}
	p->number = 1;
	p->device++;
	(void)settle_position(r, p);
}

/* The next cycle of the arm without an outcome. */
static bool skip_finished(const struct runner *r, struct position *p)
{
	while (p->scenario < r->plan->scenarios_n) {
		if (!analysis_is_finished(r->journal->analysis, p->ordinal))
			return true;
		next_position(r, p);
	}
	return false;
}

static int claim_device(struct rig *rig, const struct runner *r, const char *bdf, struct err *err)
{
	static const char *const ops[] = {"claim", "watch", "bind"};
	struct err why = {""};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct msg *answer;
		int code = rig_ask(rig, rig_request(ops[i], bdf), &answer, &why);

		if (code < 0)
			return err_set(err, code, "%s: %s: %s", bdf, ops[i], why.text);
		if (strcmp(ops[i], "watch") == 0) {
			struct msg *body = msg_object();

			msg_set_str(body, "device", bdf);
			msg_set_str(body, "witness", msg_get_str(answer, "witness"));
			msg_set_str(body, "why", msg_get_str(answer, "why"));
			code = journal_add(r->journal, "watch", body, NULL, err);
		}
		msg_free(answer);
		if (code < 0)
			return code;
	}
	return 0;
}

static int prepare(struct rig *rig, const struct runner *r, struct err *err)
{
	int code = rig_mark_clock(rig, err);

	for (size_t d = 0; code == 0 && d < r->target->devices_n; d++) {
		progress_step(r->progress, "%s: binding", r->target->devices[d].bdf);
		code = claim_device(rig, r, r->target->devices[d].bdf, err);
	}
	for (size_t d = 0; code == 0 && d < r->target->devices_n; d++) {
		progress_step(r->progress, "%s: measuring its D0 and D3hot levels",
			      r->target->devices[d].bdf);
		code = level_run(rig, r, (int)d, err);
	}
	if (code == 0)
		code = align_run(rig, r, err);
	if (code == 0)
		code = store_commit(r->journal->store, err);
	return code;
}

/* Runs cycles until the arm is done or the target is lost, with load steps in between and at the end. *finished counts outcomes. */
static int run_cycles(struct rig *rig, const struct runner *r, struct position *p,
		      unsigned *finished, struct err *err)
{
	int64_t aligned_ns = journal_now_ns();
	bool is_open = false; /* cycles were run since the last steps */

	while (skip_finished(r, p)) {
		struct cycle_spec spec = {
			.ordinal = p->ordinal,
			.scenario = (int)p->scenario,
			.device = (int)p->device,
			.number = p->number,
			.in_arm = p->in_arm,
		};
		int code;

		progress_step(r->progress, "%s %s %u on %s", r->plan->arms[r->journal->arm].name,
			      scenario_get(r->plan->scenarios[p->scenario].id)->name, p->number,
			      r->target->devices[p->device].bdf);
		code = cycle_run(rig, r, &spec, err);
		if (analysis_is_finished(r->journal->analysis, p->ordinal))
			(*finished)++;
		is_open = true;
		if (code == 0 && align_is_due(r, aligned_ns)) {
			code = align_run(rig, r, err);
			aligned_ns = journal_now_ns();
			is_open = false;
		}
		if (code < 0)
			return code;
	}
	return is_open ? align_run(rig, r, err) : 0;
}

/* Is the conformance suite wanted in this arm, and not run to an end of whatever kind yet? */
static bool wants_suite(const struct runner *r)
{
	const struct conformance *suite = analysis_suite(r->journal->analysis, r->journal->arm);

	return r->plan->conformance_ns && !suite->ended && !suite->why[0];
}

static int note_lost_target(const struct runner *r, const struct err *why, struct err *err)
{
	struct msg *body = msg_object();

	msg_set_str(body, "why", why->text);
	progress_say(r->progress, "  %s: the target is lost: %s",
		     r->plan->arms[r->journal->arm].name, why->text);
	return journal_add(r->journal, "target-lost", body, NULL, err);
}

/* A target with a crash kernel may tell why it was lost, and then be rebooted by it. */
static int lose_target(struct rig *rig, const struct runner *r, bool *reboots, struct err *err)
{
	const char *arm = r->plan->arms[r->journal->arm].name;
	struct err why = {""};
	int code;

	progress_step(r->progress, "%s: waiting for a crash kernel", arm);
	code = rescue(rig, r->run_dir, arm, reboots, &why, err);
	if (*reboots)
		progress_say(r->progress, "  %s: its kernel panicked; the log is saved", arm);
	else if (*why.text)
		progress_say(r->progress, "  %s: no log of a panic: %s", arm, why.text);
	return code;
}

/*
 * Brings the arm's target up and runs what is left of the arm on it. A target that was lost is one
 * of that code; *reboots is set if it will come up again by itself.
 */
static int boot_and_run(const struct runner *r, struct position *p, unsigned *finished,
			bool *reboots, struct err *err)
{
	struct rig_options options = {
		.lab = r->lab,
		.target = r->target,
		.plan = r->plan,
		.arm = r->journal->arm,
		.run_dir = r->run_dir,
		.target_files = r->target_files,
		.journal = r->journal,
		.progress = r->progress,
	};
	struct rig *rig = NULL;
	int code, stored;

	progress_step(r->progress, "%s: starting kernel %s", r->plan->arms[r->journal->arm].name,
		      r->plan->arms[r->journal->arm].kernel);
	code = rig_up(&options, &rig, err);
	if (code == 0) {
		progress_say(r->progress, "arm %s: Linux %s", r->plan->arms[r->journal->arm].name,
			     analysis_arm(r->journal->analysis, r->journal->arm)->kernel);
		code = prepare(rig, r, err);
	}
	if (code == 0)
		code = run_cycles(rig, r, p, finished, err);
	if (code == 0 && wants_suite(r)) {
		progress_step(r->progress, "%s: conformance suite",
			      r->plan->arms[r->journal->arm].name);
		code = rig_run_suite(rig, err);
	}
	if (rig_is_lost(code)) {
		struct err why = *err;
		int noted = note_lost_target(r, &why, err);

		if (noted == 0 && rig)
			noted = lose_target(rig, r, reboots, err);
		code = noted < 0 ? noted : err_set(err, code, "%s", why.text);
	}
	rig_down(rig);
	/* What came in belongs to the record, also when the arm ended early. */
	stored = store_commit(r->journal->store, code < 0 ? NULL : err);
	return code < 0 ? code : stored;
}

static int run_arm(struct runner *r, size_t arm, struct err *err)
{
	bool is_virtual = strcmp(r->target->transport, "virtual") == 0;
	unsigned barren = 0;
	struct position p;
	int code = 0;

	r->journal->arm = (int)arm;
	first_position(r, arm, &p);
	if (!settle_position(r, &p))
		return 0;
	while (code == 0 && (skip_finished(r, &p) || wants_suite(r))) {
		struct err why = {""};
		unsigned finished = 0;
		bool reboots = false;

		code = boot_and_run(r, &p, &finished, &reboots, &why);
		if (code == 0)
			break;
		*err = why;
		if (!rig_is_lost(code))
			return code;
		code = 0;
		barren = finished ? 0 : barren + 1;
		/* Only a virtual target can be powered off and on from here. */
		if ((!is_virtual && !reboots) || barren >= BARREN_BOOTS_MAX)
			code = err_set(err, -EHOSTDOWN, "target %s: %s", r->target->name, why.text);
	}
	return code;
}

int runner_run(struct runner *runner, struct err *err)
{
	int code = 0;

	for (size_t arm = 0; code == 0 && arm < runner->plan->arms_n; arm++)
		code = run_arm(runner, arm, err);
	runner->journal->arm = -1;
	return code;
}
