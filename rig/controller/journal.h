/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal of a run that is going on: each entry goes to the run file and to the analysis. */
#ifndef COLDRIG_JOURNAL_H
#define COLDRIG_JOURNAL_H

#include <stdint.h>

#include "analysis.h"
#include "err.h"
#include "msg.h"
#include "store.h"

struct journal {
	struct store *store;
	struct analysis *analysis;
	int segment;
	int arm;       /* written with each entry, -1: none */
	int64_t cycle; /* likewise */
};

/* The controller's CLOCK_MONOTONIC. */
int64_t journal_now_ns(void);

/* Appends an entry; takes body over (may be NULL). *finished as in analysis_feed(), may be NULL. */
int journal_add(struct journal *journal, const char *kind, struct msg *body,
		const struct outcome **finished, struct err *err);

#endif
