/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the journal tells of one cycle, collected while it goes on. */
#ifndef COLDRIG_CYCLE_FACTS_H
#define COLDRIG_CYCLE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab.h"
#include "state_word.h"
#include "store.h"

/* A change of runtime power management. */
struct cycle_facts_rpm {
	int64_t t_ns;	  /* target's clock */
	int64_t error_ns; /* a poll sees it up to so much later; 0 from a trace */
	bool is_resume, is_resumed;
};

struct cycle_facts {
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
	struct cycle_facts_rpm *rpm;
	size_t rpm_n;
	int64_t forbidden; /* accesses to devices without power */
};

/*
 * Entries by kind. -EBADMSG for one that makes no sense, -ENOMEM.
 * A cycle's begin forgets the cycle before; device and scenarios_n are for its check: -1 is no device.
 */
int cycle_facts_begin(struct cycle_facts *c, const struct store_entry *entry, int device,
		      size_t scenarios_n);
void cycle_facts_take_action(struct cycle_facts *c, const struct store_entry *entry);
int cycle_facts_take_state(struct cycle_facts *c, const struct store_entry *entry);
int cycle_facts_take_window(struct cycle_facts *c, const struct store_entry *entry);

/* Of other devices, and outside of a cycle, nothing is kept. */
int cycle_facts_take_rpm(struct cycle_facts *c, const struct store_entry *entry,
			 const struct lab_target *target);

/* Resumes outside of the time in which the rig itself used the device. */
int cycle_facts_unasked(const struct cycle_facts *c);

/* From the first action to the end of the resume in it, on the target's clock; NaN with the static
 * reason in *why, else NULL there. */
double cycle_facts_wake_ms(const struct cycle_facts *c, const char **why);

void cycle_facts_free(struct cycle_facts *c); /* what it owns, not itself */

#endif
