/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scenario.h"

#include <errno.h>
#include <string.h>

static const struct action actions[ACTION_COUNT] = {
	[ACTION_UNBIND] = {"unbind", "unbind", true}, [ACTION_NATIVE] = {"native", "native", true},
	[ACTION_BIND] = {"bind", "bind", true},	      [ACTION_OPEN] = {"open", "open", true},
	[ACTION_CLOSE] = {"close", "close", true},    [ACTION_VFS_ON] = {"vfs-on", "vfs", true},
	[ACTION_VFS_OFF] = {"vfs-off", "vfs", true},  [ACTION_HOLD] = {"hold", NULL, true},
};

static const struct scenario scenarios[SCENARIO_COUNT] = {
	[SCENARIO_IDLE] =
		{
			.name = "idle",
			.what = "bound to vfio-pci, opened by nobody, left alone",
		},
	[SCENARIO_REBIND] =
		{
			.name = "rebind",
			.what = "unbound, given to its own driver, unbound, bound to vfio-pci "
				"again",
			.actions_n = 5,
			.actions = {ACTION_UNBIND, ACTION_NATIVE, ACTION_HOLD, ACTION_UNBIND,
				    ACTION_BIND},
		},
	[SCENARIO_OPEN_CLOSE] =
		{
			.name = "open-close",
			.what = "opened through vfio, held open, closed",
			.actions_n = 3,
			.actions = {ACTION_OPEN, ACTION_HOLD, ACTION_CLOSE},
		},
	[SCENARIO_SRIOV] =
		{
			.name = "sriov",
			.what = "virtual functions enabled, left, disabled",
			.needs_sriov = true,
			.actions_n = 3,
			.actions = {ACTION_VFS_ON, ACTION_HOLD, ACTION_VFS_OFF},
		},
};

const struct scenario *scenario_get(enum scenario_id id)
{
	return &scenarios[id];
}

const struct action *action_get(enum action_id id)
{
	return &actions[id];
}

int scenario_parse(const char *name, enum scenario_id *out)
{
	for (int i = 0; i < SCENARIO_COUNT; i++) {
		if (strcmp(name, scenarios[i].name) == 0) {
			*out = (enum scenario_id)i;
			return 0;
		}
	}
	return -EINVAL;
}

int action_parse(const char *name, enum action_id *out)
{
	for (int i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(name, actions[i].name) == 0) {
			*out = (enum action_id)i;
			return 0;
		}
	}
	return -EINVAL;
}
