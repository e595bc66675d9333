/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files for the target: sent to its agent's inbox, unless they lie there already. */
#ifndef COLDRIG_SENDING_H
#define COLDRIG_SENDING_H

#include "err.h"
#include "rig.h"

/*
 * Sends what fd is open on, from its first byte, under a name. Writes "kexec" with what was done.
 * -EREMOTEIO where the agent refuses (no room, for one); others as in rig.h.
 */
int sending_put(struct rig *rig, const char *name, int fd, struct err *err);

#endif
