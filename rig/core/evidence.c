/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "evidence.h"

static const char *const sysfs_names[SYSFS_COUNT] = {"none", "D3cold", "D3hot", "active"};
static const char *const acpi_names[ACPI_COUNT] = {"none", "D3cold", "on"};
static const char *const rpm_names[RPM_COUNT] = {"none", "suspended", "active"};
static const char *const meter_names[METER_COUNT] = {"none", "cold", "not cold"};

const char *evidence_sysfs_name(enum evidence_sysfs v)
{
	return sysfs_names[v];
}

const char *evidence_acpi_name(enum evidence_acpi v)
{
	return acpi_names[v];
}

const char *evidence_rpm_name(enum evidence_rpm v)
{
	return rpm_names[v];
}

const char *evidence_meter_name(enum evidence_meter v)
{
	return meter_names[v];
}
