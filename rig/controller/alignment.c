/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "alignment.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "series.h"
#include "wiring.h"

/* How long after a step's moment and the lag its edge has surely been read. */
#define SEEN_NS 50000000

#define NO_STEPS "no steps were made"

/* A step as the agent did it. */
struct step {
	size_t device;
	bool is_up;
	int64_t t0_ns, t1_ns; /* target's clock */
};

/* A meter in the present power-on. */
struct present {
	bool is_wanted;
	bool is_fresh;	    /* its last mark is of the present steps */
	bool has_readings;  /* of the present steps */
	int64_t seen_by_ns; /* when the last step was to be seen, with this lag */
	const char *why;    /* no mark; static */
};

/* What was found in the power-ons of an arm. */
struct total {
	bool is_found;
	size_t steps;
	int64_t worst_ns;
	struct align_mark first, last; /* of the last power-on that has any */
	size_t marks;
	const char *why;
};

struct alignment {
	const struct lab *lab;
	const struct lab_target *target;
	const struct plan *plan;
	int arm;
	struct step *steps;
	size_t steps_n;
	int64_t used_ns;	   /* the last moment that was asked for, in this power-on */
	struct align_marks *marks; /* per meter */
	struct present *present;   /* per meter */
	struct total *totals;	   /* arm * meters_n + meter, without the present power-on */
};

int alignment_new(const struct lab *lab, const struct lab_target *target, const struct plan *plan,
		  struct alignment **out)
{
	struct alignment *a = calloc(1, sizeof(*a));
	size_t n = lab->meters_n + 1; /* never 0 */

	if (!a)
		return -ENOMEM;
	*a = (struct alignment){.lab = lab, .target = target, .plan = plan, .arm = -1};
	a->marks = calloc(n, sizeof(*a->marks));
	a->present = calloc(n, sizeof(*a->present));
	a->totals = calloc(n * plan->arms_n, sizeof(*a->totals));
	if (!a->marks || !a->present || !a->totals) {
		alignment_free(a);
		return -ENOMEM;
	}
	for (size_t m = 0; m < lab->meters_n; m++) {
		const char *names[WIRING_CHANNELS_MAX];

		a->present[m].is_wanted =
			plan->align == PLAN_ALIGN_AUTO && wiring_channels(target, m, names) > 0;
		a->present[m].why = NO_STEPS;
	}
	*out = a;
	return 0;
}

void alignment_free(struct alignment *a)
{
	if (!a)
		return;
	for (size_t m = 0; a->marks && m < a->lab->meters_n; m++)
		free(a->marks[m].at);
	free(a->marks);
	free(a->present);
	free(a->totals);
	free(a->steps);
	free(a);
}

/* The totals of an arm with what the present power-on adds. */
static struct total total_of(const struct alignment *a, int arm, size_t meter)
{
	struct total t = a->totals[(size_t)arm * a->lab->meters_n + meter];
	const struct align_marks *marks = &a->marks[meter];
	int64_t error_ns = 0;

	if (arm != a->arm)
		return t;
	if (!marks->n) {
		t.why = a->present[meter].why;
		return t;
	}
	t.is_found = true;
	t.first = marks->at[0];
	t.last = marks->at[marks->n - 1];
	t.marks = marks->n;
	for (size_t i = 0; i < marks->n; i++) {
		t.steps += marks->at[i].steps;
		t.worst_ns =
			marks->at[i].error_ns > t.worst_ns ? marks->at[i].error_ns : t.worst_ns;
	}
	if (a->used_ns > 0)
		align_lag(marks, a->used_ns, &error_ns);
	t.worst_ns = error_ns > t.worst_ns ? error_ns : t.worst_ns;
	return t;
}

void alignment_begin_boot(struct alignment *a, int arm)
{
	for (size_t m = 0; m < a->lab->meters_n; m++) {
		if (a->arm >= 0)
			a->totals[(size_t)a->arm * a->lab->meters_n + m] = total_of(a, a->arm, m);
		a->marks[m].n = 0;
		a->present[m].is_fresh = a->present[m].has_readings = false;
		a->present[m].why = NO_STEPS;
	}
	a->arm = arm;
	a->used_ns = 0;
	a->steps_n = 0;
}

void alignment_begin_steps(struct alignment *a, bool again)
{
	if (again)
		return;
	a->steps_n = 0;
	for (size_t m = 0; m < a->lab->meters_n; m++)
		a->present[m].is_fresh = a->present[m].has_readings = false;
}

/* -1 if it is none of the target's. */
static int find_device(const struct alignment *a, const char *bdf)
{
	const struct lab_device *device = bdf ? lab_find_device(a->target, bdf) : NULL;

	return device ? (int)(device - a->target->devices) : -1;
}

int alignment_take_step(struct alignment *a, const struct msg *body)
{
	int device = find_device(a, msg_get_str(body, "device"));
	struct step *grown = realloc(a->steps, (a->steps_n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	a->steps = grown;
	a->steps[a->steps_n] = (struct step){
		.device = (size_t)device,
		.is_up = msg_get_bool(body, "up", false),
		.t0_ns = msg_get_int(body, "t0_ns", -1),
		.t1_ns = msg_get_int(body, "t1_ns", -1),
	};
	if (device < 0 || a->steps[a->steps_n].t0_ns < 0 ||
	    a->steps[a->steps_n].t1_ns < a->steps[a->steps_n].t0_ns)
		return -EBADMSG;
	a->steps_n++;
	return 0;
}

void alignment_take_failure(struct alignment *a)
{
	for (size_t m = 0; m < a->lab->meters_n; m++)
		a->present[m].why = "no device could be stepped";
}

/* The load changed between begin and end of what the agent did. */
static struct align_step time_of(const struct step *s, const struct clock_mark *clock,
				 size_t clock_n)
{
	int64_t from_error_ns, to_error_ns;
	int64_t from_ns = clock_to_controller(clock, clock_n, s->t0_ns, &from_error_ns);
	int64_t to_ns = clock_to_controller(clock, clock_n, s->t1_ns, &to_error_ns);

	return (struct align_step){from_ns - from_error_ns, to_ns + to_error_ns, s->is_up};
}

/* Looks for one device's steps in one meter's readings. */
static int find_in(struct alignment *a, struct store *store, int segment, size_t device,
		   size_t meter, const struct align_step *steps, size_t n, int64_t until_ns,
		   struct align_mark *best, struct err *err)
{
	struct present *p = &a->present[meter];
	struct align_mark mark;
	struct series series;
	const char *why;
	int r = series_load_raw(store, segment, a->lab, a->target, &a->target->devices[device],
				meter, steps[0].from_ns + ALIGN_LAG_MIN_NS, until_ns, &series, err);

	if (r < 0)
		return r;
	r = align_find(steps, n, series.samples, series.n, &mark, &why);
	p->has_readings = p->has_readings || series.n > 0;
	series_free(&series);
	if (r > 0 && (!p->is_fresh || mark.steps > best->steps)) {
		*best = mark;
		p->is_fresh = true;
		p->seen_by_ns = steps[n - 1].to_ns + mark.lag_ns + SEEN_NS;
	} else if (r == 0) {
		p->why = why;
	}
	return r < 0 ? r : 0;
}

static int put_mark(struct align_marks *marks, bool replaces, const struct align_mark *mark)
{
	struct align_mark *grown;

	if (replaces) {
		marks->at[marks->n - 1] = *mark;
		return 0;
	}
	grown = realloc(marks->at, (marks->n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	marks->at = grown;
	marks->at[marks->n++] = *mark;
	return 0;
}

int alignment_find(struct alignment *a, struct store *store, int segment,
		   const struct clock_mark *clock, size_t clock_n, int64_t until_ns,
		   struct err *err)
{
	struct align_step *steps = calloc(a->steps_n + 1, sizeof(*steps));
	int r = steps ? 0 : -ENOMEM;

	for (size_t m = 0; r == 0 && m < a->lab->meters_n; m++) {
		struct present *p = &a->present[m];
		bool had = p->is_fresh;
		struct align_mark best;

		p->is_fresh = false;
		for (size_t d = 0; r == 0 && clock_n && d < a->target->devices_n; d++) {
			size_t n = 0;

			for (size_t i = 0; i < a->steps_n; i++) {
				if (a->steps[i].device == d)
					steps[n++] = time_of(&a->steps[i], clock, clock_n);
			}
			if (p->is_wanted && n && wiring_shows(&a->target->devices[d], m))
				r = find_in(a, store, segment, d, m, steps, n, until_ns, &best,
					    err);
		}
		if (r == 0 && p->is_fresh)
			r = put_mark(&a->marks[m], had, &best);
		p->is_fresh = p->is_fresh || had;
	}
	free(steps);
	return r;
}

const struct align_marks *alignment_marks(const struct alignment *a)
{
	return a->marks;
}

const char *alignment_check(struct alignment *a, const struct lab_device *device, int64_t t_ns,
			    int64_t *error_ns)
{
	int64_t limit_ns = plan_align_limit_ns(a->plan);

	*error_ns = 0;
	if (a->plan->align == PLAN_ALIGN_NONE)
		return NULL;
	if (t_ns > a->used_ns)
		a->used_ns = t_ns;
	for (size_t m = 0; m < a->lab->meters_n; m++) {
		const struct align_marks *marks = &a->marks[m];
		int64_t one_ns;

		if (!wiring_shows(device, m))
			continue;
		if (!marks->n)
			return "the meter is not aligned with the target";
		align_lag(marks, t_ns, &one_ns);
		*error_ns = one_ns > *error_ns ? one_ns : *error_ns;
	}
	return *error_ns > limit_ns ? "the meter's time is not known to a tenth of the dwell"
				    : NULL;
}

int64_t alignment_wait_ns(const struct alignment *a)
{
	int64_t most_ns = 0;

	for (size_t m = 0; m < a->lab->meters_n; m++) {
		const struct align_marks *marks = &a->marks[m];
		const struct align_mark *last = marks->n ? &marks->at[marks->n - 1] : NULL;

		if (last && last->lag_ns + last->error_ns > most_ns)
			most_ns = last->lag_ns + last->error_ns;
	}
	return most_ns;
}

bool alignment_is_done(const struct alignment *a, int64_t until_ns)
{
	for (size_t m = 0; m < a->lab->meters_n; m++) {
		const struct present *p = &a->present[m];

		if (p->is_wanted && p->has_readings && (!p->is_fresh || until_ns < p->seen_by_ns))
			return false;
	}
	return true;
}

bool alignment_is_coarse(const struct alignment *a)
{
	for (size_t m = 0; m < a->lab->meters_n; m++) {
		const struct align_marks *marks = &a->marks[m];

		if (a->present[m].is_fresh &&
		    marks->at[marks->n - 1].error_ns > plan_align_limit_ns(a->plan))
			return true;
	}
	return false;
}

struct align_result alignment_result(const struct alignment *a, int arm, size_t meter)
{
	struct total t = total_of(a, arm, meter);
	double apart_ns = (double)(t.last.t_ns - t.first.t_ns);
	struct align_result out = {
		.is_wanted = a->present[meter].is_wanted,
		.is_found = t.is_found,
		.is_ok = t.is_found && t.worst_ns <= plan_align_limit_ns(a->plan),
		.steps = t.steps,
		.offset_ms = (double)t.first.lag_ns / 1e6,
		.drift_ppm = NAN,
		.drift_u95_ppm = NAN,
		.u95_ms = (double)t.worst_ns / 1e6,
		.limit_ms = (double)plan_align_limit_ns(a->plan) / 1e6,
		.why = t.is_found ? NULL
		       : t.why	  ? t.why
				  : NO_STEPS,
	};

	if (t.marks < 2) {
		out.drift_why = t.is_found ? "steps were found once only" : out.why;
		return out;
	}
	out.drift_ppm = (double)(t.last.lag_ns - t.first.lag_ns) / apart_ns * 1e6;
	out.drift_u95_ppm = (double)(t.last.error_ns + t.first.error_ns) / apart_ns * 1e6;
	return out;
}
