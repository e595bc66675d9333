/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alignment.h"
#include "analysis_incidents.h"
#include "clock.h"
#include "gaps.h"
#include "pmstate.h"
#include "series.h"
#include "wiring.h"

/* Readings this long before a cycle are loaded too, so that an edge at its start has a before. */
#define SERIES_LEAD_NS 1000000000

/* What the state witnesses said at one moment. */
struct state_word {
	bool known; /* was read at all */
	enum evidence_sysfs sysfs;
	enum evidence_acpi acpi;
	enum evidence_rpm rpm;
};

struct rpm_event {
	int64_t t_ns;	  /* target's clock */
	int64_t error_ns; /* a poll sees it up to so much later; 0 from a trace */
	bool is_resume, is_resumed;
};

/* The cycle that is going on. */
struct current {
	bool running;
	int64_t ordinal;
	int scenario, device;
	unsigned number;
	int64_t begin_ns;
	size_t actions_n;
	int64_t asked_from_ns,
		asked_to_ns; /* first action's begin, last action's end; target's clock */
	struct state_word at_begin, at_end;
	bool has_window;
	int64_t window_from_ns, window_to_ns;
	struct rpm_event *rpm;
	size_t rpm_n;
	int64_t forbidden; /* accesses to devices without power */
};

/* A level as it was measured: read again when it is known how late its meters are. */
struct level_window {
	int segment, arm, device;
	bool is_d0;
	int64_t from_ns, to_ns;
};

/* A cycle since the last steps: judged again with the next ones. */
struct open_cycle {
	int segment, arm;
	size_t outcome; /* index */
	struct current cycle;
};

/* A device that was accessed without power, in an arm. */
struct touched {
	int arm;
	char device[BDF_TEXT_SIZE];
	char first[80]; /* what the first access was */
	int64_t times;
	size_t note; /* index into notes */
};

struct analysis {
	const struct lab *lab;
	const struct lab_target *target;
	const struct plan *plan;
	struct store *store;
	struct analysis_arm *arms;
	struct conformance *suites;   /* per arm */
	struct result_levels *levels; /* arm * devices_n + device */
	bool *watched;		      /* per device: a witness of its resumes is at work */
	struct clock_mark *marks;     /* of the present boot */
	size_t marks_n;
	struct alignment *alignment;
	bool is_aligned; /* steps were looked for since the last cycle: what is open is not any more */
	struct level_window *open_levels;
	size_t open_levels_n;
	struct open_cycle *open_cycles;
	size_t open_cycles_n;
	struct current now;
	struct outcome *outcomes;
	size_t outcomes_n;
	struct outcome_note *notes;
	size_t notes_n;
	bool accesses_watched; /* in the present boot */
	struct touched *touched;
	size_t touched_n;
	struct incidents incidents;
	struct gaps gaps;
};

int analysis_new(const struct lab *lab, const struct lab_target *target, const struct plan *plan,
		 struct store *store, struct analysis **out)
{
	struct analysis *a = calloc(1, sizeof(*a));
	size_t levels_n = plan->arms_n * target->devices_n;

	if (!a)
		return -ENOMEM;
	a->lab = lab;
	a->target = target;
	a->plan = plan;
	a->store = store;
	a->arms = calloc(plan->arms_n, sizeof(*a->arms));
	a->levels = calloc(levels_n, sizeof(*a->levels));
	a->suites = calloc(plan->arms_n, sizeof(*a->suites));
	a->watched = calloc(target->devices_n, sizeof(*a->watched));
	if (!a->arms || !a->suites || !a->levels || !a->watched ||
	    alignment_new(lab, target, plan, &a->alignment) < 0) {
		analysis_free(a);
		return -ENOMEM;
	}
	for (size_t i = 0; i < levels_n; i++)
		a->levels[i].d0.why = a->levels[i].d3hot.why = "its level was not measured";
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
	free(analysis->notes);
	free(analysis->touched);
	incidents_free(&analysis->incidents);
	alignment_free(analysis->alignment);
	free(analysis->open_levels);
	free(analysis->open_cycles);
	gaps_free(&analysis->gaps);
	free(analysis->now.rpm);
	free(analysis->marks);
	free(analysis->watched);
	free(analysis->levels);
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

static int find_device(const struct analysis *a, const struct msg *body)
{
	const char *bdf = msg_get_str(body, "device");
	const struct lab_device *device = bdf ? lab_find_device(a->target, bdf) : NULL;

	return device ? (int)(device - a->target->devices) : -1;
}

/* Witnesses' words. */

static enum evidence_sysfs sysfs_word(enum pm_state state, enum pm_status status)
{
	switch (state) {
	case PM_STATE_D3COLD:
		/* A device that is in use cannot be in D3cold: one of the two words is wrong. */
		return status == PM_STATUS_ACTIVE ? SYSFS_NONE : SYSFS_D3COLD;
	case PM_STATE_D3HOT:
		return SYSFS_D3HOT;
	case PM_STATE_D0:
	case PM_STATE_D1:
	case PM_STATE_D2:
		return SYSFS_ACTIVE;
	default:
		return status == PM_STATUS_ACTIVE ? SYSFS_ACTIVE : SYSFS_NONE;
	}
}

static enum evidence_acpi acpi_word(const struct msg *state)
{
	const char *word = msg_get_str(msg_get(state, "port"), "acpi");

	if (!word)
		word = msg_get_str(state, "acpi");
	if (!word)
		return ACPI_NONE;
	switch (pm_state_parse(word)) {
	case PM_STATE_UNKNOWN: /* the kernel's "(unknown)" */
		return ACPI_NONE;
	case PM_STATE_D3COLD:
		return ACPI_D3COLD;
	default:
		return ACPI_ON;
	}
}

static enum evidence_rpm rpm_word(enum pm_status status)
{
	switch (status) {
	case PM_STATUS_SUSPENDED:
		return RPM_SUSPENDED;
	case PM_STATUS_ACTIVE:
	case PM_STATUS_RESUMING:
	case PM_STATUS_SUSPENDING:
		return RPM_ACTIVE;
	default:
		return RPM_NONE;
	}
}

static struct state_word state_word(const struct msg *state)
{
	enum pm_state power_state = pm_state_parse(msg_get_str(state, "power_state"));
	enum pm_status status = pm_status_parse(msg_get_str(state, "runtime_status"));

	return (struct state_word){
		.known = !msg_is_null(state),
		.sysfs = sysfs_word(power_state, status),
		.acpi = acpi_word(state),
		.rpm = rpm_word(status),
	};
}

/* Of two words the one that claims less; nothing is said where one of them is missing. */
static struct state_word weaker(const struct state_word *a, const struct state_word *b)
{
	struct state_word w = {.known = a->known && b->known};

	if (a->sysfs && b->sysfs)
		w.sysfs = a->sysfs > b->sysfs ? a->sysfs : b->sysfs;
	if (a->acpi && b->acpi)
		w.acpi = a->acpi > b->acpi ? a->acpi : b->acpi;
	if (a->rpm && b->rpm)
		w.rpm = a->rpm > b->rpm ? a->rpm : b->rpm;
	return w;
}

/* Entries that set the scene. */

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
	a->marks_n = 0; /* the target's clock began anew */
	a->open_levels_n = a->open_cycles_n = 0;
	alignment_begin_boot(a->alignment, entry->arm);
	memset(a->watched, 0, a->target->devices_n * sizeof(*a->watched));
	return 0;
}

static int take_clock(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	struct clock_mark mark = {
		.controller_ns = msg_get_int(entry->body, "controller_ns", -1),
		.target_ns = msg_get_int(entry->body, "target_ns", -1),
		.error_ns = msg_get_int(entry->body, "error_ns", -1),
	};
	struct clock_mark *grown;

	if (mark.controller_ns < 0 || mark.target_ns < 0 || mark.error_ns < 0 ||
	    (a->marks_n && mark.target_ns <= a->marks[a->marks_n - 1].target_ns))
		return bad(entry, err);
	grown = realloc(a->marks, (a->marks_n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	a->marks = grown;
	a->marks[a->marks_n++] = mark;
	return 0;
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
	levels = &a->levels[(size_t)entry->arm * a->target->devices_n + (size_t)device];
	levels->rpm_witness = !witness ? NULL : strcmp(witness, "poll") == 0 ? "poll" : "tracefs";
	return 0;
}

static int load_window(struct analysis *a, int segment, int device, int64_t from_ns, int64_t to_ns,
		       struct series *series, double **power_w, size_t *n, struct level *level,
		       double *offset_w, int64_t lead_ns, struct err *err)
{
	const struct series_gaps gaps = {a->gaps.all, a->gaps.n};
	const struct lab_device *dev = &a->target->devices[device];
	struct lab_accuracy accuracy = wiring_accuracy(a->lab, dev);
	struct stats_mean stats;
	int r = series_load(a->store, segment, a->lab, a->target, dev, &gaps,
			    alignment_marks(a->alignment), from_ns - lead_ns, to_ns, series, err);

	if (r < 0)
		return r;
	r = series_cut(series, from_ns, to_ns, power_w, n, offset_w);
	if (r < 0) {
		series_free(series);
		return r;
	}
	stats = stats_mean(*power_w, *n);
	accuracy.offset_w += *offset_w;
	*level = level_from(&stats, &accuracy);
	/* With a gap in it the rest is no measurement of the window, nor of anything else. */
	if (isnan(stats.mean))
		*n = 0;
	return 0;
}

static int read_level(struct analysis *a, const struct level_window *w, struct err *err)
{
	struct result_levels *levels =
		&a->levels[(size_t)w->arm * a->target->devices_n + (size_t)w->device];
	struct result_power *power = w->is_d0 ? &levels->d0 : &levels->d3hot;
	struct series series;
	double *x, offset_w;
	size_t n;
	int r = load_window(a, w->segment, w->device, w->from_ns, w->to_ns, &series, &x, &n,
			    &power->level, &offset_w, 0, err);

	if (r < 0)
		return r;
	power->why = power->level.valid ? NULL : "no usable samples";
	free(x);
	series_free(&series);
	return 0;
}

static int take_level(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *state = msg_get_str(entry->body, "state");
	struct state_word begin = state_word(msg_get(entry->body, "begin"));
	struct state_word end = state_word(msg_get(entry->body, "end"));
	struct state_word word = weaker(&begin, &end);
	struct level_window *grown, w = {
					    .segment = entry->segment,
					    .arm = entry->arm,
					    .device = find_device(a, entry->body),
					    .is_d0 = state && strcmp(state, "D0") == 0,
					    .from_ns = msg_get_int(entry->body, "t0_ns", -1),
					    .to_ns = msg_get_int(entry->body, "t1_ns", -1),
				    };
	struct result_levels *levels;

	if (w.device < 0 || !state)
		return bad(entry, err);
	levels = &a->levels[(size_t)w.arm * a->target->devices_n + (size_t)w.device];
	*(w.is_d0 ? &levels->d0 : &levels->d3hot) =
		(struct result_power){.why = "the device could not be brought to this state"};
	if (w.from_ns < 0 || word.sysfs != (w.is_d0 ? SYSFS_ACTIVE : SYSFS_D3HOT))
		return 0;
	grown = realloc(a->open_levels, (a->open_levels_n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	a->open_levels = grown;
	a->open_levels[a->open_levels_n++] = w;
	return read_level(a, &w, err);
}

/* Entries that a reader should know of. */

static int add_note(struct analysis *a, const struct store_entry *entry, const char *what,
		    const char *name, const char *text)
{
	struct outcome_note *grown = realloc(a->notes, (a->notes_n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	a->notes = grown;
	grown[a->notes_n].arm = entry->arm;
	snprintf(grown[a->notes_n].text, sizeof(grown->text), "%s%s%s: %s", what, name ? " " : "",
		 name ? name : "", text ? text : "no reason given");
	a->notes_n++;
	return 0;
}

static struct outcome_note *find_note(struct analysis *a, int arm, const char *begin)
{
	for (size_t i = 0; i < a->notes_n; i++) {
		if (a->notes[i].arm == arm && strncmp(a->notes[i].text, begin, strlen(begin)) == 0)
			return &a->notes[i];
	}
	return NULL;
}

/* One note for a meter in an arm, however often it is lost. */
static int note_meter_lost(struct analysis *a, const struct store_entry *entry, const char *meter)
{
	char begin[100];

	snprintf(begin, sizeof(begin), "lost meter %s:", meter);
	if (find_note(a, entry->arm, begin))
		return 0;
	return add_note(a, entry, "lost meter", meter, msg_get_str(entry->body, "text"));
}

static int take_meter(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *event = msg_get_str(entry->body, "event");
	const char *name = msg_get_str(entry->body, "meter");
	int r = 0;

	if (!event || !name)
		return bad(entry, err);
	for (size_t i = 0; r == 0 && i < a->lab->meters_n; i++) {
		if (strcmp(a->lab->meters[i].name, name) == 0)
			r = gaps_take(&a->gaps, entry, i);
	}
	return r < 0 || strcmp(event, "lost") != 0 ? r : note_meter_lost(a, entry, name);
}

static int take_target_lost(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	return add_note(a, entry, "lost target", a->target->name, msg_get_str(entry->body, "why"));
}

static int take_panic(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *file = msg_get_str(entry->body, "file");
	char text[128];

	if (!file)
		return bad(entry, err);
	snprintf(text, sizeof(text), "its kernel panicked; %.64s has its log", file);
	return add_note(a, entry, "panic of target", a->target->name, text);
}

static int take_level_failed(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	return add_note(a, entry, "no levels of", msg_get_str(entry->body, "device"),
			msg_get_str(entry->body, "why"));
}

/* Entries of a cycle. */

static int take_cycle_begin(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	struct current *c = &a->now;
	struct rpm_event *rpm = c->rpm; /* its memory is used again */
	int64_t scenario = msg_get_int(entry->body, "scenario_index", -1);

	*c = (struct current){
		.running = true,
		.ordinal = entry->cycle,
		.scenario = (int)scenario,
		.device = find_device(a, entry->body),
		.number = (unsigned)msg_get_int(entry->body, "number", 0),
		.begin_ns = entry->t_ns,
		.rpm = rpm,
	};
	if (a->is_aligned) /* not earlier: steps may be looked for again, in more readings */
		a->open_levels_n = a->open_cycles_n = 0;
	a->is_aligned = false;
	if (scenario < 0 || scenario >= (int64_t)a->plan->scenarios_n || c->device < 0 ||
	    c->ordinal < 0)
		return bad(entry, err);
	return 0;
}

static int take_action(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	int64_t t0_ns = msg_get_int(entry->body, "t0_ns", -1);
	int64_t t1_ns = msg_get_int(entry->body, "t1_ns", -1);

	(void)err;
	if (t0_ns < 0 || t1_ns < 0) /* a hold, or refused before it began */
		return 0;
	if (a->now.actions_n++ == 0)
		a->now.asked_from_ns = t0_ns;
	a->now.asked_to_ns = t1_ns;
	return 0;
}

static int take_state(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *at = msg_get_str(entry->body, "at");
	struct state_word word = state_word(msg_get(entry->body, "state"));

	if (!at)
		return bad(entry, err);
	if (strcmp(at, "begin") == 0)
		a->now.at_begin = word;
	else if (strcmp(at, "end") == 0)
		a->now.at_end = word;
	return 0;
}

static int take_window(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	a->now.window_from_ns = msg_get_int(entry->body, "t0_ns", -1);
	a->now.window_to_ns = msg_get_int(entry->body, "t1_ns", -1);
	a->now.has_window = true;
	return a->now.window_from_ns < 0 || a->now.window_to_ns < a->now.window_from_ns
		       ? bad(entry, err)
		       : 0;
}

static int take_rpm(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *what = msg_get_str(entry->body, "what");
	const char *bdf = msg_get_str(entry->body, "bdf");
	struct rpm_event *grown;

	if (!what || !bdf)
		return bad(entry, err);
	if (!a->now.running || strcmp(bdf, a->target->devices[a->now.device].bdf) != 0)
		return 0;
	grown = realloc(a->now.rpm, (a->now.rpm_n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	a->now.rpm = grown;
	a->now.rpm[a->now.rpm_n++] = (struct rpm_event){
		.t_ns = msg_get_int(entry->body, "t_ns", 0),
		.error_ns = msg_get_int(entry->body, "error_ns", 0),
		.is_resume = strcmp(what, "resume") == 0,
		.is_resumed = strcmp(what, "resumed") == 0,
	};
	return 0;
}

static struct touched *find_touched(struct analysis *a, int arm, const char *device)
{
	for (size_t i = 0; i < a->touched_n; i++) {
		if (a->touched[i].arm == arm && strcmp(a->touched[i].device, device) == 0)
			return &a->touched[i];
	}
	return NULL;
}

/* The first access to a device in an arm: a note, which later ones count up. */
static int add_touched(struct analysis *a, const struct store_entry *entry, const char *device,
		       const char *access)
{
	struct touched *t, *grown = realloc(a->touched, (a->touched_n + 1) * sizeof(*grown));
	const char *function = msg_get_str(entry->body, "function");
	int r;

	if (!grown)
		return -ENOMEM;
	a->touched = grown;
	r = add_note(a, entry, "forbidden", NULL, NULL);
	if (r < 0)
		return r;
	t = &a->touched[a->touched_n++];
	*t = (struct touched){.arm = entry->arm, .note = a->notes_n - 1};
	snprintf(t->device, sizeof(t->device), "%s", device);
	snprintf(t->first, sizeof(t->first), "%s of %s at 0x%llx", access,
		 function ? function : device,
		 (unsigned long long)msg_get_int(entry->body, "address", 0));
	return 0;
}

/* It counts for the cycle in which it was made, whichever device that is about. */
static int take_forbidden(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	const char *device = msg_get_str(entry->body, "device");
	const char *access = msg_get_str(entry->body, "kind");
	int64_t times = msg_get_int(entry->body, "times", 1);
	struct touched *t;
	int r = 0;

	if (!device || !access || times < 1)
		return bad(entry, err);
	if (a->now.running && entry->cycle == a->now.ordinal)
		a->now.forbidden += times;
	if (!find_touched(a, entry->arm, device))
		r = add_touched(a, entry, device, access);
	if (r < 0)
		return r;
	t = find_touched(a, entry->arm, device);
	t->times += times;
	snprintf(a->notes[t->note].text, sizeof(a->notes[t->note].text),
		 "forbidden: %s was accessed while its rail was off, %lld time%s; first: %s",
		 t->device, (long long)t->times, t->times == 1 ? "" : "s", t->first);
	return 0;
}

/* A cycle's end: from what was collected to an outcome. */

/* Resumes outside of the time in which the rig itself used the device. A witness that polls sees
 * only the end of a resume, a trace its begin as well. */
static int count_unasked(const struct analysis *a)
{
	const struct current *c = &a->now;
	bool begun = false;
	int unasked = 0;

	if (!a->watched[c->device])
		return -1;
	for (size_t i = 0; i < c->rpm_n; i++) {
		const struct rpm_event *e = &c->rpm[i];
		bool asked = c->actions_n && e->t_ns >= c->asked_from_ns &&
			     e->t_ns - e->error_ns <= c->asked_to_ns;

		/* A resume counts where it begins. */
		if ((e->is_resume || (e->is_resumed && !begun)) && !asked)
			unasked++;
		if (e->is_resume || e->is_resumed)
			begun = e->is_resume;
	}
	return unasked;
}

static void measure_wake(const struct analysis *a, struct outcome *o)
{
	const struct current *c = &a->now;

	o->wake_ms = NAN;
	o->wake_why = "no resume of the device was seen in this cycle";
	if (c->actions_n == 0) {
		o->wake_why = "this scenario wakes nothing";
		return;
	}
	for (size_t i = 0; i < c->rpm_n; i++) {
		if (c->rpm[i].is_resumed && c->rpm[i].t_ns >= c->asked_from_ns &&
		    c->rpm[i].t_ns <= c->asked_to_ns) {
			o->wake_ms = (double)(c->rpm[i].t_ns - c->asked_from_ns) / 1e6;
			o->wake_why = NULL;
			return;
		}
	}
}

static void measure_to_d3cold(const struct analysis *a, const struct current *c,
			      const struct series *series, int64_t align_error_ns,
			      struct outcome *o)
{
	int64_t released_ns, clock_error_ns = 0;
	struct edge edge;

	o->to_d3cold_ms = o->to_d3cold_error_ms = NAN;
	if (c->actions_n == 0)
		o->to_d3cold_why = "this scenario causes no transition";
	else if (o->verdict != VERDICT_CONFIRMED)
		o->to_d3cold_why = "no cycle was confirmed";
	else if (a->marks_n == 0)
		o->to_d3cold_why = "the target's clock was not measured";
	else
		o->to_d3cold_why = NULL;
	if (o->to_d3cold_why)
		return;
	released_ns = clock_to_controller(a->marks, a->marks_n, c->asked_to_ns, &clock_error_ns);
	/* The rail may fall while the last action still returns. */
	if (!edge_find(series->samples, series->n,
		       clock_to_controller(a->marks, a->marks_n, c->asked_from_ns, NULL),
		       o->threshold_w, true, &edge)) {
		o->to_d3cold_why = "the meter shows no falling edge";
		return;
	}
	/* Two more for the halves that were rounded down: else an edge without error is found again. */
	for (struct edge later; edge.t_ns < released_ns &&
				edge_find(series->samples, series->n, edge.t_ns + edge.error_ns + 2,
					  o->threshold_w, true, &later);)
		edge = later; /* of several falls in the cycle, the one after the release */
	o->to_d3cold_ms = (double)(edge.t_ns - released_ns) / 1e6;
	o->to_d3cold_error_ms = (double)(edge.error_ns + clock_error_ns + align_error_ns) / 1e6;
}

/* What the meter says of the dwell; it says nothing whose time is not known. */
static struct level_judgement hear_meter(struct analysis *a, int arm, const struct current *c,
					 const struct outcome *o, int64_t *align_error_ns)
{
	const struct result_levels *levels = analysis_levels(a, arm, c->device);
	const char *why = alignment_check(a->alignment, &a->target->devices[c->device],
					  c->window_to_ns, align_error_ns);

	if (why)
		return (struct level_judgement){METER_NONE, NAN, why};
	return level_judge(&o->window, &levels->d0.level, &levels->d3hot.level);
}

/* All that depends on readings. */
static int judge(struct analysis *a, int segment, int arm, const struct current *c,
		 struct outcome *o, struct err *err)
{
	struct state_word word = weaker(&c->at_begin, &c->at_end);
	struct level_judgement judgement = {METER_NONE, NAN, "the dwell was not reached"};
	struct series series = {0};
	int64_t align_error_ns = 0;
	int r = 0;

	outcome_free(o);
	if (c->has_window) {
		r = load_window(a, segment, c->device, c->window_from_ns, c->window_to_ns, &series,
				&o->power_w, &o->power_n, &o->window, &o->offset_w,
				c->window_from_ns - c->begin_ns + SERIES_LEAD_NS, err);
		if (r < 0)
			return r;
		judgement = hear_meter(a, arm, c, o, &align_error_ns);
	}
	o->evidence.sysfs = word.sysfs;
	o->evidence.acpi = word.acpi;
	o->evidence.rpm = word.rpm;
	o->evidence.meter = judgement.meter;
	o->meter_why = judgement.why;
	o->threshold_w = judgement.threshold_w;
	o->verdict = verdict_decide(&o->evidence);
	o->dissent = verdict_dissent(&o->evidence);
	measure_to_d3cold(a, c, &series, align_error_ns, o);
	series_free(&series);
	return 0;
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
		.cycle = a->now,
	};
	a->open_cycles[a->open_cycles_n++].cycle.rpm = NULL;
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
	o.unasked_resumes = count_unasked(a);
	o.forbidden_accesses = a->accesses_watched ? (long)a->now.forbidden : -1;
	snprintf(o.why, sizeof(o.why), "%s", why ? why : "");
	measure_wake(a, &o);
	r = judge(a, entry->segment, entry->arm, &a->now, &o, err);
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
	alignment_begin_steps(a->alignment, msg_get_bool(entry->body, "again", false));
	return 0;
}

static int take_step(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	int r = alignment_take_step(a->alignment, entry->body);

	return r == -EBADMSG ? bad(entry, err) : r;
}

static int take_step_failed(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	(void)err;
	alignment_take_failure(a->alignment);
	return add_note(a, entry, "no load steps of", msg_get_str(entry->body, "device"),
			msg_get_str(entry->body, "why"));
}

/* What was read since the steps before is read again: now the lag is known on both sides. */
static int take_align(struct analysis *a, const struct store_entry *entry, struct err *err)
{
	int64_t until_ns = msg_get_int(entry->body, "until_ns", -1);
	int r = until_ns < 0 ? bad(entry, err)
			     : alignment_find(a->alignment, a->store, entry->segment, a->marks,
					      a->marks_n, until_ns, err);

	for (size_t i = 0; r == 0 && i < a->open_levels_n; i++)
		r = read_level(a, &a->open_levels[i], err);
	for (size_t i = 0; r == 0 && i < a->open_cycles_n; i++) {
		const struct open_cycle *open = &a->open_cycles[i];

		r = judge(a, open->segment, open->arm, &open->cycle, &a->outcomes[open->outcome],
			  err);
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
	int r = analysis_take_incident(&a->incidents, a->target, entry);

	return r == -EBADMSG ? bad(entry, err) : r;
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
	return &analysis->levels[(size_t)arm * analysis->target->devices_n + (size_t)device];
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

int64_t analysis_wait_ns(const struct analysis *analysis)
{
	return alignment_wait_ns(analysis->alignment);
}

bool analysis_is_aligned(const struct analysis *analysis, int64_t until_ns)
{
	return alignment_is_done(analysis->alignment, until_ns);
}

bool analysis_is_coarse(const struct analysis *analysis)
{
	return alignment_is_coarse(analysis->alignment);
}

struct align_result analysis_alignment(const struct analysis *analysis, int arm, size_t meter)
{
	return alignment_result(analysis->alignment, arm, meter);
}

const struct outcome *analysis_outcomes(const struct analysis *analysis, size_t *n)
{
	*n = analysis->outcomes_n;
	return analysis->outcomes;
}

const struct outcome_note *analysis_notes(const struct analysis *analysis, size_t *n)
{
	*n = analysis->notes_n;
	return analysis->notes;
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
	return result_from(analysis->lab, analysis->target, analysis->plan, analysis->levels,
			   analysis->suites, analysis->outcomes, analysis->outcomes_n, out);
}
