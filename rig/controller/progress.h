/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person sees while a run goes on: on a terminal one line that moves, elsewhere a line per
 * arm and per disagreement. On stderr, so that results can be piped. */
#ifndef COLDRIG_PROGRESS_H
#define COLDRIG_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "lab.h"
#include "outcome.h"
#include "plan.h"

struct progress {
	bool is_terminal, is_quiet;
	bool has_line; /* the moving line is on the screen */
	size_t done, total;
};

void progress_init(struct progress *progress, size_t done, size_t total, bool is_quiet);

/* A line that stays. */
void progress_say(struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is being done; shown on a terminal only. */
void progress_step(struct progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A cycle has ended. */
void progress_outcome(struct progress *progress, const struct plan *plan,
		      const struct lab_target *target, const struct outcome *outcome);

void progress_end(struct progress *progress);

#endif
