/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking for meters, with libsigrok in a process of its own that is killed after a limit. */
#ifndef COLDRIG_METER_SCAN_H
#define COLDRIG_METER_SCAN_H

#include "meter.h"

struct meter_found {
	char spec[160]; /* by which it can be opened */
	struct meter_identity identity;
};

typedef void meter_scan_callback(void *context, const struct meter_found *found);

/* Calls back for each meter that answers to a spec within a limit. -EINVAL for a spec that cannot be
 * one, -ENODEV with libsigrok's words if there is none, -ETIMEDOUT. */
int meter_scan(const char *spec, int64_t limit_ns, meter_scan_callback *callback, void *context,
	       struct err *err);

/* The names of all drivers that read instruments; they are in libsigrok's order. -EIO. */
int meter_scan_drivers(int64_t limit_ns, void (*callback)(void *context, const char *name),
		       void *context, struct err *err);

#endif
