/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis_incidents.h"
#include "cycle_facts.h"
#include "judge.h"
#include "level_log.h"
#include "notes.h"
#include "readings.h"

/* A cycle since the last steps: judged again with the next ones. */
struct open_cycle {
	int segment, arm;
	size_t outcome; /* index */
	struct cycle_facts facts;
};

struct analysis {
	const struct lab *lab;
	const struct lab_target *target;
	const struct plan *plan;
	struct store *store;
	struct analysis_arm *arms;
	struct conformance *suites; /* per arm */
	struct level_log levels;
	struct readings readings;
	bool *watched;	       /* per device: a witness of its resumes is at work */
	bool accesses_watched; /* in the present boot */
	bool is_aligned; /* steps were looked for since the last cycle: what is open is not any more */
	struct cycle_facts now;
	struct open_cycle *open_cycles;
	size_t open_cycles_n;
	struct outcome *outcomes;
	size_t outcomes_n;
	struct notes notes;
	struct incidents incidents;
};

int analysis_new(const struct lab *lab, const struct lab_target *target, const struct plan *plan,
		 struct store *store, struct analysis **out)
{
	struct analysis *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->lab = lab;
	a->target = target;
	a->plan = plan;
	a->store = store;
	a->arms = calloc(plan->arms_n, sizeof(*a->arms));
	a->suites = calloc(plan->arms_n, sizeof(*a->suites));
	a->watched = calloc(target->devices_n, sizeof(*a->watched));
	if (!a->arms || !a->suites || !a->watched || level_log_init(&a->levels, plan, target) < 0 ||
	    readings_init(&a->readings, lab, target, plan, store) < 0) {
		analysis_free(a);
		return -ENOMEM;
	}
	*out = a;
	return 0;
}

void analysis_free(struct analysis *analysis)
{
	if (!analysis)
		return;
	for (size_t i = 0; i < analysis->outcomes_n; i++)
		outcome_free(&analysis->outcomes[i]);
	free(analysis->outcomes);
	notes_free(&analysis->notes);
	incidents_free(&analysis->incidents);
	free(analysis->open_cycles);
	cycle_facts_free(&analysis->now);
	free(analysis->watched);
	readings_free(&analysis->readings);
	level_log_free(&analysis->levels);
	for (size_t i = 0; analysis->suites && i < analysis->plan->arms_n; i++)
		conformance_free(&analysis->suites[i]);
	free(analysis->suites);
	for (size_t i = 0; analysis->arms && i < analysis->plan->arms_n; i++)
		msg_free(analysis->arms[i].kexec);
	free(analysis->arms);
	free(analysis);
}

static int bad(const struct store_entry *entry, struct err *err)
{
	return err_set(err, -EBADMSG, "journal entry %lld (%s) makes no sense",
		       (long long)entry->seq, entry->kind);
}

/* The return of one that takes an entry, with words where the entry makes no sense to it. */
static int taken(const struct store_entry *entry, int r, struct err *err)
{
	return r == -EBADMSG ? bad(entry, err) : r;
}

static int find_device(const struct analysis *a, const struct msg *body)
{
	const char *bdf = msg_get_str(body, "device");
	const struct lab_device *device = bdf ? lab_find_device(a->target, bdf) : NULL;

	return device ? (int)(device - a->target->devices) : -1;
}

/* Entries that set the scene. */

/* What was measured so far is not read again. */
static void close_all(struct analysis *a)
{
	level_log_close(&a->levels);
	a->open_cycles_n = 0;
}

static int take_arm_up(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const struct msg *hello = msg_get(entry->body, "hello");
	struct analysis_arm *arm = &a->arms[entry->arm];
	const char *release = msg_get_str(hello, "release");
	const char *version = msg_get_str(hello, "version");
	const char *agent = msg_get_str(hello, "agent");

	if (!release)
		return bad(entry, err);
	snprintf(arm->kernel, sizeof(arm->kernel), "%s", release);
	snprintf(arm->version, sizeof(arm->version), "%s", version ? version : "");
	snprintf(arm->agent, sizeof(arm->agent), "%s", agent ? agent : "");
	msg_free(arm->kexec);
	arm->kexec = msg_get(entry->body, "kexec") ? msg_copy(msg_get(entry->body, "kexec")) : NULL;
	arm->boots++;
	a->accesses_watched = msg_get_bool(entry->body, "accesses_watched", false);
	readings_begin_boot(&a->readings, entry->arm);
	close_all(a);
	memset(a->watched, 0, a->target->devices_n * sizeof(*a->watched));
	return 0;
}

static int take_clock(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	return taken(entry, readings_take_clock(&a->readings, entry), err);
}

static int take_watch(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	int device = find_device(a, entry->body);
	struct result_levels *levels;
	const char *witness;

	if (device < 0)
		return bad(entry, err);
	witness = msg_get_str(entry->body, "witness");
	a->watched[device] = witness != NULL;
	levels = level_log_of(&a->levels, entry->arm, device);
	levels->rpm_witness = !witness ? NULL : strcmp(witness, "poll") == 0 ? "poll" : "tracefs";
	return 0;
}

static int take_level(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	int device = find_device(a, entry->body);

	if (device < 0 || !msg_get_str(entry->body, "state"))
		return bad(entry, err);
	return level_log_take(&a->levels, entry, device, &a->readings, err);
}

/* Entries that a reader should know of. */

static int take_meter(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *event = msg_get_str(entry->body, "event");
	const char *name = msg_get_str(entry->body, "meter");
	int r = 0;

	if (!event || !name)
		return bad(entry, err);
	for (size_t i = 0; r == 0 && i < a->lab->meters_n; i++) {
		if (strcmp(a->lab->meters[i].name, name) == 0)
			r = gaps_take(&a->readings.gaps, entry, i);
	}
	return r < 0 || strcmp(event, "lost") != 0 ? r
						   : notes_add_lost_meter(&a->notes, entry, name);
}

static int take_target_lost(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	return notes_add(&a->notes, entry, "lost target", a->target->name,
			 msg_get_str(entry->body, "why"));
}

static int take_restored(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	if (msg_get_bool(entry->body, "ok", false))
		return 0;
	return notes_add(&a->notes, entry, "not put back as it was: target", a->target->name,
			 msg_get_str(entry->body, "why"));
}

static int take_panic(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *file = msg_get_str(entry->body, "file");
	char text[128];

	if (!file)
		return bad(entry, err);
	snprintf(text, sizeof(text), "its kernel panicked; %.64s has its log", file);
	return notes_add(&a->notes, entry, "panic of target", a->target->name, text);
}

static int take_level_failed(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	return notes_add(&a->notes, entry, "no levels of", msg_get_str(entry->body, "device"),
			 msg_get_str(entry->body, "why"));
}

/* Entries of a cycle. */

static int take_cycle_begin(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	if (a->is_aligned) /* not earlier: steps may be looked for again, in more readings */
		close_all(a);
	a->is_aligned = false;
	return taken(entry,
		     cycle_facts_begin(&a->now, entry, find_device(a, entry->body),
				       a->plan->scenarios_n),
		     err);
}

static int take_action(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	cycle_facts_take_action(&a->now, entry);
	return 0;
}

static int take_state(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	return taken(entry, cycle_facts_take_state(&a->now, entry), err);
}

static int take_window(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	return taken(entry, cycle_facts_take_window(&a->now, entry), err);
}

static int take_rpm(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	return taken(entry, cycle_facts_take_rpm(&a->now, entry, a->target), err);
}

/* It counts for the cycle in which it was made, whichever device that is about. */
static int take_forbidden(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	int64_t times = 0;
	int r = notes_take_forbidden(&a->notes, entry, &times);

	if (r == 0 && a->now.running && entry->cycle == a->now.ordinal)
		a->now.forbidden += times;
	return taken(entry, r, err);
}

/* Keeps what the cycle is to be judged by again. */
static int keep_open(struct analysis *a, const struct store_entry *entry)
{
	struct open_cycle *grown = realloc(a->open_cycles, (a->open_cycles_n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	a->open_cycles = grown;
	a->open_cycles[a->open_cycles_n] = (struct open_cycle){
		.segment = entry->segment,
		.arm = entry->arm,
		.outcome = a->outcomes_n - 1,
		.facts = a->now,
	};
	a->open_cycles[a->open_cycles_n++].facts.rpm = NULL;
	return 0;
}

static int take_cycle_end(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *end = msg_get_str(entry->body, "end");
	const char *why = msg_get_str(entry->body, "why");
	struct outcome o = {
		.ordinal = a->now.ordinal,
		.arm = entry->arm,
		.scenario = a->now.scenario,
		.device = a->now.device,
		.number = a->now.number,
	};
	struct outcome *grown;
	int r;

	if (!a->now.running || entry->cycle != a->now.ordinal || !end)
		return bad(entry, err);
	a->now.running = false;
	o.skipped = strcmp(end, "skipped") == 0;
	o.evidence.presence = strcmp(end, "lost") == 0 ? PRESENCE_LOST : PRESENCE_THERE;
	o.unasked_resumes = a->watched[o.device] ? cycle_facts_unasked(&a->now) : -1;
	o.forbidden_accesses = a->accesses_watched ? (long)a->now.forbidden : -1;
	snprintf(o.why, sizeof(o.why), "%s", why ? why : "");
	o.wake_ms = cycle_facts_wake_ms(&a->now, &o.wake_why);
	r = judge_cycle(&a->readings, level_log_of(&a->levels, o.arm, o.device), entry->segment,
			&a->now, &o, err);
	if (r < 0)
		return r;
	grown = realloc(a->outcomes, (a->outcomes_n + 1) * sizeof(*grown));
	if (!grown) {
		outcome_free(&o);
		return -ENOMEM;
	}
	a->outcomes = grown;
	a->outcomes[a->outcomes_n++] = o;
	return keep_open(a, entry);
}

/* Entries of load steps. */

static int take_stimulus(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	alignment_begin_steps(a->readings.alignment, msg_get_bool(entry->body, "again", false));
	return 0;
}

static int take_step(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	return taken(entry, alignment_take_step(a->readings.alignment, entry->body), err);
}

static int take_step_failed(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	alignment_take_failure(a->readings.alignment);
	return notes_add(&a->notes, entry, "no load steps of", msg_get_str(entry->body, "device"),
			 msg_get_str(entry->body, "why"));
}

/* What was read since the steps before is read again: now the lag is known on both sides. */
static int take_align(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	int64_t until_ns = msg_get_int(entry->body, "until_ns", -1);
	int r = until_ns < 0
			? bad(entry, err)
			: alignment_find(a->readings.alignment, a->store, entry->segment,
					 a->readings.marks, a->readings.marks_n, until_ns, err);

	if (r == 0)
		r = level_log_read_again(&a->levels, &a->readings, err);
	for (size_t i = 0; r == 0 && i < a->open_cycles_n; i++) {
		const struct open_cycle *open = &a->open_cycles[i];

		r = judge_cycle(&a->readings,
				level_log_of(&a->levels, open->arm, open->facts.device),
				open->segment, &open->facts, &a->outcomes[open->outcome], err);
	}
	a->is_aligned = true;
	return r;
}

static int take_suite_begin(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	conformance_begin(&a->suites[entry->arm]);
	return 0;
}

static int take_suite(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *line = msg_get_str(entry->body, "line");

	return line ? conformance_take(&a->suites[entry->arm], line) : bad(entry, err);
}

static int take_suite_end(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	conformance_end(&a->suites[entry->arm], (int)msg_get_int(entry->body, "status", -1),
			msg_get_str(entry->body, "why"));
	return 0;
}

static int take_incident(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	return taken(entry, analysis_take_incident(&a->incidents, a->target, entry), err);
}

static const struct {
	const char *kind;
	int (*take)(struct analysis *a, const struct store_entry *entry, struct err *err);
} takers[] = {
	{"arm-up", take_arm_up},
	{"clock", take_clock},
	{"watch", take_watch},
	{"level", take_level},
	{"stimulus", take_stimulus},
	{"step", take_step},
	{"step-failed", take_step_failed},
	{"align", take_align},
	{"cycle-begin", take_cycle_begin},
	{"action", take_action},
	{"state", take_state},
	{"window", take_window},
	{"rpm", take_rpm},
	{"forbidden", take_forbidden},
	{"cycle-end", take_cycle_end},
	{"suite-begin", take_suite_begin},
	{"suite", take_suite},
	{"suite-end", take_suite_end},
	{"meter", take_meter},
	{"target-lost", take_target_lost},
	{"restored", take_restored},
	{"panic", take_panic},
	{"level-failed", take_level_failed},
	{"console", take_incident},
	{"recovery", take_incident},
	{"left-out", take_incident},
};

/* Kinds that are not listed are for people only. */
int analysis_feed(struct analysis *analysis, const struct store_entry *entry,
		  const struct outcome **finished, struct err *err)
{
	size_t before = analysis->outcomes_n;
	int r = 0;

	if (entry->arm < 0 || entry->arm >= (int)analysis->plan->arms_n)
		return bad(entry, err);
	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		if (strcmp(entry->kind, takers[i].kind) == 0) {
			r = takers[i].take(analysis, entry, err);
			break;
		}
	}
	if (finished)
		*finished = analysis->outcomes_n > before ? &analysis->outcomes[before] : NULL;
	return r;
}

static int feed_one(void *context, const struct store_entry *entry)
{
	void **pair = context;

	return analysis_feed(pair[0], entry, NULL, pair[1]);
}

int analysis_feed_all(struct analysis *analysis, struct err *err)
{
	void *pair[2] = {analysis, err};

	return store_each_entry(analysis->store, feed_one, pair, err);
}

bool analysis_is_finished(const struct analysis *analysis, int64_t ordinal)
{
	for (size_t i = 0; i < analysis->outcomes_n; i++) {
		if (analysis->outcomes[i].ordinal == ordinal)
			return true;
	}
	return false;
}

const struct result_levels *analysis_levels(const struct analysis *analysis, int arm, int device)
{
	return level_log_of(&analysis->levels, arm, device);
}

const struct analysis_arm *analysis_arm(const struct analysis *analysis, int arm)
{
	return &analysis->arms[arm];
}

const struct conformance *analysis_suite(const struct analysis *analysis, int arm)
{
	return &analysis->suites[arm];
}

size_t analysis_open(const struct analysis *analysis)
{
	return analysis->open_cycles_n ? analysis->open_cycles[0].outcome : analysis->outcomes_n;
}

const struct alignment *analysis_alignment(const struct analysis *analysis)
{
	return analysis->readings.alignment;
}

const struct outcome *analysis_outcomes(const struct analysis *analysis, size_t *n)
{
	*n = analysis->outcomes_n;
	return analysis->outcomes;
}

const struct outcome_note *analysis_notes(const struct analysis *analysis, size_t *n)
{
	*n = analysis->notes.n;
	return analysis->notes.all;
}

const struct incidents *analysis_incidents(const struct analysis *analysis)
{
	return &analysis->incidents;
}

unsigned analysis_losses(const struct analysis *analysis, int arm, int device)
{
	unsigned n = 0;

	for (size_t i = 0; i < analysis->outcomes_n; i++) {
		const struct outcome *o = &analysis->outcomes[i];

		n += o->arm == arm && o->device == device && !o->skipped &&
		     o->verdict == VERDICT_LOST;
	}
	return n;
}

int analysis_result(const struct analysis *analysis, struct result **out)
{
	return result_from(analysis->lab, analysis->target, analysis->plan, analysis->levels.all,
			   analysis->suites, analysis->outcomes, analysis->outcomes_n, out);
}
