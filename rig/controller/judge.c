/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "judge.h"

#include <math.h>

#include "edge.h"

/* Readings this long before a cycle are loaded too, so that an edge at its start has a before. */
#define SERIES_LEAD_NS 1000000000

static void measure_to_d3cold(const struct readings *readings, const struct cycle_facts *c,
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
	else if (readings->marks_n == 0)
		o->to_d3cold_why = "the target's clock was not measured";
	else
		o->to_d3cold_why = NULL;
	if (o->to_d3cold_why)
		return;
	released_ns = clock_to_controller(readings->marks, readings->marks_n, c->asked_to_ns,
					  &clock_error_ns);
	/* The rail may fall while the last action still returns. */
	if (!edge_find(
		    series->samples, series->n,
		    clock_to_controller(readings->marks, readings->marks_n, c->asked_from_ns, NULL),
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
static struct level_judgement hear_meter(const struct readings *readings,
					 const struct result_levels *levels,
					 const struct cycle_facts *c, const struct outcome *o,
					 int64_t *align_error_ns)
{
	const char *why =
		alignment_check(readings->alignment, &readings->target->devices[c->device],
				c->window_to_ns, align_error_ns);

	if (why)
		return (struct level_judgement){METER_NONE, NAN, why};
	return level_judge(&o->window, &levels->d0.level, &levels->d3hot.level);
}

int judge_cycle(const struct readings *readings, const struct result_levels *levels, int segment,
		const struct cycle_facts *c, struct outcome *o, struct err *err)
{
	struct state_word word = state_word_weaker(&c->at_begin, &c->at_end);
	struct level_judgement judgement = {METER_NONE, NAN, "the dwell was not reached"};
	struct readings_window window = {0};
	int64_t align_error_ns = 0;
	int r = 0;

	outcome_free(o);
	if (c->has_window) {
		r = readings_load(readings, segment, c->device, c->window_from_ns, c->window_to_ns,
				  c->window_from_ns - c->begin_ns + SERIES_LEAD_NS, &window, err);
		if (r < 0)
			return r;
		o->power_w = window.power_w;
		o->power_n = window.n;
		o->offset_w = window.offset_w;
		o->window = window.level;
		judgement = hear_meter(readings, levels, c, o, &align_error_ns);
	}
	o->evidence.sysfs = word.sysfs;
	o->evidence.acpi = word.acpi;
	o->evidence.rpm = word.rpm;
	o->evidence.meter = judgement.meter;
	o->meter_why = judgement.why;
	o->threshold_w = judgement.threshold_w;
	o->verdict = verdict_decide(&o->evidence);
	o->dissent = verdict_dissent(&o->evidence);
	measure_to_d3cold(readings, c, &window.series, align_error_ns, o);
	series_free(&window.series); /* the powers are the outcome's now */
	return 0;
}
