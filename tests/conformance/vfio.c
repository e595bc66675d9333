/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "verdict.h"

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	check(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

static void attach(struct vfio *vfio, int group)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	char path[32];

	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	vfio->container = open_file("/dev/vfio/vfio");
	vfio->group = open_file(path);
	check(ioctl(vfio->group, VFIO_GROUP_GET_STATUS, &status) == 0 &&
		      (status.flags & VFIO_GROUP_FLAGS_VIABLE),
	      "IOMMU group %d is not viable", group);
	check(ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container) == 0,
	      "IOMMU group %d: no container: %s", group, strerror(errno));
	check(ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) == 0,
	      "IOMMU type 1: %s: is vfio_iommu_type1 loaded?", strerror(errno));
}

static void describe(struct vfio *vfio)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio_region_info region = {
		.argsz = sizeof(region),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};

	check(ioctl(vfio->fd, VFIO_DEVICE_GET_INFO, &info) == 0, "VFIO_DEVICE_GET_INFO: %s",
	      strerror(errno));
	check(ioctl(vfio->fd, VFIO_DEVICE_GET_REGION_INFO, &region) == 0,
	      "VFIO_DEVICE_GET_REGION_INFO: %s", strerror(errno));
	vfio->resets = info.flags & VFIO_DEVICE_FLAGS_RESET;
	vfio->config = (struct config){.fd = vfio->fd, .base = (off_t)region.offset};
	vfio->pm = config_capability(&vfio->config, PCI_CAP_ID_PM);
	check(vfio->pm != 0, "vfio shows no power management capability");
}

static void enable_memory(const struct vfio *vfio)
{
	uint16_t command = config_read16(&vfio->config, PCI_COMMAND);

	config_write16(&vfio->config, PCI_COMMAND, command | PCI_COMMAND_MEMORY);
}

void vfio_open(struct vfio *vfio, const struct device *device)
{
	vfio->bdf = device->bdf;
	vfio->group_number = (uint32_t)device->group;
	attach(vfio, device->group);
	vfio->fd = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, device->bdf);
	check(vfio->fd >= 0, "%s: not opened: %s", device->bdf, strerror(errno));
	describe(vfio);
	enable_memory(vfio);
}

void vfio_close(struct vfio *vfio)
{
	close(vfio->fd);
	close(vfio->group);
	close(vfio->container);
}

unsigned vfio_state(const struct vfio *vfio)
{
	return config_read16(&vfio->config, vfio->pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK;
}

void vfio_set_state(const struct vfio *vfio, unsigned state)
{
	unsigned ctrl = config_read16(&vfio->config, vfio->pm + PCI_PM_CTRL);

	ctrl = (ctrl & ~(unsigned)PCI_PM_CTRL_STATE_MASK) | state;
	config_write16(&vfio->config, vfio->pm + PCI_PM_CTRL, (uint16_t)ctrl);
}

void vfio_enter_state(const struct vfio *vfio, unsigned state)
{
	vfio_set_state(vfio, state);
	check(vfio_state(vfio) == state, "PMCSR reads back D%u after D%u was written",
	      vfio_state(vfio), state);
}

int vfio_reset(const struct vfio *vfio)
{
	return ioctl(vfio->fd, VFIO_DEVICE_RESET) < 0 ? -errno : 0;
}

union hot_reset_info {
	struct vfio_pci_hot_reset_info head;
	char room[sizeof(struct vfio_pci_hot_reset_info) +
		  64 * sizeof(struct vfio_pci_dependent_device)];
};

static void check_hot_reset(const struct vfio *vfio)
{
	union hot_reset_info info = {.head = {.argsz = sizeof(info)}};

	if (ioctl(vfio->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info) < 0)
		skip("no hot reset: %s", strerror(errno));
	for (uint32_t i = 0; i < info.head.count; i++) {
		if (info.head.devices[i].group_id != vfio->group_number)
			skip("a hot reset of it resets other IOMMU groups too");
	}
}

void vfio_hot_reset(const struct vfio *vfio)
{
	union {
		struct vfio_pci_hot_reset head;
		char room[sizeof(struct vfio_pci_hot_reset) + sizeof(int32_t)];
	} reset = {.head = {.argsz = sizeof(reset), .count = 1}};

	check_hot_reset(vfio);
	memcpy(reset.head.group_fds, &vfio->group, sizeof(int32_t));
	check(ioctl(vfio->fd, VFIO_DEVICE_PCI_HOT_RESET, &reset) == 0, "hot reset: %s",
	      strerror(errno));
}
