/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lowpower.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "power.h"
#include "verdict.h"

union feature {
	struct vfio_device_feature head;
	char room[sizeof(struct vfio_device_feature) + sizeof(struct lowpower_wakeup)];
};

static int feature_call(const struct vfio *vfio, union feature *feature)
{
	return ioctl(vfio->fd, VFIO_DEVICE_FEATURE, feature) < 0 ? -errno : 0;
}

static int set_without_data(const struct vfio *vfio, enum lowpower_feature number)
{
	union feature feature = {.head = {
					 .argsz = sizeof(feature.head),
					 .flags = VFIO_DEVICE_FEATURE_SET | (uint32_t)number,
				 }};

	return feature_call(vfio, &feature);
}

int lowpower_probe(const struct vfio *vfio, enum lowpower_feature number, uint32_t flags)
{
	union feature feature = {
		.head = {
			.argsz = sizeof(feature),
			.flags = VFIO_DEVICE_FEATURE_PROBE | flags | (uint32_t)number,
		}};

	return feature_call(vfio, &feature);
}

int lowpower_entry(const struct vfio *vfio)
{
	return set_without_data(vfio, LOWPOWER_ENTRY);
}

int lowpower_entry_with_wakeup(const struct vfio *vfio, int eventfd)
{
	struct lowpower_wakeup wakeup = {.wakeup_eventfd = eventfd};
	union feature feature = {
		.head = {
			.argsz = sizeof(feature),
			.flags = VFIO_DEVICE_FEATURE_SET | LOWPOWER_ENTRY_WITH_WAKEUP,
		}};

	memcpy(feature.head.data, &wakeup, sizeof(wakeup));
	return feature_call(vfio, &feature);
}

int lowpower_exit(const struct vfio *vfio)
{
	return set_without_data(vfio, LOWPOWER_EXIT);
}

void lowpower_sleep(const struct vfio *vfio)
{
	int r = lowpower_entry(vfio);

	check(r == 0, "low power entry: %s", strerror(-r));
	expect_suspended(vfio->bdf, "after low power entry");
}

void lowpower_wake(const struct vfio *vfio)
{
	int r = lowpower_exit(vfio);

	check(r == 0, "low power exit: %s", strerror(-r));
	expect_awake(vfio->bdf, "after low power exit");
}
