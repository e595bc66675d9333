/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A function open through the group interface of vfio, IOMMU type 1. Everything here ends the test
 * when it fails, unless it says otherwise.
 */
#ifndef CONFORMANCE_VFIO_H
#define CONFORMANCE_VFIO_H

#include <linux/vfio.h>

#include "config.h"
#include "device.h"

struct vfio {
	const char *bdf; /* borrowed from the device */
	int container, group, fd;
	uint32_t group_number;
	struct config config; /* as vfio shows it */
	unsigned pm;	      /* offset of the power management capability in it */
	bool resets;	      /* VFIO_DEVICE_RESET is there */
};

/* Opens it, and enables its memory BARs in the command register. */
void vfio_open(struct vfio *vfio, const struct device *device);

/* Mappings keep it open: unmap them first. */
void vfio_close(struct vfio *vfio);

/* The D-state in PMCSR as vfio shows it, and a write of it as a guest does it. */
unsigned vfio_state(const struct vfio *vfio);
void vfio_set_state(const struct vfio *vfio, unsigned state);

/* Writes it and ends the test unless it reads back. */
void vfio_enter_state(const struct vfio *vfio, unsigned state);

/* 0 or -errno. */
int vfio_reset(const struct vfio *vfio);

/* VFIO_DEVICE_PCI_HOT_RESET with this group; skips where the set has members outside of it. */
void vfio_hot_reset(const struct vfio *vfio);

#endif
