/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Levels of arms and devices, from the journal's entries "level" and the readings. */
#ifndef COLDRIG_LEVEL_LOG_H
#define COLDRIG_LEVEL_LOG_H

#include <stddef.h>

#include "plan.h"
#include "readings.h"
#include "result.h"

struct level_log {
	struct result_levels *all; /* arm * devices_n + device */
	size_t devices_n;
	struct level_log_window *open;
	size_t open_n;
};

/* None is measured. Freed with level_log_free(). -ENOMEM. */
int level_log_init(struct level_log *log, const struct plan *plan, const struct lab_target *target);
void level_log_free(struct level_log *log); /* what it owns, not itself; all zero is fine */

struct result_levels *level_log_of(const struct level_log *log, int arm, int device);

/* Takes an entry that has a "state", of this device. A level that was taken in another state is none.
 * -EBADMSG for damaged readings, -ENOMEM. */
int level_log_take(struct level_log *log, const struct store_entry *entry, int device,
		   const struct readings *readings, struct err *err);

/* Reads again all since level_log_close(): more is known of when the readings were. */
int level_log_read_again(struct level_log *log, const struct readings *readings, struct err *err);
void level_log_close(struct level_log *log);

#endif
