/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times in which a meter gave no readings, from the journal's words on meters. */
#ifndef COLDRIG_GAPS_H
#define COLDRIG_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rail.h"
#include "store.h"

struct gaps {
	struct rail_gap *all;
	size_t n;
};

/*
 * Takes an entry of kind "meter", of the meter with this index. From "lost" on there is a gap, which
 * begins with the last reading that the entry tells; it ends with the first reading that "ready" tells.
 * One of a replay is told whole. A meter that was not lost before it became ready was not open before. -ENOMEM.
 */
int gaps_take(struct gaps *gaps, const struct store_entry *entry, size_t meter);

/* The latest gap of a meter; NULL if there was none. */
const struct rail_gap *gaps_last(const struct gaps *gaps, int segment, size_t meter);

/*
 * Whether a gap of known begin lies between two readings one after the other. Looks at its middle: times
 * of readings are rounded in the file, those of gaps are not.
 */
bool gaps_is_between(const struct rail_gap *gap, int64_t from_ns, int64_t to_ns);

void gaps_free(struct gaps *gaps); /* what it owns, not itself */

#endif
