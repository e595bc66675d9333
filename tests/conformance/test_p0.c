/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold before the series, after each patch of it, and in later kernels. */
#include <string.h>

#include "bar.h"
#include "bind.h"
#include "config.h"
#include "sysfs.h"
#include "test.h"
#include "verdict.h"
#include "vfio.h"

static void open_and_close(const struct device *device)
{
	struct vfio vfio;

	for (int i = 0; i < 3; i++) {
		vfio_open(&vfio, device);
		vfio_close(&vfio);
	}
}

static void bar_reads(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	expect_readable(&bar, "in D0");
	map = bar_map(&bar);
	note("the first register of BAR %u reads 0x%08x", bar.index, bar_value(map, "in D0"));
}

static uint32_t real_ids(const struct device *device)
{
	struct config real = config_real(device->bdf);

	return config_read32(&real, PCI_VENDOR_ID);
}

static void config_reads(const struct device *device)
{
	uint32_t ids = real_ids(device);
	struct vfio vfio;

	vfio_open(&vfio, device);
	check(config_read32(&vfio.config, PCI_VENDOR_ID) == ids,
	      "vfio shows other identifiers than sysfs");
	check(vfio_state(&vfio) == 0, "PMCSR shows D%u after open", vfio_state(&vfio));
}

static void config_reads_in_d3hot(const struct device *device)
{
	struct vfio vfio;
	uint32_t ids;

	vfio_open(&vfio, device);
	ids = config_read32(&vfio.config, PCI_VENDOR_ID);
	vfio_enter_state(&vfio, 3);
	check(config_read32(&vfio.config, PCI_VENDOR_ID) == ids, "identifiers differ in D3hot");
	vfio_enter_state(&vfio, 0);
}

static void bar_after_d3hot(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	vfio_enter_state(&vfio, 3);
	vfio_enter_state(&vfio, 0);
	expect_readable(&bar, "back in D0");
	bar_value(bar_map(&bar), "of a mapping made back in D0");
}

static void open_after_d3hot_close(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	vfio_open(&vfio, device);
	vfio_enter_state(&vfio, 3);
	vfio_close(&vfio);
	vfio_open(&vfio, device);
	check(vfio_state(&vfio) == 0, "PMCSR shows D%u after open", vfio_state(&vfio));
	bar_find(&bar, &vfio);
	expect_readable(&bar, "after open");
}

static void reset(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;
	int r;

	vfio_open(&vfio, device);
	if (!vfio.resets)
		skip("%s: it has no reset of its own", device->bdf);
	r = vfio_reset(&vfio);
	check(r == 0, "VFIO_DEVICE_RESET: %s", strerror(-r));
	bar_find(&bar, &vfio);
	expect_readable(&bar, "after a reset");
}

static void hot_reset(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	vfio_open(&vfio, device);
	vfio_hot_reset(&vfio);
	check(vfio_state(&vfio) == 0, "PMCSR shows D%u after a hot reset", vfio_state(&vfio));
	bar_find(&bar, &vfio);
	expect_readable(&bar, "after a hot reset");
}

static void unbind_and_bind(const struct device *device)
{
	struct vfio vfio;
	int r;

	for (int i = 0; i < 3; i++) {
		r = bind_release(device->bdf, device->group);
		check(r == 0, "unbind: %s", strerror(-r));
		r = bind_to_vfio(device->bdf, device->group);
		check(r == 0, "bind: %s", strerror(-r));
	}
	vfio_open(&vfio, device);
}

static void vfs_on_and_off(const struct device *device)
{
	int r = sysfs_write("1", "bus/pci/devices/%s/sriov_numvfs", device->bdf);

	check(r == 0, "sriov_numvfs=1: %s", strerror(-r));
	check(sysfs_has("bus/pci/devices/%s/virtfn0", device->bdf), "there is no VF");
	r = sysfs_write("0", "bus/pci/devices/%s/sriov_numvfs", device->bdf);
	check(r == 0, "sriov_numvfs=0: %s", strerror(-r));
	check(!sysfs_has("bus/pci/devices/%s/virtfn0", device->bdf), "the VF is still there");
}

const struct test tests_p0[] = {
	{"p0-open-and-close", ROLE_ENDPOINT, open_and_close,
	 "a device opens, closes and opens again"},
	{"p0-bar-reads", ROLE_ENDPOINT, bar_reads, "pread and mapping of a BAR work in D0"},
	{"p0-config-reads", ROLE_ENDPOINT, config_reads,
	 "config space reads, and a device just opened is in D0"},
	{"p0-config-reads-in-d3hot", ROLE_ENDPOINT, config_reads_in_d3hot,
	 "a user's D3hot and D0 read back, config space reads in D3hot"},
	{"p0-bar-after-d3hot", ROLE_ENDPOINT, bar_after_d3hot,
	 "pread and a new mapping work after D3hot and back"},
	{"p0-open-after-d3hot-close", ROLE_ENDPOINT, open_after_d3hot_close,
	 "a device closed in D3hot is in D0 when opened again"},
	{"p0-reset", ROLE_ENDPOINT, reset, "VFIO_DEVICE_RESET works"},
	{"p0-hot-reset", ROLE_ENDPOINT, hot_reset, "VFIO_DEVICE_PCI_HOT_RESET works"},
	{"p0-hot-reset-of-set", ROLE_SET, hot_reset, "the same where it takes several functions"},
	{"p0-unbind-and-bind", ROLE_ENDPOINT, unbind_and_bind,
	 "an unused device leaves its driver, comes back and opens"},
	{"p0-vfs-on-and-off", ROLE_PF, vfs_on_and_off, "sriov_numvfs adds and removes a VF"},
	{0},
};
