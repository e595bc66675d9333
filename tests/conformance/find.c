/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"
#include "config.h"
#include "sysfs.h"

#define CLASS_USB   0x0c03
#define PME_SUPPORT 0xf800

static bool has_memory_bar(const char *bdf)
{
	char path[PATH_MAX];
	unsigned long long start, end, flags;
	bool any = false;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	file = fopen(path, "re");
	if (!file)
		return false;
	for (int i = 0; i < 6 && fscanf(file, "%llx %llx %llx", &start, &end, &flags) == 3; i++)
		any |= (flags & 0x200) && end - start + 1 >= 4096;
	fclose(file);
	return any;
}

static bool shares_slot(const struct device *device)
{
	size_t n = strlen(device->bdf) - 1;

	for (size_t i = 1; i < device->functions_n; i++) {
		if (strncmp(device->functions[i], device->bdf, n) == 0)
			return true;
	}
	return false;
}

/* What the role asks of a device; NULL when it has it. */
static const char *lacks(const struct device *device, enum role role)
{
	const char *bdf = device->bdf;
	uint16_t pmc = config_peek_pmc(bdf);

	if (!pmc)
		return "no PCI power management capability (or not root)";
	if (!has_memory_bar(bdf))
		return "no memory BAR of a page or more";
	if (sysfs_has("bus/pci/devices/%s/physfn", bdf))
		return "a VF";
	if (role == ROLE_PF && sysfs_number("bus/pci/devices/%s/sriov_totalvfs", bdf) <= 0)
		return "no SR-IOV";
	if (sysfs_number("bus/pci/devices/%s/sriov_numvfs", bdf) > 0)
		return "its VFs are enabled";
	if (role == ROLE_PME && !(pmc & PME_SUPPORT))
		return "no PME support bits in its PMC";
	if (role == ROLE_SET && !shares_slot(device))
		return "no other function in its slot and IOMMU group";
	return NULL;
}

static void take_given(const char *bdf, enum role role, struct found *found)
{
	const char *lack;
	int r = device_describe(bdf, &found->device);

	if (r < 0) {
		snprintf(found->why, sizeof(found->why), "%s: %s", bdf,
			 r == -ENXIO ? "no IOMMU group: is the IOMMU on?" : "no such device");
		return;
	}
	if (harm_done(&found->device, found->why))
		return;
	lack = lacks(&found->device, role);
	if (lack)
		snprintf(found->why, sizeof(found->why), "%s: %s", bdf, lack);
	found->there = !lack;
}

/* A keyboard may hang on it, which nothing here would see. Named by the user, it is taken. */
static bool is_for_people(const struct device *device)
{
	for (size_t i = 0; i < device->functions_n; i++) {
		const char *bdf = device->functions[i];
		char driver[SYSFS_TEXT_SIZE];

		bind_driver(bdf, driver);
		if (driver[0] && device_class(bdf) >> 8 == CLASS_USB)
			return true;
		if (sysfs_has("bus/pci/devices/%s/graphics", bdf))
			return true;
	}
	return false;
}

static bool is_taken(const char *bdf, const struct found found[static ROLES_N])
{
	for (size_t i = 0; i < ROLES_N; i++) {
		if (found[i].there && strcmp(found[i].device.bdf, bdf) == 0)
			return true;
	}
	return false;
}

/* The less a device is needed, and the more it can show, the better. */
static int score(const struct device *device, enum role role,
		 const struct found found[static ROLES_N])
{
	char driver[SYSFS_TEXT_SIZE];
	int points = 0;

	bind_driver(device->bdf, driver);
	if (strcmp(driver, "vfio-pci") == 0)
		points += 16;
	else if (!driver[0])
		points += 4;
	if (device_power_port(device))
		points += 8;
	if (!is_taken(device->bdf, found))
		points += 2;
	if ((role == ROLE_SET) == shares_slot(device))
		points += 1;
	return points;
}

static void consider(const char *bdf, enum role role, struct found found[static ROLES_N], int *best)
{
	struct device device;
	char why[HARM_TEXT_SIZE];
	int points;

	if (device_describe(bdf, &device) < 0 || device_is_bridge(bdf) || lacks(&device, role) ||
	    is_for_people(&device) || harm_done(&device, why))
		return;
	points = score(&device, role, found);
	if (points <= *best)
		return;
	*best = points;
	found[role].device = device;
}

static void search(enum role role, struct found found[static ROLES_N])
{
	struct dirent **entries;
	int best = -1, n = scandir("/sys/bus/pci/devices", &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.')
			consider(entries[i]->d_name, role, found, &best);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	found[role].there = best >= 0;
	if (best < 0)
		snprintf(found[role].why, sizeof(found[role].why),
			 "no device found for it that may be taken: give one with --%s",
			 device_role_name(role));
}

void find_devices(const char given[static ROLES_N][BDF_SIZE], struct found found[static ROLES_N])
{
	/* The choosy ones first. */
	static const enum role order[ROLES_N] = {ROLE_PF, ROLE_SET, ROLE_PME, ROLE_ENDPOINT};

	for (size_t i = 0; i < ROLES_N; i++)
		found[i] = (struct found){0};
	for (size_t i = 0; i < ROLES_N; i++) {
		if (given[i][0])
			take_given(given[i], (enum role)i, &found[i]);
	}
	for (size_t i = 0; i < ROLES_N; i++) {
		if (!given[order[i]][0])
			search(order[i], found);
	}
}
