/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "incidents_report.h"

#include <math.h>

/* What is lost in an arm, over all devices and scenarios. */
struct losses {
	size_t cycles, lost;
	const struct outcome *first; /* the first lost one, in the order run; NULL: none */
};

static struct losses count_losses(const struct report *report, size_t arm)
{
	struct losses l = {0};

	for (size_t i = 0; i < report->outcomes_n; i++) {
		const struct outcome *o = &report->outcomes[i];

		if (o->arm != (int)arm || o->skipped)
			continue;
		l.cycles++;
		if (o->verdict != VERDICT_LOST)
			continue;
		l.lost++;
		if (!l.first)
			l.first = o;
	}
	return l;
}

static double between(size_t cycles, size_t lost)
{
	return lost ? (double)cycles / (double)lost : NAN;
}

/* Which cycle a person would call it. */
static struct msg *cycle_msg(const struct report *report, const struct outcome *o)
{
	struct msg *object = msg_object();

	msg_set_str(object, "bdf", report->target->devices[o->device].bdf);
	msg_set_str(object, "scenario",
		    scenario_get(report->plan->scenarios[o->scenario].id)->name);
	msg_set_int(object, "number", o->number);
	return object;
}

const struct outcome *incidents_find_outcome(const struct report *report, int64_t ordinal)
{
	for (size_t i = 0; i < report->outcomes_n; i++) {
		if (report->outcomes[i].ordinal == ordinal)
			return &report->outcomes[i];
	}
	return NULL;
}

static struct msg *left_out_msg(const struct report *report, size_t arm)
{
	struct msg *array = msg_array();

	for (size_t i = 0; i < report->incidents->left_out_n; i++) {
		const struct incidents_left_out *l = &report->incidents->left_out[i];
		struct msg *object;

		if (l->arm != (int)arm)
			continue;
		object = msg_object();
		msg_set_str(object, "bdf", report->target->devices[l->device].bdf);
		msg_set_int(object, "losses", l->losses);
		msg_set_str(object, "why", l->why[0] ? l->why : NULL);
		msg_add(array, object);
	}
	return array;
}

struct msg *incidents_recovery_msg(const struct report *report, size_t arm)
{
	struct incidents_summary s = incidents_of_arm(report->incidents, (int)arm);
	struct losses l = count_losses(report, arm);
	struct msg *object = msg_object(), *by = msg_object();

	msg_set_int(object, "lost", (int64_t)l.lost);
	msg_set_real(object, "cycles_between_losses", between(l.cycles, l.lost));
	msg_set(object, "first_lost", l.first ? cycle_msg(report, l.first) : msg_null());
	msg_set_int(object, "recoveries", (int64_t)s.recoveries);
	msg_set_int(object, "recovered", (int64_t)s.back);
	for (int i = 0; i < RECOVERY_STEP_COUNT; i++)
		msg_set_int(by, recovery_step_name((enum recovery_step)i), (int64_t)s.by[i]);
	msg_set(object, "by", by);
	msg_set_real(object, "longest_s", s.back ? (double)s.longest_ns / 1e9 : NAN);
	msg_set(object, "left_out", left_out_msg(report, arm));
	return object;
}

struct msg *incidents_console_msg(const struct report *report, size_t arm)
{
	struct incidents_summary s = incidents_of_arm(report->incidents, (int)arm);
	struct msg *object = msg_object(), *counts = msg_object(), *events = msg_array();

	for (int i = 0; i < CONSOLE_KIND_COUNT; i++)
		msg_set_int(counts, console_kind_name((enum console_kind)i), (int64_t)s.console[i]);
	for (size_t i = 0; i < report->incidents->console_n; i++) {
		const struct incidents_console *c = &report->incidents->console[i];
		const struct outcome *o = incidents_find_outcome(report, c->cycle);
		struct msg *event;

		if (c->arm != (int)arm)
			continue;
		event = msg_object();
		msg_set_str(event, "kind", console_kind_name(c->event.kind));
		msg_set_int(event, "t_ns", c->event.t_ns);
		msg_set(event, "cycle", o ? cycle_msg(report, o) : msg_null());
		msg_set_str(event, "device", c->event.device[0] ? c->event.device : NULL);
		msg_set_str(event, "text", c->event.text);
		msg_add(events, event);
	}
	msg_set(object, "counts", counts);
	msg_set(object, "events", events);
	return object;
}

struct msg *incidents_losses_msg(const struct report *report, const struct result_row *row)
{
	size_t lost = row->verdicts[VERDICT_LOST];
	struct msg *object = msg_object();

	msg_set_int(object, "lost", (int64_t)lost);
	msg_set_real(object, "cycles_between_losses", between(row->cycles, lost));
	if (row->first_lost)
		msg_set_int(object, "first_lost", (int64_t)row->first_lost);
	else
		msg_set(object, "first_lost", msg_null());
	msg_set_bool(object, "left_out", incidents_row_is_left_out(report, row));
	return object;
}

bool incidents_row_is_left_out(const struct report *report, const struct result_row *row)
{
	return incidents_find_left_out(report->incidents, row->arm, row->device) != NULL;
}

/* ": back 3 of 3, ask 1, reset 2, longest 8.1 s" */
static void print_recoveries(const struct incidents_summary *s, FILE *out)
{
	fprintf(out, "; brought back %zu of %zu times", s->back, s->recoveries);
	for (int i = 0; i < RECOVERY_STEP_COUNT; i++) {
		if (s->by[i])
			fprintf(out, ", %s %zu", recovery_step_name((enum recovery_step)i),
				s->by[i]);
	}
	if (s->back)
		fprintf(out, "; the longest took %.1f s", (double)s->longest_ns / 1e9);
}

void incidents_print_arm(const struct report *report, size_t arm, FILE *out)
{
	struct incidents_summary s = incidents_of_arm(report->incidents, (int)arm);
	struct losses l = count_losses(report, arm);

	if (l.lost) {
		fprintf(out,
			"\n  Lost %zu of %zu cycles, one in %.1f; the first: %s cycle %u on %s",
			l.lost, l.cycles, between(l.cycles, l.lost),
			scenario_get(report->plan->scenarios[l.first->scenario].id)->name,
			l.first->number, report->target->devices[l.first->device].bdf);
		if (s.recoveries)
			print_recoveries(&s, out);
		fputc('\n', out);
	}
	for (size_t i = 0; i < report->incidents->left_out_n; i++) {
		const struct incidents_left_out *left = &report->incidents->left_out[i];

		if (left->arm != (int)arm)
			continue;
		fprintf(out, "  %s is left out", report->target->devices[left->device].bdf);
		if (left->why[0])
			fprintf(out, ": %s\n", left->why);
		else
			fprintf(out, " after %u losses\n", left->losses);
	}
	for (int i = 0, first = 1; s.console_n && i < CONSOLE_KIND_COUNT; i++) {
		if (!s.console[i])
			continue;
		fprintf(out, "%s%s %zu", first ? "  Console: " : ", ",
			console_kind_name((enum console_kind)i), s.console[i]);
		first = 0;
	}
	if (s.console_n)
		fputc('\n', out);
}
