/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "runner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "align_run.h"
#include "cycle.h"
#include "level_run.h"
#include "recover.h"
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

static bool is_left_out(const struct runner *r, size_t device)
{
	return incidents_find_left_out(analysis_incidents(r->journal->analysis), r->journal->arm,
				       (int)device) != NULL;
}

/* The next cycle of the arm without an outcome, on a device that is not left out. */
static bool skip_finished(const struct runner *r, struct position *p)
{
	while (p->scenario < r->plan->scenarios_n) {
		if (!analysis_is_finished(r->journal->analysis, p->ordinal) &&
		    !is_left_out(r, p->device))
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

static int note_left_out(const struct runner *r, size_t device, const char *why, struct err *err)
{
	const char *bdf = r->target->devices[device].bdf;
	unsigned losses = analysis_losses(r->journal->analysis, r->journal->arm, (int)device);
	struct msg *body = msg_object();
	char words[64];

	snprintf(words, sizeof(words), "it was lost %u times", losses);
	progress_say(r->progress, "  %s: %s is left out from here on: %s",
		     r->plan->arms[r->journal->arm].name, bdf, why ? why : words);
	msg_set_str(body, "device", bdf);
	msg_set_int(body, "losses", losses);
	msg_set_str(body, "why", why);
	return journal_add(r->journal, "left-out", body, NULL, err);
}

/*
 * One that is missing is left out. So is one that is refused after a recovery: it was taken before, so
 * that the set-up is right. Refused at first, it is wrong.
 */
static int claim_or_leave_out(struct rig *rig, const struct runner *r, size_t device,
			      bool is_recovered, struct err *err)
{
	const char *bdf = r->target->devices[device].bdf;
	bool is_there = rig_find_device(rig, bdf);
	struct err why = {"it is not on the target"};
	int code = is_there ? claim_device(rig, r, bdf, &why) : 0;

	if (!is_there || (code == -EREMOTEIO && is_recovered))
		return note_left_out(r, device, why.text, err);
	return code < 0 ? err_set(err, code, "%s", why.text) : 0;
}

static int check_any(const struct rig *rig, const struct runner *r, struct err *err)
{
	for (size_t d = 0; d < r->target->devices_n; d++) {
		if (rig_find_device(rig, r->target->devices[d].bdf))
			return 0;
	}
	return err_set(err, -ENXIO,
		       "target %s: none of its devices in the lab file is there, such as %s: "
		       "'lspci -D' shows what is",
		       r->target->name, r->target->devices[0].bdf);
}

static int prepare(struct rig *rig, const struct runner *r, bool is_recovered, struct err *err)
{
	int code = rig_mark_clock(rig, err);

	if (code == 0 && !is_recovered)
		code = check_any(rig, r, err);
	for (size_t d = 0; code == 0 && d < r->target->devices_n; d++) {
		if (is_left_out(r, d))
			continue;
		progress_step(r->progress, "%s: binding", r->target->devices[d].bdf);
		code = claim_or_leave_out(rig, r, d, is_recovered, err);
	}
	for (size_t d = 0; code == 0 && d < r->target->devices_n; d++) {
		if (is_left_out(r, d))
			continue;
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

/* A device that has been lost often enough is not tried again in this arm. */
static int leave_out(const struct runner *r, size_t device, struct err *err)
{
	unsigned losses = analysis_losses(r->journal->analysis, r->journal->arm, (int)device);

	if (!r->plan->recovery.losses || losses < r->plan->recovery.losses ||
	    is_left_out(r, device))
		return 0;
	return note_left_out(r, device, NULL, err);
}

/* Runs cycles until the arm is done or the target is lost, with load steps in between and at the
 * end. *finished counts outcomes. */
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
		if (analysis_is_finished(r->journal->analysis, p->ordinal)) {
			int left = leave_out(r, p->device, err);

			(*finished)++;
			code = left < 0 ? left : code;
		}
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

/* What is left of the arm on a target that is up, up to its end or the loss of the target. */
static int run_rest(struct rig *rig, const struct runner *r, struct position *p, bool is_recovered,
		    unsigned *finished, struct err *err)
{
	int code = prepare(rig, r, is_recovered, err);

	if (code == 0)
		code = run_cycles(rig, r, p, finished, err);
	if (code == 0 && wants_suite(r)) {
		progress_step(r->progress, "%s: conformance suite",
			      r->plan->arms[r->journal->arm].name);
		code = rig_run_suite(rig, err);
	}
	return code;
}

static bool needs_recovery(int code)
{
	return rig_is_lost(code) || code == -ENODEV;
}

/*
 * Brings a target back that was lost; *why is what was said of the loss. Until it is back all that
 * happens is of the cycle in which it was lost.
 */
static int bring_back(struct rig *rig, const struct runner *r, const struct position *p, int code,
		      const struct err *why, struct err *err)
{
	enum recovery_symptom symptom = code == -ENODEV ? RECOVERY_ASLEEP : rig_symptom(rig, code);
	int back;

	if (analysis_is_finished(r->journal->analysis, p->ordinal))
		r->journal->cycle = p->ordinal;
	back = code == -ENODEV ? 0 : note_lost_target(r, why, err);
	if (back == 0)
		back = recover(rig, r, symptom, err);
	r->journal->cycle = -1;
	return back;
}

/* Runs the rest of the arm on a target that came up, as often as it takes. */
static int run_on(struct rig *rig, const struct runner *r, struct position *p, unsigned *finished,
		  struct err *err)
{
	unsigned barren = 0;
	int code = run_rest(rig, r, p, false, finished, err);

	while (needs_recovery(code)) {
		unsigned before = *finished;
		struct err why = *err;
		int back = bring_back(rig, r, p, code, &why, err);

		if (back < 0)
			return back == -EHOSTDOWN
				       ? err_set(err, back, "%s; %s", why.text, err->text)
				       : back;
		code = run_rest(rig, r, p, true, finished, err);
		barren = *finished > before ? 0 : barren + 1;
		if (needs_recovery(code) && barren >= BARREN_BOOTS_MAX)
			return err_set(err, -EHOSTDOWN, "%s", why.text);
	}
	return code;
}

/* Brings the arm's target up and runs what is left of the arm on it. -EHOSTDOWN, or a code of a lost
 * target: it did not come up, or not again. */
static int boot_and_run(const struct runner *r, struct position *p, unsigned *finished,
			struct err *err)
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
		code = run_on(rig, r, p, finished, err);
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

		code = boot_and_run(r, &p, &finished, &why);
		if (code == 0)
			break;
		*err = why;
		if (!rig_is_lost(code) && code != -EHOSTDOWN)
			return code;
		code = rig_is_lost(code) ? note_lost_target(r, &why, err) : 0;
		if (code < 0)
			return code;
		barren = finished ? 0 : barren + 1;
		/* The last resort is a machine that is new; only a virtual one can be. */
		if (!is_virtual || barren >= BARREN_BOOTS_MAX)
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
