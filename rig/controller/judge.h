/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what is known of a cycle, and the readings in it, to its verdict and how long D3cold took. */
#ifndef COLDRIG_JUDGE_H
#define COLDRIG_JUDGE_H

#include "cycle_facts.h"
#include "outcome.h"
#include "readings.h"
#include "result.h"

/*
 * Fills in all of an outcome that depends on readings: again when more is known of their times. The
 * outcome's presence is set, and stays. levels are of the cycle's arm and device.
 */
int judge_cycle(const struct readings *readings, const struct result_levels *levels, int segment,
		const struct cycle_facts *c, struct outcome *o, struct err *err);

#endif
