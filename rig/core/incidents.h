/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What went wrong beside the verdicts, and what was done about it, over a run. Pure. */
#ifndef COLDRIG_INCIDENTS_H
#define COLDRIG_INCIDENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "recovery.h"

struct incidents_console {
	int arm;
	int64_t cycle; /* in which it happened; -1: in none */
	struct console_event event;
};

struct incidents_recovery {
	int arm;
	int64_t cycle; /* that was lost; -1: none */
	enum recovery_symptom symptom;
	bool back;
	enum recovery_step by; /* if it is back */
	int64_t took_ns;
};

#define INCIDENTS_WHY_SIZE 160

/* A device of which the rest of its cycles in the arm was not run. */
struct incidents_left_out {
	int arm, device;
	unsigned losses;	      /* cycles of it that were lost by then */
	char why[INCIDENTS_WHY_SIZE]; /* "": because they were too many */
};

/* Zero-initialised is none. */
struct incidents {
	struct incidents_console *console;
	size_t console_n;
	struct incidents_recovery *recoveries;
	size_t recoveries_n;
	struct incidents_left_out *left_out;
	size_t left_out_n;
};

int incidents_add_console(struct incidents *incidents, const struct incidents_console *console);
int incidents_add_recovery(struct incidents *incidents, const struct incidents_recovery *recovery);
int incidents_add_left_out(struct incidents *incidents, const struct incidents_left_out *left_out);
void incidents_free(struct incidents *incidents); /* what it owns */

/* NULL if the device is not left out in the arm. */
const struct incidents_left_out *incidents_find_left_out(const struct incidents *incidents, int arm,
							 int device);

/* The recoveries of an arm. */
struct incidents_summary {
	size_t recoveries, back;
	size_t by[RECOVERY_STEP_COUNT]; /* of those that are back */
	int64_t longest_ns;		/* of those that are back; 0: none */
	size_t console[CONSOLE_KIND_COUNT];
	size_t console_n; /* the sum of them */
};

struct incidents_summary incidents_of_arm(const struct incidents *incidents, int arm);

#endif
