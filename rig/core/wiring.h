/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which channels of which meters a run reads, and what they say of a device: a pure function of the
 * lab, so that a replay finds the same. */
#ifndef COLDRIG_WIRING_H
#define COLDRIG_WIRING_H

#include <stdbool.h>
#include <stddef.h>

#include "lab.h"

#define WIRING_CHANNELS_MAX 64

/* Fills names with the channels of a meter that rails of this target's devices use, each once, in
 * the lab file's order; the index into it is meter_sample.channel. Returns their number, at most
 * WIRING_CHANNELS_MAX. The names belong to the lab. */
size_t wiring_channels(const struct lab_target *target, size_t meter,
		       const char *names[static WIRING_CHANNELS_MAX]);

/* Which of them a feed is; SIZE_MAX if it is none. */
size_t wiring_index(const struct lab_target *target, const struct lab_feed *feed);

/* The first feed that takes a channel of a meter, and what it takes it for; NULL if none does. A
 * channel is taken for one thing only. */
const struct lab_feed *wiring_feed(const struct lab_target *target, size_t meter, size_t channel,
				   enum lab_feed_kind *kind);

/* The feed by which a meter shows what flows into a rail, watts or amperes; NULL if it shows none. */
const struct lab_feed *wiring_flow(const struct lab_rail *rail, size_t meter);

/* Does a meter show that of any rail of a device? */
bool wiring_shows(const struct lab_device *device, size_t meter);

/*
 * Accuracy of a device's power: the worst gain and the sum of the offsets of its rails' meters. The
 * gain of a rail of volts and amperes is that of the product, sqrt(gV^2 + gI^2); its offset depends
 * on the readings and is not in here (rail.h).
 */
struct lab_accuracy wiring_accuracy(const struct lab *lab, const struct lab_device *device);

#endif
