/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Drivers of functions. Functions return 0 or a negative errno. Nothing here unbinds a function
 * whose group somebody has open: on old kernels that would hang for good.
 */
#ifndef CONFORMANCE_BIND_H
#define CONFORMANCE_BIND_H

#include <stdbool.h>

#include "device.h"
#include "sysfs.h"

/* Empty when it has none. */
void bind_driver(const char *bdf, char driver[static SYSFS_TEXT_SIZE]);

bool bind_is_vfio(const char *bdf);

/* True when another program, or another process of this one, has the group open. */
bool bind_is_open(int group);

/* The same, after having waited for up to two seconds for it to be let go. */
bool bind_stays_open(int group);

/* To the driver that has it; 0 when none has. -EBUSY when its group is open. */
int bind_release(const char *bdf, int group);

/* driver_override and drivers_probe; 0 when it is bound to vfio-pci already. */
int bind_to_vfio(const char *bdf, int group);

/* All functions of the group; the first that fails decides. */
int bind_release_all(const struct device *device);
int bind_to_vfio_all(const struct device *device);

#endif
