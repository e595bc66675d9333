/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Power levels and the question of a device being cold, decided against levels of the same run.
 * docs/verdicts.md explains the rule.
 */
#ifndef COLDRIG_LEVEL_H
#define COLDRIG_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

#include "evidence.h"
#include "lab.h"
#include "stats.h"

#define LEVEL_SAMPLES_MIN 5 /* fewer readings are no measurement of a window */

/* The mean power of a device over a window. */
struct level {
	bool valid;
	double mean_w;
	double sd_w;  /* of one reading: the meter's noise and the device's unrest */
	double u95_w; /* of the mean: statistics and the meter's stated accuracy */
	size_t n;
};

/* From readings; not valid with fewer than LEVEL_SAMPLES_MIN, or if one of them is no number. */
struct level level_from(const struct stats_mean *stats, const struct lab_accuracy *accuracy);

/* What a meter says about a window, and why. */
struct level_judgement {
	enum evidence_meter meter;
	double threshold_w; /* cold is below; NaN where nothing could be decided */
	const char *why;    /* one sentence, static */
};

/*
 * Cold or not cold: the window lies below or above half of the D3hot level by more than the
 * uncertainty of the two; in between the meter is no witness.
 *
 * Where the D3hot level is nothing but noise (a rail that is cut too early) or was not measured, D0
 * stands in. Below half of D0 a device may still be in D3hot, so cold is then only what is nothing
 * but noise too. If the meter cannot tell D0 from nothing either, it is no witness.
 */
struct level_judgement level_judge(const struct level *window, const struct level *d0,
				   const struct level *d3hot);

#endif
