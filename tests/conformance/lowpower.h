/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The low power features of VFIO_DEVICE_FEATURE. Defined here, under names of our own, because
 * <linux/vfio.h> has them only from 6.1 on; the numbers and the layout are that header's.
 */
#ifndef CONFORMANCE_LOWPOWER_H
#define CONFORMANCE_LOWPOWER_H

#include <stdint.h>

#include "vfio.h"

enum lowpower_feature {
	LOWPOWER_ENTRY = 3,		/* no data */
	LOWPOWER_ENTRY_WITH_WAKEUP = 4, /* struct lowpower_wakeup */
	LOWPOWER_EXIT = 5,		/* no data */
};

struct lowpower_wakeup {
	int32_t wakeup_eventfd;
	uint32_t reserved;
};

/* Asks whether the feature can be used as flags say: VFIO_DEVICE_FEATURE_SET, _GET. 0 or -errno. */
int lowpower_probe(const struct vfio *vfio, enum lowpower_feature feature, uint32_t flags);

/* 0 or -errno. */
int lowpower_entry(const struct vfio *vfio);
int lowpower_entry_with_wakeup(const struct vfio *vfio, int eventfd);
int lowpower_exit(const struct vfio *vfio);

/* Entry, and the test ends unless the device then suspends. */
void lowpower_sleep(const struct vfio *vfio);

/* Exit, and the test ends unless it is awake then. */
void lowpower_wake(const struct vfio *vfio);

#endif
