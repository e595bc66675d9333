/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pmstate.h"

#include <string.h>

static const char *const state_names[PM_STATE_COUNT] = {
	[PM_STATE_UNKNOWN] = "unknown", [PM_STATE_D0] = "D0",	    [PM_STATE_D1] = "D1",
	[PM_STATE_D2] = "D2",		[PM_STATE_D3HOT] = "D3hot", [PM_STATE_D3COLD] = "D3cold",
};

static const char *const status_names[PM_STATUS_COUNT] = {
	[PM_STATUS_UNKNOWN] = "unknown",	 [PM_STATUS_ACTIVE] = "active",
	[PM_STATUS_SUSPENDED] = "suspended",	 [PM_STATUS_SUSPENDING] = "suspending",
	[PM_STATUS_RESUMING] = "resuming",	 [PM_STATUS_ERROR] = "error",
	[PM_STATUS_UNSUPPORTED] = "unsupported",
};

enum pm_state pm_state_parse(const char *word)
{
	for (int i = 0; word && i < PM_STATE_COUNT; i++) {
		if (strcmp(word, state_names[i]) == 0)
			return (enum pm_state)i;
	}
	return PM_STATE_UNKNOWN;
}

enum pm_status pm_status_parse(const char *word)
{
	for (int i = 0; word && i < PM_STATUS_COUNT; i++) {
		if (strcmp(word, status_names[i]) == 0)
			return (enum pm_status)i;
	}
	return PM_STATUS_UNKNOWN;
}

const char *pm_state_name(enum pm_state state)
{
	return state_names[state];
}

const char *pm_status_name(enum pm_status status)
{
	return status_names[status];
}
