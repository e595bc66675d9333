/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cycle_facts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int cycle_facts_begin(struct cycle_facts *c, const struct store_entry *entry, int device,
		      size_t scenarios_n)
{
	struct cycle_facts_rpm *rpm = c->rpm; /* its memory is used again */
	int64_t scenario = msg_get_int(entry->body, "scenario_index", -1);

	*c = (struct cycle_facts){
		.running = true,
		.ordinal = entry->cycle,
		.scenario = (int)scenario,
		.device = device,
		.number = (unsigned)msg_get_int(entry->body, "number", 0),
		.begin_ns = entry->t_ns,
		.rpm = rpm,
	};
	return scenario < 0 || scenario >= (int64_t)scenarios_n || device < 0 || entry->cycle < 0
		       ? -EBADMSG
		       : 0;
}

void cycle_facts_take_action(struct cycle_facts *c, const struct store_entry *entry)
{
	int64_t t0_ns = msg_get_int(entry->body, "t0_ns", -1);
	int64_t t1_ns = msg_get_int(entry->body, "t1_ns", -1);

	if (t0_ns < 0 || t1_ns < 0) /* a hold, or refused before it began */
		return;
	if (c->actions_n++ == 0)
		c->asked_from_ns = t0_ns;
	c->asked_to_ns = t1_ns;
}

int cycle_facts_take_state(struct cycle_facts *c, const struct store_entry *entry)
{
	const char *at = msg_get_str(entry->body, "at");
	struct state_word word = state_word_read(msg_get(entry->body, "state"));

	if (!at)
		return -EBADMSG;
	if (strcmp(at, "begin") == 0)
		c->at_begin = word;
	else if (strcmp(at, "end") == 0)
		c->at_end = word;
	return 0;
}

int cycle_facts_take_window(struct cycle_facts *c, const struct store_entry *entry)
{
	c->window_from_ns = msg_get_int(entry->body, "t0_ns", -1);
	c->window_to_ns = msg_get_int(entry->body, "t1_ns", -1);
	c->has_window = true;
	return c->window_from_ns < 0 || c->window_to_ns < c->window_from_ns ? -EBADMSG : 0;
}

int cycle_facts_take_rpm(struct cycle_facts *c, const struct store_entry *entry,
			 const struct lab_target *target)
{
	const char *what = msg_get_str(entry->body, "what");
	const char *bdf = msg_get_str(entry->body, "bdf");
	struct cycle_facts_rpm *grown;

	if (!what || !bdf)
		return -EBADMSG;
	if (!c->running || strcmp(bdf, target->devices[c->device].bdf) != 0)
		return 0;
	grown = realloc(c->rpm, (c->rpm_n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->rpm = grown;
	c->rpm[c->rpm_n++] = (struct cycle_facts_rpm){
		.t_ns = msg_get_int(entry->body, "t_ns", 0),
		.error_ns = msg_get_int(entry->body, "error_ns", 0),
		.is_resume = strcmp(what, "resume") == 0,
		.is_resumed = strcmp(what, "resumed") == 0,
	};
	return 0;
}

/* A witness that polls sees only the end of a resume, a trace its begin as well. */
int cycle_facts_unasked(const struct cycle_facts *c)
{
	bool begun = false;
	int unasked = 0;

	for (size_t i = 0; i < c->rpm_n; i++) {
		const struct cycle_facts_rpm *e = &c->rpm[i];
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

double cycle_facts_wake_ms(const struct cycle_facts *c, const char **why)
{
	*why = NULL;
	for (size_t i = 0; c->actions_n && i < c->rpm_n; i++) {
		if (c->rpm[i].is_resumed && c->rpm[i].t_ns >= c->asked_from_ns &&
		    c->rpm[i].t_ns <= c->asked_to_ns)
			return (double)(c->rpm[i].t_ns - c->asked_from_ns) / 1e6;
	}
	*why = c->actions_n ? "no resume of the device was seen in this cycle"
			    : "this scenario wakes nothing";
	return NAN;
}

void cycle_facts_free(struct cycle_facts *c)
{
	free(c->rpm);
}
