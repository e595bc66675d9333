/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each witness says of one cycle: the only input of a verdict. */
#ifndef COLDRIG_EVIDENCE_H
#define COLDRIG_EVIDENCE_H

#include <stdbool.h>

/* Is the device still there, and did it come back when it was asked to? */
enum evidence_presence { PRESENCE_THERE, PRESENCE_LOST, PRESENCE_COUNT };

/* power_state and runtime_status in sysfs, read at both ends of the dwell; the more awake counts. */
enum evidence_sysfs {
	SYSFS_NONE, /* not read, "unknown", or contradicting words */
	SYSFS_D3COLD,
	SYSFS_D3HOT,
	SYSFS_ACTIVE, /* D0, D1, D2 */
	SYSFS_COUNT
};

/* real_power_state of the slot's ACPI node: what the platform's power resources say. */
enum evidence_acpi { ACPI_NONE, ACPI_D3COLD, ACPI_ON, ACPI_COUNT };

/* The rpm trace, or polling where there is no trace. */
enum evidence_rpm { RPM_NONE, RPM_SUSPENDED, RPM_ACTIVE, RPM_COUNT };

/* The meter over the dwell, judged against levels of the same run (level.h). */
enum evidence_meter { METER_NONE, METER_COLD, METER_NOT_COLD, METER_COUNT };

struct evidence {
	enum evidence_presence presence;
	enum evidence_sysfs sysfs;
	enum evidence_acpi acpi;
	enum evidence_rpm rpm;
	enum evidence_meter meter;
};

const char *evidence_sysfs_name(enum evidence_sysfs v);
const char *evidence_acpi_name(enum evidence_acpi v);
const char *evidence_rpm_name(enum evidence_rpm v);
const char *evidence_meter_name(enum evidence_meter v);

#endif
