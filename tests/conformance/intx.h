/* SPDX-License-Identifier: GPL-3.0-or-later */
/* INTx of an open function, delivered to an eventfd. */
#ifndef CONFORMANCE_INTX_H
#define CONFORMANCE_INTX_H

#include <stdbool.h>

#include "bar.h"

struct intx {
	const struct vfio *vfio;
	int eventfd;
};

/* Enables it; skips where the function has none that config space can mask. */
void intx_enable(struct intx *intx, const struct vfio *vfio);

void intx_mask(const struct intx *intx);
void intx_unmask(const struct intx *intx);

/* An eventfd that unmasks it when signalled: no access through the device's file. */
int intx_unmask_eventfd(const struct intx *intx);

/* Whether the real command register has it masked. */
bool intx_is_masked(const struct intx *intx);

/* How many events came within 200 ms; takes them. */
unsigned long intx_events(const struct intx *intx);

/*
 * Makes the device assert its interrupt, for devices of which it is known how; false for others.
 * To be acknowledged, so that it stops asserting it.
 */
bool intx_fire(const struct vfio *vfio, const struct bar *bar);
void intx_acknowledge(const struct bar *bar);

#endif
