/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's power state words, as sysfs prints them (Documentation/ABI/testing/sysfs-bus-pci). */
#ifndef COLDRIG_PMSTATE_H
#define COLDRIG_PMSTATE_H

enum pm_state {
	PM_STATE_UNKNOWN, /* not read, or a word that this table lacks */
	PM_STATE_D0,
	PM_STATE_D1,
	PM_STATE_D2,
	PM_STATE_D3HOT,
	PM_STATE_D3COLD,
	PM_STATE_COUNT
};

enum pm_status { /* power/runtime_status */
		 PM_STATUS_UNKNOWN,
		 PM_STATUS_ACTIVE,
		 PM_STATUS_SUSPENDED,
		 PM_STATUS_SUSPENDING,
		 PM_STATUS_RESUMING,
		 PM_STATUS_ERROR,
		 PM_STATUS_UNSUPPORTED,
		 PM_STATUS_COUNT
};

/* Words to values; NULL and words that are not the kernel's give UNKNOWN. */
enum pm_state pm_state_parse(const char *word);
enum pm_status pm_status_parse(const char *word);

/* Values to words; never NULL. */
const char *pm_state_name(enum pm_state state);
const char *pm_status_name(enum pm_status status);

#endif
