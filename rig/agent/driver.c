/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "sysfs.h"

static int fail(struct err *err, int r, const struct bdf *bdf, const char *what)
{
	char name[BDF_TEXT_SIZE];

	bdf_format(bdf, name);
	return err_set(err, r, "%s: %s: %s", name, what, strerror(-r));
}

int driver_override_get(const struct host *host, const struct bdf *bdf, char *text)
{
	int r = device_read(host, bdf, "driver_override", text);

	if (r == 0 && strcmp(text, "(null)") == 0)
		text[0] = 0;
	return r;
}

static int set_override(const struct host *host, const struct bdf *bdf, const char *driver,
			struct err *err)
{
	char now[DEVICE_TEXT_SIZE];
	int r = driver_override_get(host, bdf, now);

	if (r == 0 && strcmp(now, driver) != 0)
		r = device_write(host, bdf, "driver_override", *driver ? driver : "\n");
	return r < 0 ? fail(err, r, bdf, "driver_override not set") : 0;
}

int driver_unbind(const struct host *host, const struct bdf *bdf, struct err *err)
{
	char driver[DEVICE_TEXT_SIZE], name[BDF_TEXT_SIZE];
	int r;

	device_driver(host, bdf, driver);
	if (!*driver)
		return 0;
	bdf_format(bdf, name);
	r = sysfs_write(host, name, "bus/pci/drivers/%s/unbind", driver);
	if (r < 0)
		return err_set(err, r, "%s: not unbound from %s: %s", name, driver, strerror(-r));
	device_driver(host, bdf, driver);
	if (*driver)
		return err_set(err, -EBUSY, "%s: still bound to %s after unbind", name, driver);
	return 0;
}

static int probe(const struct host *host, const struct bdf *bdf, struct err *err)
{
	char name[BDF_TEXT_SIZE];
	int r;

	bdf_format(bdf, name);
	r = sysfs_write(host, name, "bus/pci/drivers_probe");
	return r < 0 ? fail(err, r, bdf, "no driver took it") : 0;
}

/*
 * A native driver may leave the function enabled to wake the machine (igb does). From D3cold it mostly
 * cannot, so the kernel then keeps the port powered for its sake, also under vfio-pci, which never
 * asks for wakeup. The port is looked at anew when d3cold_allowed is written, not before.
 */
static int give_up_wakeup(const struct host *host, const struct bdf *bdf, struct err *err)
{
	char text[DEVICE_TEXT_SIZE];
	int r;

	if (device_read(host, bdf, "power/wakeup", text) < 0 || strcmp(text, "enabled") != 0)
		return 0;
	r = device_write(host, bdf, "power/wakeup", "disabled");
	if (r == 0 && device_read(host, bdf, "d3cold_allowed", text) == 0)
		r = device_write(host, bdf, "d3cold_allowed", text);
	return r < 0 ? fail(err, r, bdf, "wakeup not given up") : 0;
}

int driver_to_vfio(const struct host *host, const struct bdf *bdf, struct err *err)
{
	char driver[DEVICE_TEXT_SIZE], name[BDF_TEXT_SIZE], place[PATH_MAX];
	int r;

	device_driver(host, bdf, driver);
	if (strcmp(driver, DRIVER_VFIO) == 0)
		return give_up_wakeup(host, bdf, err);
	bdf_format(bdf, name);
	if (sysfs_resolve(host, place, "bus/pci/drivers/%s", DRIVER_VFIO) < 0)
		return err_set(err, -ENODEV, "%s: the module vfio-pci is not loaded", name);
	r = set_override(host, bdf, DRIVER_VFIO, err);
	if (r == 0)
		r = driver_unbind(host, bdf, err);
	if (r == 0)
		r = give_up_wakeup(host, bdf, err);
	if (r == 0)
		r = probe(host, bdf, err);
	if (r < 0)
		return r;
	device_driver(host, bdf, driver);
	if (strcmp(driver, DRIVER_VFIO) != 0)
		return err_set(err, -ENODEV, "%s: vfio-pci did not take it, its driver is %s", name,
			       *driver ? driver : "none");
	return 0;
}

int driver_to_native(const struct host *host, const struct bdf *bdf, struct err *err)
{
	char driver[DEVICE_TEXT_SIZE];
	int r = set_override(host, bdf, "", err);

	if (r < 0)
		return r;
	device_driver(host, bdf, driver);
	if (*driver && strcmp(driver, DRIVER_VFIO) != 0)
		return 0;
	r = driver_unbind(host, bdf, err);
	return r < 0 ? r : probe(host, bdf, err);
}

static int bind_to(const struct host *host, const struct bdf *bdf, const char *driver,
		   struct err *err)
{
	char name[BDF_TEXT_SIZE], now[DEVICE_TEXT_SIZE];
	int r;

	bdf_format(bdf, name);
	r = sysfs_write(host, name, "bus/pci/drivers/%s/bind", driver);
	device_driver(host, bdf, now);
	if (strcmp(now, driver) == 0)
		return 0;
	return err_set(err, r < 0 ? r : -ENODEV, "%s: its driver %s did not take it back%s%s", name,
		       driver, r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
}

int driver_restore(const struct host *host, const struct bdf *bdf, const char *driver,
		   const char *override, struct err *err)
{
	char now[DEVICE_TEXT_SIZE];
	int r = 0;

	device_driver(host, bdf, now);
	if (*now && strcmp(now, driver) != 0)
		r = driver_unbind(host, bdf, err);
	if (r == 0)
		r = set_override(host, bdf, override, err);
	if (r == 0 && *driver && strcmp(now, driver) != 0)
		r = bind_to(host, bdf, driver, err);
	return r;
}

static int write_vfs(const struct host *host, const struct bdf *bdf, long count, struct err *err)
{
	char text[24];
	int r;

	snprintf(text, sizeof(text), "%ld", count);
	r = device_write(host, bdf, "sriov_numvfs", text);
	if (r == -ENOENT)
		return fail(err, r, bdf,
			    "no virtual functions: without its driver, or no SR-IOV "
			    "(vfio-pci needs enable_sriov=1)");
	return r < 0 ? fail(err, r, bdf, "virtual functions not switched") : 0;
}

int driver_set_vfs(const struct host *host, const struct bdf *bdf, long count, struct err *err)
{
	char autoprobe[DEVICE_TEXT_SIZE];
	bool switched_off;
	long now, total;
	int r;

	r = device_number(host, bdf, "sriov_totalvfs", &total);
	if (r == 0)
		r = device_number(host, bdf, "sriov_numvfs", &now);
	if (r < 0)
		return fail(err, r, bdf, "it has no SR-IOV");
	if (count < 0 || count > total)
		return err_set(err, -EINVAL, "count %ld: it has at most %ld virtual functions",
			       count, total);
	if (count == now)
		return 0;
	if (now > 0) {
		r = write_vfs(host, bdf, 0, err);
		if (r < 0 || count == 0)
			return r;
	}
	switched_off = device_read(host, bdf, "sriov_drivers_autoprobe", autoprobe) == 0 &&
		       strcmp(autoprobe, "1") == 0 &&
		       device_write(host, bdf, "sriov_drivers_autoprobe", "0") == 0;
	r = write_vfs(host, bdf, count, err);
	if (switched_off && device_write(host, bdf, "sriov_drivers_autoprobe", "1") < 0)
		host_say("sriov_drivers_autoprobe: could not be set back to 1");
	return r;
}
