/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pmstate.h"
#include "sysfs.h"

#define CLASS_BRIDGE   0x06 /* base class */
#define SETTLE_STEP_NS INT64_C(2000000)

void bdf_list_add(struct bdf_list *list, const struct bdf *bdf)
{
	list->at = host_grow(list->at, list->n + 1, sizeof(*list->at));
	list->at[list->n++] = *bdf;
}

void bdf_list_free(struct bdf_list *list)
{
	free(list->at);
	*list = (struct bdf_list){0};
}

bool bdf_same_slot(const struct bdf *a, const struct bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device;
}

bool bdf_equal(const struct bdf *a, const struct bdf *b)
{
	return bdf_same_slot(a, b) && a->function == b->function;
}

bool device_exists(const struct host *host, const struct bdf *bdf)
{
	char name[BDF_TEXT_SIZE], place[PATH_MAX];

	bdf_format(bdf, name);
	return sysfs_resolve(host, place, "bus/pci/devices/%s", name) == 0;
}

int device_read(const struct host *host, const struct bdf *bdf, const char *attr,
		char text[static DEVICE_TEXT_SIZE])
{
	char name[BDF_TEXT_SIZE];

	bdf_format(bdf, name);
	return sysfs_read(host, text, DEVICE_TEXT_SIZE, "bus/pci/devices/%s/%s", name, attr);
}

int device_write(const struct host *host, const struct bdf *bdf, const char *attr,
		 const char *value)
{
	char name[BDF_TEXT_SIZE];

	bdf_format(bdf, name);
	return sysfs_write(host, value, "bus/pci/devices/%s/%s", name, attr);
}

int device_number(const struct host *host, const struct bdf *bdf, const char *attr, long *value)
{
	char text[DEVICE_TEXT_SIZE], *end;
	int r = device_read(host, bdf, attr, text);

	if (r < 0)
		return r;
	errno = 0;
	*value = strtol(text, &end, 0);
	return errno || end == text || *end ? -EINVAL : 0;
}

static struct bdf_list to_bdfs(struct sysfs_names *names)
{
	struct bdf_list list = {0};
	struct bdf bdf;

	for (size_t i = 0; i < names->n; i++) {
		if (bdf_parse(names->at[i], &bdf) == 0)
			bdf_list_add(&list, &bdf);
	}
	sysfs_names_free(names);
	return list;
}

struct bdf_list device_all(const struct host *host)
{
	struct sysfs_names names = sysfs_list(host, "bus/pci/devices");

	return to_bdfs(&names);
}

struct bdf_list device_slot(const struct host *host, const struct bdf *bdf)
{
	struct bdf_list all = device_all(host), slot = {0};

	for (size_t i = 0; i < all.n; i++) {
		if (bdf_same_slot(&all.at[i], bdf))
			bdf_list_add(&slot, &all.at[i]);
	}
	bdf_list_free(&all);
	return slot;
}

struct bdf_list device_group_members(const struct host *host, const struct bdf *bdf)
{
	struct sysfs_names names;
	char name[BDF_TEXT_SIZE];

	bdf_format(bdf, name);
	names = sysfs_list(host, "bus/pci/devices/%s/iommu_group/devices", name);
	return to_bdfs(&names);
}

/* Where one of the function's links leads. */
static int follow(const struct host *host, const struct bdf *bdf, const char *link,
		  char place[static PATH_MAX])
{
	char name[BDF_TEXT_SIZE];

	bdf_format(bdf, name);
	return sysfs_resolve(host, place, "bus/pci/devices/%s/%s", name, link);
}

struct bdf_list device_vfs(const struct host *host, const struct bdf *bdf)
{
	struct bdf_list all = device_all(host), vfs = {0};
	char place[PATH_MAX], name[BDF_TEXT_SIZE];

	bdf_format(bdf, name);
	for (size_t i = 0; i < all.n; i++) {
		if (follow(host, &all.at[i], "physfn", place) == 0 &&
		    strcmp(sysfs_base(place), name) == 0)
			bdf_list_add(&vfs, &all.at[i]);
	}
	bdf_list_free(&all);
	return vfs;
}

int device_port(const struct host *host, const struct bdf *bdf, struct bdf *port)
{
	char place[PATH_MAX], name[BDF_TEXT_SIZE], *slash;
	int r;

	bdf_format(bdf, name);
	r = sysfs_resolve(host, place, "bus/pci/devices/%s", name);
	if (r < 0)
		return r;
	slash = strrchr(place, '/');
	if (!slash)
		return -ENOENT;
	*slash = 0;
	return bdf_parse(sysfs_base(place), port) == 0 ? 0 : -ENOENT;
}

void device_driver(const struct host *host, const struct bdf *bdf,
		   char name[static DEVICE_TEXT_SIZE])
{
	char place[PATH_MAX];

	name[0] = 0;
	if (follow(host, bdf, "driver", place) == 0)
		strncat(name, sysfs_base(place), DEVICE_TEXT_SIZE - 1);
}

int device_group(const struct host *host, const struct bdf *bdf)
{
	char place[PATH_MAX], *end;
	long group;

	if (follow(host, bdf, "iommu_group", place) < 0)
		return -ENOENT;
	group = strtol(sysfs_base(place), &end, 10);
	return *end || group < 0 || group > INT_MAX ? -ENOENT : (int)group;
}

bool device_is_bridge(const struct host *host, const struct bdf *bdf)
{
	long class;

	return device_number(host, bdf, "class", &class) == 0 && class >> 16 == CLASS_BRIDGE;
}

bool device_is_vf(const struct host *host, const struct bdf *bdf)
{
	char place[PATH_MAX];

	return follow(host, bdf, "physfn", place) == 0;
}

static bool is_settled(const struct host *host, const struct bdf *bdf)
{
	char text[DEVICE_TEXT_SIZE];
	enum pm_status status;

	if (device_read(host, bdf, "power/runtime_status", text) < 0)
		return true;
	status = pm_status_parse(text);
	return status != PM_STATUS_SUSPENDING && status != PM_STATUS_RESUMING;
}

void device_settle(const struct host *host, const struct bdf *bdf, int64_t limit_ns)
{
	int64_t end_ns = host_now_ns() + limit_ns;

	while (!is_settled(host, bdf) && host_now_ns() < end_ns)
		host_sleep_ns(SETTLE_STEP_NS);
}
