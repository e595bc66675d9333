/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The readings of a run, and what their times depend on: the gaps of meters, their lag, the marks of
 * the target's clock. From the journal, as it is fed to the analysis.
 */
#ifndef COLDRIG_READINGS_H
#define COLDRIG_READINGS_H

#include <stddef.h>
#include <stdint.h>

#include "alignment.h"
#include "clock.h"
#include "gaps.h"
#include "level.h"
#include "series.h"

struct readings {
	const struct lab *lab;
	const struct lab_target *target;
	struct store *store;
	struct gaps gaps;
	struct alignment *alignment;
	struct clock_mark *marks; /* of the present boot */
	size_t marks_n;
};

/* Of a device over a window. */
struct readings_window {
	struct series series; /* begins before it, where a lead was asked for */
	double *power_w;      /* of the window alone, whatever is not a number */
	size_t n;	      /* 0 where a gap reaches into it */
	double offset_w;      /* what rails of volts and amperes add to the accuracy (rail.h) */
	struct level level;   /* not valid where a gap reaches into it */
};

/* All are borrowed; freed with readings_free(). -ENOMEM. */
int readings_init(struct readings *readings, const struct lab *lab, const struct lab_target *target,
		  const struct plan *plan, struct store *store);
void readings_free(struct readings *readings); /* what it owns, not itself; all zero is fine */

/* The target of an arm was powered on: its clock begins anew. */
void readings_begin_boot(struct readings *readings, int arm);

/* An entry "clock". -EBADMSG for one that makes no sense, -ENOMEM. */
int readings_take_clock(struct readings *readings, const struct store_entry *entry);

/* Of [from_ns, to_ns], and the series from lead_ns before. Freed with readings_window_free(). */
int readings_load(const struct readings *readings, int segment, int device, int64_t from_ns,
		  int64_t to_ns, int64_t lead_ns, struct readings_window *out, struct err *err);
void readings_window_free(struct readings_window *window); /* all zero is fine */

#endif
