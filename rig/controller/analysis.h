/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a journal to outcomes. A run feeds each entry as it writes it, a replay feeds the same entries
 * from the run file: what comes out depends on nothing else, so both come to the same figures.
 */
#ifndef COLDRIG_ANALYSIS_H
#define COLDRIG_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alignment.h"
#include "conformance.h"
#include "err.h"
#include "incidents.h"
#include "lab.h"
#include "outcome.h"
#include "plan.h"
#include "result.h"
#include "store.h"

struct analysis;

/* What an arm's target said of itself; strings are "" until its first arm-up. */
struct analysis_arm {
	char kernel[128];  /* uname -r */
	char version[160]; /* uname -v */
	char agent[64];
	struct msg *kexec; /* how it was booted by kexec, as "arm-up" has it; else NULL */
	size_t boots;
};

/* Lab, target, plan and store outlive the analysis; the store is only read, for samples. */
int analysis_new(const struct lab *lab, const struct lab_target *target, const struct plan *plan,
		 struct store *store, struct analysis **out);
void analysis_free(struct analysis *analysis);

/* Takes the next entry. *finished is the outcome if this entry ended a cycle, else NULL; it belongs
 * to the analysis and is valid until the next call. -EBADMSG for an entry that makes no sense. */
int analysis_feed(struct analysis *analysis, const struct store_entry *entry,
		  const struct outcome **finished, struct err *err);

/* Feeds all entries of the store. */
int analysis_feed_all(struct analysis *analysis, struct err *err);

/* Has this cycle ended, in this run or before it was resumed? */
bool analysis_is_finished(const struct analysis *analysis, int64_t ordinal);

/* Levels of an arm and device; each may be not valid. */
const struct result_levels *analysis_levels(const struct analysis *analysis, int arm, int device);

const struct analysis_arm *analysis_arm(const struct analysis *analysis, int arm);

/* What the conformance suite found in an arm; zeroed where it was not run. */
const struct conformance *analysis_suite(const struct analysis *analysis, int arm);

/* The first of the outcomes that the next load steps may change, as the last ones have; the number of
 * all if there is none. */
size_t analysis_open(const struct analysis *analysis);

/* How late meters are, and what became of finding it out. */
const struct alignment *analysis_alignment(const struct analysis *analysis);

/* All outcomes so far, in the order they came. */
const struct outcome *analysis_outcomes(const struct analysis *analysis, size_t *n);

/* Meters and targets that were lost, panics, levels that could not be measured. */
const struct outcome_note *analysis_notes(const struct analysis *analysis, size_t *n);

/* Console events, recoveries, devices that are left out. */
const struct incidents *analysis_incidents(const struct analysis *analysis);

/* Cycles of an arm and device that ended as lost. */
unsigned analysis_losses(const struct analysis *analysis, int arm, int device);

/* The result so far; freed with result_free(). */
int analysis_result(const struct analysis *analysis, struct result **out);

#endif
