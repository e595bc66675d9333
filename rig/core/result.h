/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run's figures: outcomes of cycles, added up per arm, device and scenario. Pure. */
#ifndef COLDRIG_RESULT_H
#define COLDRIG_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "conformance.h"
#include "lab.h"
#include "level.h"
#include "outcome.h"
#include "plan.h"

/* Quantiles of a time over cycles, in milliseconds. */
struct result_time {
	size_t n;
	double p50_ms, p95_ms, max_ms; /* NaN for n = 0 */
	double error_ms; /* largest error of a single value; 0 where it is within one clock */
	const char *why; /* for n = 0: the reason, static */
};

/* A power with the reason why there is none where it is not valid. */
struct result_power {
	struct level level;
	const char *why;
};

struct result_row {
	int arm, device, scenario; /* indices as in struct outcome */
	size_t cycles;		   /* finished, without skipped ones */
	size_t planned;
	size_t verdicts[VERDICT_COUNT];
	size_t first_lost;	       /* number of its first lost cycle; 0: none was */
	size_t dissents;	       /* cycles in which a witness contradicted the state's word */
	struct result_power d0, d3hot; /* levels of the arm */
	struct result_power d3cold;    /* over the dwells of confirmed cycles */
	struct result_power dwell;     /* over the dwells of all cycles, whatever the state */
	struct result_time to_d3cold, wake;
	const char *rpm_witness; /* as in struct result_levels */
	long unasked_resumes;	 /* -1: not watched in at least one cycle */
	long forbidden_accesses; /* -1: the same */
	const char *skipped; /* why no cycle was run, NULL if any was; borrowed from an outcome */
};

/* Levels of one arm and device, as measured before its cycles. */
struct result_levels {
	struct result_power d0, d3hot;
	const char *rpm_witness; /* "tracefs" or "poll", static; NULL: resumes were not watched */
};

struct result_limit {
	bool ok;
	double value;	/* NaN: none */
	char text[160]; /* what was found, for people */
};

struct result {
	struct result_row *rows;
	size_t rows_n;
	struct result_limit *limits; /* as many as the plan has */
};

/*
 * levels is indexed arm * target->devices_n + device, suites is indexed by arm. Outcomes may come in
 * any order. Freed with result_free(); -ENOMEM.
 */
int result_from(const struct lab *lab, const struct lab_target *target, const struct plan *plan,
		const struct result_levels *levels, const struct conformance *suites,
		const struct outcome *outcomes, size_t outcomes_n, struct result **out);
void result_free(struct result *result);

/* True if every limit holds. */
bool result_ok(const struct result *result, const struct plan *plan);

/* Was a scenario of the plan meant for this device? */
bool result_is_planned(const struct plan_scenario *scenario, const struct lab_device *device);

/* The row of the plan's first arm for the same device and scenario; NULL for that arm's own rows. */
const struct result_row *result_base(const struct result *result, const struct result_row *row);

/* What an arm draws less than another over the dwells of the same scenario and device: base minus
 * row. False if one of the two has no power. */
bool result_saving(const struct result_row *base, const struct result_row *row, double *saved_w,
		   double *u95_w);

#endif
