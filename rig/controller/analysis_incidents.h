/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of the analysis that is about what went wrong: entries in, core/incidents.h out. */
#ifndef COLDRIG_ANALYSIS_INCIDENTS_H
#define COLDRIG_ANALYSIS_INCIDENTS_H

#include "incidents.h"
#include "lab.h"
#include "store.h"

/* Takes an entry "console", "recovery" or "left-out". -EBADMSG for one that makes no sense. */
int analysis_take_incident(struct incidents *incidents, const struct lab_target *target,
			   const struct store_entry *entry);

#endif
