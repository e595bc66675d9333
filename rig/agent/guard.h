/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Do no harm: what the machine needs in order to go on, and which devices carry it.
 *
 * A guard is a look at the machine at one moment: mounted file systems and swap (through device
 * mapper, RAID and NVMe multipath), network interfaces with a route (through bonds and bridges),
 * the console, and what the agent itself talks over. Each leads to a place in the device tree, and
 * a function is needed when it lies on the way there.
 */
#ifndef COLDRIG_GUARD_H
#define COLDRIG_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "bdf.h"
#include "err.h"
#include "host.h"

struct guard;

/* fds: what the agent talks over, usually 0 and 1. Never NULL; guard_free() releases it. */
struct guard *guard_new(const struct host *host, const int *fds, size_t n);
void guard_free(struct guard *guard);

/*
 * Whether the machine needs this function, another of its slot, or a member of their IOMMU groups;
 * a bridge is always needed. Why is one sentence in *why, for people.
 */
bool guard_needs(const struct guard *guard, const struct bdf *bdf, struct err *why);

#endif
