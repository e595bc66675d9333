/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "state_word.h"

#include "pmstate.h"

static enum evidence_sysfs sysfs_word(enum pm_state state, enum pm_status status)
{
	switch (state) {
	case PM_STATE_D3COLD:
		/* A device that is in use cannot be in D3cold: one of the two words is wrong. */
		return status == PM_STATUS_ACTIVE ? SYSFS_NONE : SYSFS_D3COLD;
	case PM_STATE_D3HOT:
		return SYSFS_D3HOT;
	case PM_STATE_D0:
	case PM_STATE_D1:
	case PM_STATE_D2:
		return SYSFS_ACTIVE;
	default:
		return status == PM_STATUS_ACTIVE ? SYSFS_ACTIVE : SYSFS_NONE;
	}
}

static enum evidence_acpi acpi_word(const struct msg *state)
{
	const char *word = msg_get_str(msg_get(state, "port"), "acpi");

	if (!word)
		word = msg_get_str(state, "acpi");
	if (!word)
		return ACPI_NONE;
	switch (pm_state_parse(word)) {
	case PM_STATE_UNKNOWN: /* the kernel's "(unknown)" */
		return ACPI_NONE;
	case PM_STATE_D3COLD:
		return ACPI_D3COLD;
	default:
		return ACPI_ON;
	}
}

static enum evidence_rpm rpm_word(enum pm_status status)
{
	switch (status) {
	case PM_STATUS_SUSPENDED:
		return RPM_SUSPENDED;
	case PM_STATUS_ACTIVE:
	case PM_STATUS_RESUMING:
	case PM_STATUS_SUSPENDING:
		return RPM_ACTIVE;
	default:
		return RPM_NONE;
	}
}

struct state_word state_word_read(const struct msg *state)
{
	enum pm_state power_state = pm_state_parse(msg_get_str(state, "power_state"));
	enum pm_status status = pm_status_parse(msg_get_str(state, "runtime_status"));

	return (struct state_word){
		.sysfs = sysfs_word(power_state, status),
		.acpi = acpi_word(state),
		.rpm = rpm_word(status),
	};
}

struct state_word state_word_weaker(const struct state_word *a, const struct state_word *b)
{
	struct state_word w = {0};

	if (a->sysfs && b->sysfs)
		w.sysfs = a->sysfs > b->sysfs ? a->sysfs : b->sysfs;
	if (a->acpi && b->acpi)
		w.acpi = a->acpi > b->acpi ? a->acpi : b->acpi;
	if (a->rpm && b->rpm)
		w.rpm = a->rpm > b->rpm ? a->rpm : b->rpm;
	return w;
}
