/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs.h"

bool device_parse_bdf(const char *text, char bdf[static BDF_SIZE])
{
	unsigned domain = 0, bus, slot, function;
	int end = 0;

	if (sscanf(text, "%x:%x:%x.%x%n", &domain, &bus, &slot, &function, &end) != 4 ||
	    text[end]) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%x:%x.%x%n", &bus, &slot, &function, &end) != 3 || text[end])
			return false;
	}
	if (domain > 0xffffff || bus > 0xff || slot > 0x1f || function > 7)
		return false;
	return snprintf(bdf, BDF_SIZE, "%04x:%02x:%02x.%x", domain, bus, slot, function) < BDF_SIZE;
}

long device_class(const char *bdf)
{
	return sysfs_number("bus/pci/devices/%s/class", bdf);
}

bool device_is_bridge(const char *bdf)
{
	return device_class(bdf) >> 16 == 0x06;
}

static void add_function(struct device *device, const char *name)
{
	char bdf[BDF_SIZE];

	if (device->functions_n < FUNCTIONS_MAX && device_parse_bdf(name, bdf))
		memcpy(device->functions[device->functions_n++], bdf, BDF_SIZE);
}

static void find_functions(struct device *device)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	add_function(device, device->bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/devices", device->bdf);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, device->bdf) != 0 &&
		    !device_is_bridge(entry->d_name))
			add_function(device, entry->d_name);
	}
	closedir(dir);
}

/* The path to a function in /sys/devices leads through the bridges above it. */
static void find_ports(struct device *device)
{
	char path[PATH_MAX], place[PATH_MAX], *part;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", device->bdf);
	if (!realpath(path, place))
		return;
	while ((part = strrchr(place, '/')) && device->ports_n < PORTS_MAX) {
		char bdf[BDF_SIZE];

		*part = 0;
		part = strrchr(place, '/');
		if (!part || !device_parse_bdf(part + 1, bdf))
			return;
		memcpy(device->ports[device->ports_n++], bdf, BDF_SIZE);
	}
}

int device_describe(const char *bdf, struct device *device)
{
	char group[SYSFS_TEXT_SIZE];

	*device = (struct device){0};
	snprintf(device->bdf, BDF_SIZE, "%s", bdf);
	if (!sysfs_has("bus/pci/devices/%s", bdf))
		return -ENODEV;
	sysfs_link_name(group, "bus/pci/devices/%s/iommu_group", bdf);
	if (!group[0])
		return -ENXIO;
	device->group = atoi(group);
	find_functions(device);
	find_ports(device);
	return 0;
}

const char *device_power_port(const struct device *device)
{
	for (size_t i = 0; i < device->ports_n; i++) {
		if (sysfs_has("bus/pci/devices/%s/firmware_node/real_power_state",
			      device->ports[i]))
			return device->ports[i];
	}
	return NULL;
}

const char *device_role_name(enum role role)
{
	static const char *const names[ROLES_N] = {
		[ROLE_ENDPOINT] = "endpoint",
		[ROLE_PF] = "pf",
		[ROLE_PME] = "pme",
		[ROLE_SET] = "set",
	};

	return names[role];
}
