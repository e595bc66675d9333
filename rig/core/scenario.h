/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenarios as data: what one cycle does to a device before it is left alone.
 *
 * A cycle is: the actions of its scenario in order, then the settle time, then the dwell, in which
 * nothing is asked of the device and the witnesses are read.
 */
#ifndef COLDRIG_SCENARIO_H
#define COLDRIG_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

enum scenario_id {
	SCENARIO_IDLE,
	SCENARIO_REBIND,
	SCENARIO_OPEN_CLOSE,
	SCENARIO_SRIOV,
	SCENARIO_COUNT
};

enum action_id {
	ACTION_UNBIND, /* all functions of the slot from their drivers */
	ACTION_NATIVE, /* let the kernel bind their own drivers */
	ACTION_BIND,   /* bind them to vfio-pci */
	ACTION_OPEN,   /* open the device through vfio, as a virtual machine monitor does */
	ACTION_CLOSE,
	ACTION_VFS_ON, /* enable virtual functions */
	ACTION_VFS_OFF,
	ACTION_HOLD, /* leave it in use for the plan's hold time */
	ACTION_COUNT
};

struct action {
	const char *name; /* in the journal */
	const char *op;	  /* the agent's operation, NULL for ACTION_HOLD */
	bool wakes;	  /* a resume during this action was asked for */
};

#define SCENARIO_ACTIONS_MAX 6

struct scenario {
	const char *name;
	const char *what; /* one line for help and docs */
	bool needs_sriov; /* devices without VFs are left out */
	size_t actions_n;
	enum action_id actions[SCENARIO_ACTIONS_MAX];
};

const struct scenario *scenario_get(enum scenario_id id);
const struct action *action_get(enum action_id id);

/* -EINVAL for a name that is none. */
int scenario_parse(const char *name, enum scenario_id *out);
int action_parse(const char *name, enum action_id *out);

#endif
