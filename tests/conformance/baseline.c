/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "baseline.h"

#include <string.h>

#include "bind.h"
#include "params.h"
#include "power.h"
#include "sysfs.h"
#include "verdict.h"

#define PCI "bus/pci/devices/%s/"

static void no_vfs(const char *bdf)
{
	int r;

	if (sysfs_number(PCI "sriov_numvfs", bdf) <= 0)
		return;
	r = sysfs_write("0", PCI "sriov_numvfs", bdf);
	check(r == 0, "%s: VFs left behind do not go: %s", bdf, strerror(-r));
}

/* A driver before may have left wake-up on, which forbids D3cold where PME cannot be sent from it.
 */
void baseline_power(const char *bdf)
{
	char wakeup[SYSFS_TEXT_SIZE];
	bool changed;

	sysfs_read(wakeup, PCI "power/wakeup", bdf);
	changed = strcmp(wakeup, "enabled") == 0;
	if (changed)
		sysfs_write("disabled", PCI "power/wakeup", bdf);
	/* Writing it makes the kernel look at wakeup again. */
	if (changed || sysfs_number(PCI "d3cold_allowed", bdf) == 0)
		power_allow_d3cold(bdf, "1");
}

void baseline(const struct device *device)
{
	int r;

	params_reset();
	for (size_t i = 0; i < device->functions_n; i++)
		no_vfs(device->functions[i]);
	check(!bind_stays_open(device->group), "IOMMU group %d is open elsewhere", device->group);
	r = bind_to_vfio_all(device);
	check(r == 0, "not bound to vfio-pci: %s", strerror(-r));
	for (size_t i = device->ports_n; i > 0; i--)
		baseline_power(device->ports[i - 1]);
	for (size_t i = 0; i < device->functions_n; i++)
		baseline_power(device->functions[i]);
}
