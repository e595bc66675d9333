/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hands.h"

#include <errno.h>
#include <string.h>

#include "rig_parts.h"

#define OFF_NS (500 * MS_NS) /* the emulated supply has nothing to discharge */

/* What the lab file wires goes first; the virtual target has both lines in any case. */
bool hands_have_reset(const struct rig *rig)
{
	return target_lines_has(rig->lines, LAB_ROLE_RESET) || rig->vlab;
}

bool hands_have_power(const struct rig *rig)
{
	return target_lines_has(rig->lines, LAB_ROLE_POWER) || rig->vlab;
}

static int say(int r, const char *what, struct err *err)
{
	return r < 0 ? err_set(err, r, "%s: %s", what, strerror(-r)) : 0;
}

/* Whatever is the matter with a line is a step that could not be done; others may be. */
static int by_line(int r)
{
	return r < 0 ? -EHOSTDOWN : 0;
}

int hands_reset(struct rig *rig, struct err *err)
{
	if (target_lines_has(rig->lines, LAB_ROLE_RESET))
		return by_line(target_lines_press(rig->lines, LAB_ROLE_RESET, err));
	return say(vlab_reset(rig->vlab), "reset line", err);
}

int hands_cycle_power(struct rig *rig, struct err *err)
{
	int r;

	if (target_lines_has(rig->lines, LAB_ROLE_POWER))
		return by_line(target_lines_power_cycle(rig->lines, err));
	r = say(vlab_power(rig->vlab, false), "power line", err);
	if (r == 0)
		r = rig_listen(rig, journal_now_ns() + OFF_NS, err);
	return r < 0 ? r : say(vlab_power(rig->vlab, true), "power line", err);
}
