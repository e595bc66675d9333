/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

void bind_driver(const char *bdf, char driver[static SYSFS_TEXT_SIZE])
{
	sysfs_link_name(driver, "bus/pci/devices/%s/driver", bdf);
}

bool bind_is_vfio(const char *bdf)
{
	char driver[SYSFS_TEXT_SIZE];

	bind_driver(bdf, driver);
	return strcmp(driver, "vfio-pci") == 0;
}

bool bind_is_open(int group)
{
	char path[64];
	bool busy;
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	fd = open(path, O_RDWR | O_CLOEXEC);
	busy = fd < 0 && errno == EBUSY;
	if (fd >= 0)
		close(fd);
	return busy;
}

bool bind_stays_open(int group)
{
	uint64_t limit = clock_ms() + 2000;

	while (bind_is_open(group)) {
		if (clock_ms() >= limit)
			return true;
		clock_sleep(20);
	}
	return false;
}

int bind_release(const char *bdf, int group)
{
	char driver[SYSFS_TEXT_SIZE];

	bind_driver(bdf, driver);
	if (!driver[0])
		return 0;
	if (bind_stays_open(group))
		return -EBUSY;
	return sysfs_write(bdf, "bus/pci/drivers/%s/unbind", driver);
}

int bind_to_vfio(const char *bdf, int group)
{
	int r;

	if (bind_is_vfio(bdf))
		return 0;
	r = bind_release(bdf, group);
	if (r < 0)
		return r;
	r = sysfs_write("vfio-pci", "bus/pci/devices/%s/driver_override", bdf);
	if (r < 0)
		return r;
	r = sysfs_write(bdf, "bus/pci/drivers_probe");
	if (r < 0)
		return r;
	return bind_is_vfio(bdf) ? 0 : -ENODEV;
}

int bind_release_all(const struct device *device)
{
	int r = 0;

	for (size_t i = 0; i < device->functions_n && r == 0; i++)
		r = bind_release(device->functions[i], device->group);
	return r;
}

int bind_to_vfio_all(const struct device *device)
{
	int r = 0;

	for (size_t i = 0; i < device->functions_n && r == 0; i++)
		r = bind_to_vfio(device->functions[i], device->group);
	return r;
}
