/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state that every test starts from, whatever the one before it left behind. */
#ifndef CONFORMANCE_BASELINE_H
#define CONFORMANCE_BASELINE_H

#include "device.h"

/*
 * No VFs, all functions of the group bound to vfio-pci and closed, wake-up off, D3cold allowed on
 * them and on the ports above. Does not touch power/control, which is the driver's to set.
 * Ends the test when that cannot be had.
 */
void baseline(const struct device *device);

/* Whether power/wakeup, d3cold_allowed are as baseline() wants them; to be called after a bind. */
void baseline_power(const char *bdf);

#endif
