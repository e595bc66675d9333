/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which driver a function has. Nothing here may be called while the function is open through vfio:
 * on 5.10 an unbind then blocks for ever, and cannot be killed.
 */
#ifndef COLDRIG_DRIVER_H
#define COLDRIG_DRIVER_H

#include "bdf.h"
#include "err.h"
#include "host.h"

#define DRIVER_VFIO "vfio-pci"

/* From its driver, if it has one. */
int driver_unbind(const struct host *host, const struct bdf *bdf, struct err *err);

/* To vfio-pci, and no more enabled to wake the machine; -ENODEV if it has another driver or none
 * afterwards. */
int driver_to_vfio(const struct host *host, const struct bdf *bdf, struct err *err);

/* To what the kernel chooses by itself, which may be none: 0 all the same. */
int driver_to_native(const struct host *host, const struct bdf *bdf, struct err *err);

/* To this driver, "" for none, with this driver_override, "" for none. */
int driver_restore(const struct host *host, const struct bdf *bdf, const char *driver,
		   const char *override, struct err *err);

/* driver_override, "" where it is not set. */
int driver_override_get(const struct host *host, const struct bdf *bdf, char *text);

/* That many virtual functions, 0 for none; fresh ones are left without the kernel's choice of
 * driver. */
int driver_set_vfs(const struct host *host, const struct bdf *bdf, long count, struct err *err);

#endif
