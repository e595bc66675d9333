/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices opened as a virtual machine monitor does: container, group, IOMMU type 1, device. Nothing
 * is mapped, so closing the three descriptors is all that there is to undo.
 */
#ifndef COLDRIG_VFIO_H
#define COLDRIG_VFIO_H

#include <stdbool.h>

#include "bdf.h"
#include "device.h"
#include "err.h"
#include "host.h"

/* What is open; zero-initialised is nothing. */
struct vfio {
	struct vfio_open *open;
	size_t n;
};

/*
 * The function must be bound to vfio-pci, and all others of its group too or have no driver.
 * -EALREADY if it is open, -EBUSY if its group is in use, here or in another program; -errno of the
 * step that failed.
 */
int vfio_open(struct vfio *vfio, const struct host *host, const struct bdf *bdf, struct err *err);

/* -ENOENT if it is not open. */
int vfio_close(struct vfio *vfio, const struct bdf *bdf, struct err *err);
void vfio_close_all(struct vfio *vfio);

/*
 * Writes D0 or D3hot to the power management register of a function that is open, through vfio, as
 * the driver of a virtual machine does. -ENOENT if it is not open, -ENXIO if it has no such register.
 */
int vfio_set_power(const struct vfio *vfio, const struct bdf *bdf, bool d3hot, struct err *err);

/* Any function of the list, or of their groups: taking a driver away would then block. */
bool vfio_holds(const struct vfio *vfio, const struct host *host, const struct bdf_list *list);

/* Closes what vfio_holds() asks about. */
void vfio_close_held(struct vfio *vfio, const struct host *host, const struct bdf_list *list);

/* 0, or -EBUSY if another program has the function's group open. */
int vfio_probe_free(const struct host *host, const struct bdf *bdf);

#endif
