/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct vfio_open {
	struct bdf bdf;
	int group_no;
	int container, group, device;
};

static struct vfio_open *find(const struct vfio *vfio, const struct bdf *bdf)
{
	for (size_t i = 0; i < vfio->n; i++) {
		if (bdf_equal(&vfio->open[i].bdf, bdf))
			return &vfio->open[i];
	}
	return NULL;
}

static struct vfio_open *find_group(const struct vfio *vfio, int group_no)
{
	for (size_t i = 0; i < vfio->n; i++) {
		if (vfio->open[i].group_no == group_no)
			return &vfio->open[i];
	}
	return NULL;
}

static int open_group(const struct host *host, int group_no)
{
	char path[PATH_MAX];
	int fd, r = host_path(host, path, "/dev/vfio/%d", group_no);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_container(const struct host *host, struct err *err)
{
	char path[PATH_MAX];
	int fd, version, r = host_path(host, path, "/dev/vfio/vfio");

	if (r < 0)
		return err_set(err, r, "/dev/vfio/vfio: %s", strerror(-r));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		return err_set(err, r, "/dev/vfio/vfio: %s: is the module vfio loaded?",
			       strerror(-r));
	}
	version = ioctl(fd, VFIO_GET_API_VERSION);
	if (version == VFIO_API_VERSION)
		return fd;
	close(fd);
	return err_set(err, -EPROTONOSUPPORT, "/dev/vfio/vfio: API version %d, known is %d",
		       version, VFIO_API_VERSION);
}

/* Puts the group in the container and takes the device out of it. */
static int attach(struct vfio_open *open, const char *name, struct err *err)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	int r;

	if (ioctl(open->group, VFIO_GROUP_GET_STATUS, &status) < 0) {
		r = -errno;
		return err_set(err, r, "IOMMU group %d: %s", open->group_no, strerror(-r));
	}
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return err_set(err, -EBUSY,
			       "IOMMU group %d: a member of it is bound to another driver",
			       open->group_no);
	if (ioctl(open->group, VFIO_GROUP_SET_CONTAINER, &open->container) < 0) {
		r = -errno;
		return err_set(err, r, "IOMMU group %d: no container: %s", open->group_no,
			       strerror(-r));
	}
	if (ioctl(open->container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) < 0) {
		r = -errno;
		return err_set(err, r, "IOMMU type 1: %s: is the module vfio_iommu_type1 loaded?",
			       strerror(-r));
	}
	open->device = ioctl(open->group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (open->device < 0) {
		r = -errno;
		return err_set(err, r, "%s: not opened: %s", name, strerror(-r));
	}
	return 0;
}

static void release(struct vfio_open *open)
{
	if (open->device >= 0)
		close(open->device);
	if (open->group >= 0)
		close(open->group);
	if (open->container >= 0)
		close(open->container);
}

static int check(const struct vfio *vfio, const struct host *host, const struct bdf *bdf,
		 const char *name, struct err *err)
{
	char driver[DEVICE_TEXT_SIZE];
	int group_no = device_group(host, bdf);

	if (find(vfio, bdf))
		return err_set(err, -EALREADY, "%s: it is open already", name);
	device_driver(host, bdf, driver);
	if (strcmp(driver, "vfio-pci") != 0)
		return err_set(err, -ENODEV, "%s: not bound to vfio-pci but to %s", name,
			       *driver ? driver : "no driver");
	if (group_no < 0)
		return err_set(err, -ENODEV, "%s: no IOMMU group: is the IOMMU on?", name);
	if (find_group(vfio, group_no))
		return err_set(err, -EBUSY, "%s: IOMMU group %d is open for another function", name,
			       group_no);
	return group_no;
}

int vfio_open(struct vfio *vfio, const struct host *host, const struct bdf *bdf, struct err *err)
{
	struct vfio_open open = {.bdf = *bdf, .container = -1, .group = -1, .device = -1};
	char name[BDF_TEXT_SIZE];
	int r;

	bdf_format(bdf, name);
	r = check(vfio, host, bdf, name, err);
	if (r < 0)
		return r;
	open.group_no = r;
	r = open.container = open_container(host, err);
	if (r < 0)
		return r;
	r = open.group = open_group(host, open.group_no);
	if (r < 0) {
		err_set(err, r, "/dev/vfio/%d: %s%s", open.group_no, strerror(-r),
			r == -EBUSY ? ": another program has it open" : "");
		goto release_open;
	}
	r = attach(&open, name, err);
	if (r < 0)
		goto release_open;
	vfio->open = host_grow(vfio->open, vfio->n + 1, sizeof(*vfio->open));
	vfio->open[vfio->n++] = open;
	return 0;

release_open:
	release(&open);
	return r;
}

static void close_one(struct vfio *vfio, struct vfio_open *open)
{
	release(open);
	*open = vfio->open[--vfio->n];
	if (vfio->n)
		return;
	free(vfio->open);
	vfio->open = NULL;
}

int vfio_close(struct vfio *vfio, const struct bdf *bdf, struct err *err)
{
	struct vfio_open *open = find(vfio, bdf);
	char name[BDF_TEXT_SIZE];

	bdf_format(bdf, name);
	if (!open)
		return err_set(err, -ENOENT, "%s: it is not open", name);
	close_one(vfio, open);
	return 0;
}

/* Finds the function's PMCSR: its place in the device's file. */
static int find_pmcsr(int device, off_t *place)
{
	struct vfio_region_info config = {.argsz = sizeof(config),
					  .index = VFIO_PCI_CONFIG_REGION_INDEX};
	uint8_t at = PCI_CAPABILITY_LIST, head[2];

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) < 0)
		return -errno;
	if (pread(device, &at, 1, (off_t)config.offset + at) != 1)
		return -EIO;
	/* As many as there is room for: a list that bites its tail ends too. */
	for (int left = (PCI_CFG_SPACE_SIZE - PCI_STD_HEADER_SIZEOF) / PCI_CAP_SIZEOF;
	     at >= PCI_STD_HEADER_SIZEOF && left > 0; left--) {
		at &= (uint8_t)~3;
		if (pread(device, head, 2, (off_t)config.offset + at) != 2)
			return -EIO;
		if (head[0] == PCI_CAP_ID_PM) {
			*place = (off_t)config.offset + at + PCI_PM_CTRL;
			return 0;
		}
		at = head[1];
	}
	return -ENXIO;
}

int vfio_set_power(const struct vfio *vfio, const struct bdf *bdf, bool d3hot, struct err *err)
{
	const struct vfio_open *open = find(vfio, bdf);
	char name[BDF_TEXT_SIZE];
	uint16_t pmcsr;
	off_t place = 0;
	int r;

	bdf_format(bdf, name);
	if (!open)
		return err_set(err, -ENOENT, "%s: it is not open", name);
	r = find_pmcsr(open->device, &place);
	if (r == 0 && pread(open->device, &pmcsr, sizeof(pmcsr), place) != sizeof(pmcsr))
		r = -EIO;
	if (r < 0)
		return err_set(err, r, "%s: no power management register%s%s", name,
			       r == -ENXIO ? "" : ": ", r == -ENXIO ? "" : strerror(-r));
	/* Its PME bit is cleared by writing 1. */
	pmcsr = (uint16_t)((pmcsr & ~(PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_PME_STATUS)) |
			   (d3hot ? PCI_PM_CTRL_STATE_MASK : 0));
	if (pwrite(open->device, &pmcsr, sizeof(pmcsr), place) != sizeof(pmcsr))
		return err_set(err, -EIO, "%s: its power management register: %s", name,
			       strerror(errno));
	return 0;
}

void vfio_close_all(struct vfio *vfio)
{
	while (vfio->n)
		close_one(vfio, &vfio->open[0]);
}

static struct vfio_open *find_held(const struct vfio *vfio, const struct host *host,
				   const struct bdf_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct vfio_open *open = find(vfio, &list->at[i]);

		if (!open)
			open = find_group(vfio, device_group(host, &list->at[i]));
		if (open)
			return open;
	}
	return NULL;
}

bool vfio_holds(const struct vfio *vfio, const struct host *host, const struct bdf_list *list)
{
	return find_held(vfio, host, list) != NULL;
}

void vfio_close_held(struct vfio *vfio, const struct host *host, const struct bdf_list *list)
{
	struct vfio_open *open;

	while ((open = find_held(vfio, host, list)))
		close_one(vfio, open);
}

int vfio_probe_free(const struct host *host, const struct bdf *bdf)
{
	int group_no = device_group(host, bdf), fd;

	if (group_no < 0)
		return 0;
	fd = open_group(host, group_no);
	if (fd >= 0)
		close(fd);
	return fd == -EBUSY ? -EBUSY : 0;
}
