/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came out of one cycle: the verdict with its evidence, and what was measured. */
#ifndef COLDRIG_OUTCOME_H
#define COLDRIG_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence.h"
#include "level.h"
#include "verdict.h"

struct outcome {
	int64_t ordinal; /* of the cycle in the expanded plan */
	int arm;
	int scenario;	 /* index into the plan's scenarios */
	int device;	 /* index into the target's devices */
	unsigned number; /* of the cycle, from 1 */
	bool skipped;	 /* could not apply to this device; why says so, the rest is empty */

	enum verdict verdict;
	struct evidence evidence;
	unsigned dissent;      /* DISSENT_* */
	char why[200];	       /* what was lost or skipped, and why; "" otherwise */
	const char *meter_why; /* static */
	double threshold_w;    /* NaN: none */

	struct level window; /* power over the dwell */
	double *power_w;     /* its readings; owned, freed by outcome_free() */
	size_t power_n;
	double offset_w; /* what rails of volts and amperes add to its accuracy (rail.h) */

	/* NaN where there is none, and then the static reason. */
	double to_d3cold_ms, to_d3cold_error_ms;
	const char *to_d3cold_why;
	double wake_ms;
	const char *wake_why;
	int unasked_resumes;	 /* -1: not watched */
	long forbidden_accesses; /* to whatever device, while its rail was off; -1: not watched */
};

/* Something that happened beside the cycles, and that a reader of the result should know. */
struct outcome_note {
	int arm;
	char text[240];
};

void outcome_free(struct outcome *outcome); /* what it owns, not itself */

#endif
