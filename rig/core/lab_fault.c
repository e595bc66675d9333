/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab_fault.h"

#include <errno.h>
#include <string.h>

/*
 * is_once: of its one cycle if nothing else is said, because the machine is brought back after it.
 * is_event: nothing that could already be so when the machine is switched on.
 */
static const struct traits {
	const char *name;
	bool has_slot, is_once, is_event;
} traits[LAB_FAULT_COUNT] = {
	[LAB_FAULT_RAIL_STUCK_ON] = {"rail-stuck-on", true, false, false},
	[LAB_FAULT_RAIL_CUT_EARLY] = {"rail-cut-early", true, false, false},
	[LAB_FAULT_METER_DEAD] = {"meter-dead", false, false, false},
	[LAB_FAULT_METER_UNPLUGGED] = {"meter-unplugged", false, true, false},
	[LAB_FAULT_TARGET_HANG] = {"target-hang", false, true, false},
	[LAB_FAULT_TARGET_PANIC] = {"target-panic", false, true, true},
	[LAB_FAULT_SOFT_LOCKUP] = {"soft-lockup", false, true, true},
	[LAB_FAULT_AGENT_KILLED] = {"agent-killed", false, true, true},
	[LAB_FAULT_TRANSPORT_CUT] = {"transport-cut", false, true, true},
	[LAB_FAULT_RESET_DEAD] = {"reset-dead", false, true, true},
	[LAB_FAULT_LINE_STUCK] = {"line-stuck", false, true, true},
	[LAB_FAULT_WAKE_FAILS] = {"wake-fails", true, true, true},
	[LAB_FAULT_DEVICE_GONE] = {"device-gone", true, false, false},
	[LAB_FAULT_TOUCH_WHILE_OFF] = {"touch-while-off", true, false, false},
};

const char *lab_fault_name(enum lab_fault_kind kind)
{
	return traits[kind].name;
}

int lab_fault_parse(const char *name, enum lab_fault_kind *out)
{
	for (int i = 0; i < LAB_FAULT_COUNT; i++) {
		if (strcmp(name, traits[i].name) == 0) {
			*out = (enum lab_fault_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool lab_fault_has_slot(enum lab_fault_kind kind)
{
	return traits[kind].has_slot;
}

bool lab_fault_is_event(enum lab_fault_kind kind)
{
	return traits[kind].is_event;
}

unsigned lab_fault_cycles(const struct lab_fault *fault)
{
	if (fault->cycles)
		return fault->cycles;
	return traits[fault->kind].is_once || fault->every ? 1 : 0;
}

bool lab_fault_is_in_force(const struct lab_fault *fault, unsigned cycle)
{
	unsigned cycles = lab_fault_cycles(fault), since;

	if (cycle < fault->from_cycle)
		return false;
	since = cycle - fault->from_cycle;
	if (fault->every)
		since %= fault->every;
	return !cycles || since < cycles;
}
