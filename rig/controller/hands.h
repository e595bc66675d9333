/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rig can do to its target from outside: reset and power. */
#ifndef COLDRIG_HANDS_H
#define COLDRIG_HANDS_H

#include <stdbool.h>

#include "rig.h"

bool hands_have_reset(const struct rig *rig);
bool hands_have_power(const struct rig *rig);

/* Presses the reset button; cuts the power, waits, and gives it back. Return once the line has
 * followed; the target is still booting then. -EHOSTDOWN with words: the line failed. Others: as
 * rig_listen(). */
int hands_reset(struct rig *rig, struct err *err);
int hands_cycle_power(struct rig *rig, struct err *err);

#endif
