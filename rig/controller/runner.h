/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Carries out a plan: arms, levels, cycles. Everything it learns goes to the journal. */
#ifndef COLDRIG_RUNNER_H
#define COLDRIG_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "journal.h"
#include "lab.h"
#include "plan.h"
#include "progress.h"

struct runner {
	const struct lab *lab;
	const struct lab_target *target;
	const struct plan *plan;
	const char *run_dir;
	const char *target_files;
	struct journal *journal;
	struct progress *progress;
};

/* Cycles of the whole plan, counting those that a device may turn out not to be fit for. */
size_t runner_count(const struct plan *plan, const struct lab_target *target);

/*
 * Runs every cycle that has not been finished yet. 0 when all have an outcome. -EINTR: the user
 * stopped it; what is done is kept. Else the lab or this machine failed, with words; what is done is
 * kept as well.
 */
int runner_run(struct runner *runner, struct err *err);

#endif
