/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "saved.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bind.h"
#include "params.h"
#include "power.h"

#define PCI "bus/pci/devices/%s/"

bool saved_has(const struct saved *saved, const char *bdf)
{
	for (size_t i = 0; i < saved->n; i++) {
		if (strcmp(saved->at[i].bdf, bdf) == 0)
			return true;
	}
	return false;
}

static bool add(struct saved *saved, const char *bdf, int group)
{
	struct saved_function *f = &saved->at[saved->n];

	if (saved_has(saved, bdf))
		return true;
	if (saved->n == SAVED_MAX)
		return false;
	snprintf(f->bdf, sizeof(f->bdf), "%s", bdf);
	f->group = group;
	bind_driver(bdf, f->driver);
	sysfs_read(f->driver_override, PCI "driver_override", bdf);
	sysfs_read(f->control, PCI "power/control", bdf);
	sysfs_read(f->wakeup, PCI "power/wakeup", bdf);
	sysfs_read(f->d3cold_allowed, PCI "d3cold_allowed", bdf);
	saved->n++;
	return true;
}

bool saved_add(struct saved *saved, const struct device *device)
{
	for (size_t i = 0; i < device->functions_n; i++) {
		if (!add(saved, device->functions[i], device->group))
			return false;
	}
	for (size_t i = 0; i < device->ports_n; i++) {
		if (!add(saved, device->ports[i], -1))
			return false;
	}
	return true;
}

void saved_add_params(struct saved *saved)
{
	saved->idle = param_get(PARAM_IDLE);
	saved->sriov = param_get(PARAM_SRIOV);
}

void saved_leave_group(struct saved *saved, int group)
{
	for (size_t i = 0; i < saved->n; i++)
		saved->at[i].leave |= saved->at[i].group == group;
}

static unsigned complain(const char *bdf, const char *what, int r)
{
	if (r >= 0)
		return 0;
	printf("# restore: %s: %s: %s\n", bdf, what, strerror(-r));
	return 1;
}

/* Attributes that are not there were saved as empty. */
static unsigned put(const char *bdf, const char *attribute, const char *value)
{
	char now[SYSFS_TEXT_SIZE];

	sysfs_read(now, PCI "%s", bdf, attribute);
	if (!value[0] || strcmp(now, value) == 0)
		return 0;
	return complain(bdf, attribute, sysfs_write(value, PCI "%s", bdf, attribute));
}

static unsigned release(const struct saved_function *f)
{
	unsigned failed = 0;

	if (sysfs_number(PCI "sriov_numvfs", f->bdf) > 0)
		failed += complain(f->bdf, "sriov_numvfs",
				   sysfs_write("0", PCI "sriov_numvfs", f->bdf));
	return failed + complain(f->bdf, "unbind", bind_release(f->bdf, f->group));
}

static unsigned bind(const struct saved_function *f)
{
	bool none = !f->driver_override[0] || strcmp(f->driver_override, "(null)") == 0;
	unsigned failed;
	int r;

	r = sysfs_write(none ? "\n" : f->driver_override, PCI "driver_override", f->bdf);
	failed = complain(f->bdf, "driver_override", r);
	if (f->driver[0]) {
		r = sysfs_write(f->bdf, "bus/pci/drivers/%s/bind", f->driver);
		failed += complain(f->bdf, f->driver, r);
	}
	return failed;
}

/* d3cold_allowed comes last, and always: writing it makes the kernel look at the others again. */
static unsigned put_power(const struct saved_function *f)
{
	unsigned failed = put(f->bdf, "power/wakeup", f->wakeup);

	failed += put(f->bdf, "power/control", f->control);
	if (f->d3cold_allowed[0])
		failed += complain(f->bdf, "d3cold_allowed",
				   power_allow_d3cold(f->bdf, f->d3cold_allowed));
	return failed;
}

static unsigned put_param(const char *name, char value)
{
	if (!value || param_get(name) == value)
		return 0;
	return complain("vfio-pci", name, param_put(name, value));
}

unsigned saved_restore(const struct saved *saved)
{
	unsigned failed = 0;

	for (size_t i = 0; i < saved->n; i++) {
		const struct saved_function *f = &saved->at[i];

		if (f->leave)
			printf("# restore: %s: left as it is, something in the kernel holds it\n",
			       f->bdf);
		else if (f->group >= 0)
			failed += release(f);
	}
	failed += put_param(PARAM_IDLE, saved->idle);
	failed += put_param(PARAM_SRIOV, saved->sriov);
	for (size_t i = 0; i < saved->n; i++) {
		if (!saved->at[i].leave && saved->at[i].group >= 0)
			failed += bind(&saved->at[i]);
	}
	for (size_t i = 0; i < saved->n; i++) {
		if (!saved->at[i].leave)
			failed += put_power(&saved->at[i]);
	}
	fflush(stdout);
	return failed;
}
