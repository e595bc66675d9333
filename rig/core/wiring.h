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

/* The rail of a device that a channel of a meter feeds; NULL if none does. */
const struct lab_rail *wiring_rail(const struct lab_target *target, const struct lab_device *device,
				   size_t meter, size_t channel);

/* Accuracy of a device's power: the worst gain and the sum of the offsets of its rails' meters. */
struct lab_accuracy wiring_accuracy(const struct lab *lab, const struct lab_device *device);

#endif
