/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The emulated ADM1272 of QEMU: what it is told for a current in a slot, and what the probe must
 * know to read it truly. Pure.
 *
 * The model takes milliamperes as they would be with the 300 uohm of the data sheet, in 16 bits,
 * and makes its code of them with a rounded coefficient, cutting off the fraction:
 *
 *   code = floor((198 * I + 20480) / 10)     I in A; the data sheet has 663 * 0.3 = 198.9
 *   code = floor(4062 * V / 100)
 */
#ifndef COLDRIG_CHIPSET_H
#define COLDRIG_CHIPSET_H

#include <stdint.h>

#include "lab.h"
#include "settings.h"

/* What to tell the slot's chip for a power; ends at 0 and at the largest that it takes. */
uint16_t chipset_milliamperes(const struct lab_virtual *virt, const struct lab_slot *slot,
			      double watts);

/* How far two readings of a slot are apart at least, in W. */
double chipset_step_w(const struct lab_virtual *virt, const struct lab_slot *slot);

/* The probe's settings for this lab: a DP832, its channels calibrated to the model. */
void chipset_settings(const struct lab_virtual *virt, struct settings *settings);

#endif
