/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happened beside the cycles and a reader of the result should know: entries in, sentences out. */
#ifndef COLDRIG_NOTES_H
#define COLDRIG_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "outcome.h"
#include "store.h"

struct notes {
	struct outcome_note *all;
	size_t n;
	struct notes_touched *touched;
	size_t touched_n;
};

/* "WHAT NAME: TEXT" of the entry's arm; name may be NULL, and without text there is no reason. -ENOMEM. */
int notes_add(struct notes *notes, const struct store_entry *entry, const char *what,
	      const char *name, const char *text);

/* One note for a meter in an arm, however often it is lost. -ENOMEM. */
int notes_add_lost_meter(struct notes *notes, const struct store_entry *entry, const char *meter);

/*
 * An entry "forbidden", of an access to a device without power: one note for a device in an arm,
 * which counts. *times is how many accesses the entry tells. -EBADMSG for one that makes no sense,
 * -ENOMEM.
 */
int notes_take_forbidden(struct notes *notes, const struct store_entry *entry, int64_t *times);

void notes_free(struct notes *notes); /* what it owns, not itself */

#endif
