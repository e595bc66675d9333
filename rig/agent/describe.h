/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DEVICE and STATE of protocol.h, read from sysfs. */
#ifndef COLDRIG_DESCRIBE_H
#define COLDRIG_DESCRIBE_H

#include "bdf.h"
#include "device.h"
#include "guard.h"
#include "host.h"
#include "msg.h"

/* Owned by the caller. */
struct msg *describe_device(const struct host *host, const struct guard *guard,
			    const struct bdf *bdf);

/* Adds STATE's members to an answer, after waiting for transitions to pass. */
void describe_state(const struct host *host, const struct bdf *bdf, struct msg *answer);

/* BDFs as an array of strings, without skip (may be NULL); owned by the caller. */
struct msg *describe_list(const struct bdf_list *list, const struct bdf *skip);

#endif
