/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A meter that is kept: one that is lost is opened again by itself, after 0.1 s and then after
 * pauses that double up to 2 s, for as long as it is kept. One call to meter.h is one life; this is
 * as many as it takes.
 *
 * What comes back must be the same instrument (vendor, model and serial number), with the same units
 * on the same channels. Another one is refused with a NOTE, and looked for further.
 */
#ifndef COLDRIG_METER_KEEP_H
#define COLDRIG_METER_KEEP_H

#include <stddef.h>

#include "meter.h"

struct meter_keep;

/* As meter_open(). What is wrong with the options is told at once, -EINVAL. */
int meter_keep_open(const struct meter_options *options, struct meter_keep **out, struct err *err);

/* What to poll for until the next meter_keep_read(); it may be another one after that. */
int meter_keep_fd(const struct meter_keep *keep);

/*
 * As meter_read(), with these differences. LOST is told once for each time without readings, READY
 * once for each return; between LOST and READY come no readings, and a reason that changes comes as
 * a NOTE. A LOST that is hopeless comes only before the first READY, and nothing comes after it.
 * CHANNEL with a unit is told once. Blocks for at most 0.4 s.
 */
size_t meter_keep_read(struct meter_keep *keep, struct meter_sample *samples, size_t max,
		       struct meter_event *event, size_t *event_n);

void meter_keep_close(struct meter_keep *keep);

#endif
