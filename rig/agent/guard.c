/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "device.h"
#include "sysfs.h"

#define STACK_MAX 8 /* block devices or interfaces on top of each other */

struct need {
	char *place; /* in the device tree, relative to /sys */
	char *why;
};

struct guard {
	const struct host *host;
	struct need *needs;
	size_t needs_n;
};

static char *copy(const char *text)
{
	char *c = strdup(text);

	if (!c)
		abort();
	return c;
}

static void add(struct guard *guard, const char *place, const char *why)
{
	guard->needs = host_grow(guard->needs, guard->needs_n + 1, sizeof(*guard->needs));
	guard->needs[guard->needs_n++] = (struct need){copy(place), copy(why)};
}

/* An NVMe name space reached over several controllers belongs to no single PCI function. */
static void add_nvme_paths(struct guard *guard, const char *place, const char *why)
{
	const char *subsystem = strstr(place, "nvme-subsystem/");
	char name[64], controller[PATH_MAX];
	struct sysfs_names names;

	if (!subsystem || sscanf(subsystem, "nvme-subsystem/%63[^/]", name) != 1)
		return;
	names = sysfs_list(guard->host, "class/nvme-subsystem/%s", name);
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.at[i], "nvme", 4) == 0 &&
		    sysfs_resolve(guard->host, controller, "class/nvme-subsystem/%s/%s", name,
				  names.at[i]) == 0)
			add(guard, controller, why);
	}
	sysfs_names_free(&names);
}

static void add_block(struct guard *guard, const char *place, const char *why, int depth)
{
	struct sysfs_names slaves;
	char below[PATH_MAX];

	add(guard, place, why);
	add_nvme_paths(guard, place, why);
	if (depth == STACK_MAX)
		return;
	slaves = sysfs_list(guard->host, "class/block/%s/slaves", sysfs_base(place));
	for (size_t i = 0; i < slaves.n; i++) {
		if (sysfs_resolve(guard->host, below, "class/block/%s", slaves.at[i]) == 0)
			add_block(guard, below, why, depth + 1);
	}
	sysfs_names_free(&slaves);
}

/* The block device that a name such as /dev/mapper/root or /dev/sda2 stands for. */
static int find_block(const struct host *host, const char *source, char place[static PATH_MAX])
{
	char path[PATH_MAX];
	struct stat st;

	if (strncmp(source, "/dev/", 5) != 0)
		return -1;
	if (host_path(host, path, "%s", source) == 0 && stat(path, &st) == 0 && S_ISBLK(st.st_mode))
		return sysfs_resolve(host, place, "dev/block/%u:%u", major(st.st_rdev),
				     minor(st.st_rdev));
	return sysfs_resolve(host, place, "class/block/%s", sysfs_base(source));
}

/* A line of mountinfo: id parent major:minor root mount-point options [tags] - type source options
 */
static void add_mount(struct guard *guard, const char *line)
{
	char point[512], source[512], place[PATH_MAX], why[1024];
	const char *dash = strstr(line, " - ");
	unsigned major_no, minor_no;

	if (!dash || sscanf(line, "%*s %*s %u:%u %*s %511s", &major_no, &minor_no, point) != 3 ||
	    sscanf(dash, " - %*s %511s", source) != 1)
		return;
	/* Some file systems have a device number of their own: their source's name helps. */
	if (sysfs_resolve(guard->host, place, "dev/block/%u:%u", major_no, minor_no) < 0 &&
	    find_block(guard->host, source, place) < 0)
		return;
	snprintf(why, sizeof(why), "%.500s is mounted from %.300s", point, sysfs_base(place));
	add_block(guard, place, why, 0);
}

static void add_swap(struct guard *guard, const char *line)
{
	char name[512], place[PATH_MAX], why[400];

	if (sscanf(line, "%511s", name) != 1 || find_block(guard->host, name, place) < 0)
		return;
	snprintf(why, sizeof(why), "swap is on %.300s", sysfs_base(place));
	add_block(guard, place, why, 0);
}

static void add_interface(struct guard *guard, const char *name, const char *why, int depth)
{
	struct sysfs_names names;
	char place[PATH_MAX];

	if (strcmp(name, "lo") == 0 || depth > STACK_MAX ||
	    sysfs_resolve(guard->host, place, "class/net/%s", name) < 0)
		return;
	add(guard, place, why);
	names = sysfs_list(guard->host, "class/net/%s", name);
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.at[i], "lower_", 6) == 0)
			add_interface(guard, names.at[i] + 6, why, depth + 1);
	}
	sysfs_names_free(&names);
}

static void add_routed(struct guard *guard, const char *name)
{
	char why[128];

	snprintf(why, sizeof(why), "network interface %.64s has a route", name);
	add_interface(guard, name, why, 0);
}

static void add_route(struct guard *guard, const char *line)
{
	char name[64];

	if (sscanf(line, "%63s", name) == 1)
		add_routed(guard, name);
}

#define RTF_LOCAL 0x80000000u

static void add_route6(struct guard *guard, const char *line)
{
	char to[33], name[64];
	unsigned flags;

	if (sscanf(line, "%32s %*s %*s %*s %*s %*s %*s %*s %x %63s", to, &flags, name) != 3)
		return;
	/* Every interface that is up has its own addresses, link-local and multicast. */
	if (flags & RTF_LOCAL || strncmp(to, "fe80", 4) == 0 || strncmp(to, "ff", 2) == 0)
		return;
	add_routed(guard, name);
}

static void add_btrfs(struct guard *guard)
{
	struct sysfs_names all = sysfs_list(guard->host, "fs/btrfs");
	char place[PATH_MAX], why[128];

	for (size_t i = 0; i < all.n; i++) {
		struct sysfs_names devices =
			sysfs_list(guard->host, "fs/btrfs/%s/devices", all.at[i]);

		for (size_t k = 0; k < devices.n; k++) {
			snprintf(why, sizeof(why), "a btrfs is mounted from %.64s", devices.at[k]);
			if (sysfs_resolve(guard->host, place, "class/block/%s", devices.at[k]) == 0)
				add_block(guard, place, why, 0);
		}
		sysfs_names_free(&devices);
	}
	sysfs_names_free(&all);
}

static bool has_framebuffer_console(const struct host *host)
{
	struct sysfs_names names = sysfs_list(host, "class/vtconsole");
	char name[DEVICE_TEXT_SIZE], bound[DEVICE_TEXT_SIZE];
	bool found = false;

	for (size_t i = 0; i < names.n && !found; i++) {
		found = sysfs_read(host, name, sizeof(name), "class/vtconsole/%s/name",
				   names.at[i]) == 0 &&
			sysfs_read(host, bound, sizeof(bound), "class/vtconsole/%s/bind",
				   names.at[i]) == 0 &&
			strstr(name, "frame buffer") && strcmp(bound, "1") == 0;
	}
	sysfs_names_free(&names);
	return found;
}

static void add_screen(struct guard *guard)
{
	static const char why[] = "the framebuffer console is on it";
	struct bdf_list all;
	char place[PATH_MAX];

	if (!has_framebuffer_console(guard->host))
		return;
	if (sysfs_resolve(guard->host, place, "class/graphics/fb0") == 0)
		add(guard, place, why);
	all = device_all(guard->host);
	for (size_t i = 0; i < all.n; i++) {
		char name[BDF_TEXT_SIZE];
		long vga;

		bdf_format(&all.at[i], name);
		if (device_number(guard->host, &all.at[i], "boot_vga", &vga) == 0 && vga == 1 &&
		    sysfs_resolve(guard->host, place, "bus/pci/devices/%s", name) == 0)
			add(guard, place, why);
	}
	bdf_list_free(&all);
}

static void add_consoles(struct guard *guard)
{
	char active[256], place[PATH_MAX], why[128], *rest = NULL;

	if (sysfs_read(guard->host, active, sizeof(active), "class/tty/console/active") < 0)
		return;
	for (char *name = strtok_r(active, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
		if (sysfs_resolve(guard->host, place, "class/tty/%s", name) < 0)
			continue;
		snprintf(why, sizeof(why), "the console is %.64s", name);
		add(guard, place, why);
	}
}

static void add_own_line(struct guard *guard, int fd)
{
	char place[PATH_MAX], why[128];
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) ||
	    sysfs_resolve(guard->host, place, "dev/char/%u:%u", major(st.st_rdev),
			  minor(st.st_rdev)) < 0)
		return;
	snprintf(why, sizeof(why), "the agent talks over %.64s", sysfs_base(place));
	add(guard, place, why);
}

/* Every line of a file of /proc, but the first skip of them. */
static void each_line(struct guard *guard, const char *path, unsigned skip,
		      void (*take)(struct guard *, const char *))
{
	char *text, *rest = NULL;

	if (host_read(guard->host, path, &text) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (skip)
			skip--;
		else
			take(guard, line);
	}
	free(text);
}

struct guard *guard_new(const struct host *host, const int *fds, size_t n)
{
	struct guard *guard = host_grow(NULL, 1, sizeof(*guard));

	*guard = (struct guard){.host = host};
	each_line(guard, "/proc/self/mountinfo", 0, add_mount);
	each_line(guard, "/proc/swaps", 1, add_swap);
	each_line(guard, "/proc/net/route", 1, add_route);
	each_line(guard, "/proc/net/ipv6_route", 0, add_route6);
	add_btrfs(guard);
	add_consoles(guard);
	add_screen(guard);
	for (size_t i = 0; i < n; i++)
		add_own_line(guard, fds[i]);
	return guard;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	for (size_t i = 0; i < guard->needs_n; i++) {
		free(guard->needs[i].place);
		free(guard->needs[i].why);
	}
	free(guard->needs);
	free(guard);
}

/* The function's name is a whole part of the place. */
static bool lies_on_the_way(const char *place, const char *name)
{
	const char *at = strstr(place, name);

	return at && at > place && at[-1] == '/' && (at[strlen(name)] == '/' || !at[strlen(name)]);
}

static const char *why_function(const struct guard *guard, const char *name)
{
	for (size_t i = 0; i < guard->needs_n; i++) {
		if (lies_on_the_way(guard->needs[i].place, name))
			return guard->needs[i].why;
	}
	return NULL;
}

static bool needs_any(const struct guard *guard, const struct bdf *bdf, const struct bdf_list *list,
		      const char *relation, struct err *why)
{
	for (size_t i = 0; i < list->n; i++) {
		char name[BDF_TEXT_SIZE];
		const char *reason;

		bdf_format(&list->at[i], name);
		reason = why_function(guard, name);
		if (!reason)
			continue;
		if (bdf_equal(bdf, &list->at[i]))
			err_set(why, 0, "%s", reason);
		else
			err_set(why, 0, "%s, on %s of the same %s", reason, name, relation);
		return true;
	}
	return false;
}

bool guard_needs(const struct guard *guard, const struct bdf *bdf, struct err *why)
{
	struct bdf_list slot = device_slot(guard->host, bdf);
	bool needed;

	needed = device_is_bridge(guard->host, bdf);
	if (needed)
		err_set(why, 0, "it is a bridge, others are reached through it");
	else
		needed = needs_any(guard, bdf, &slot, "slot", why);
	for (size_t i = 0; i < slot.n && !needed; i++) {
		struct bdf_list group = device_group_members(guard->host, &slot.at[i]);

		needed = needs_any(guard, bdf, &group, "IOMMU group", why);
		bdf_list_free(&group);
	}
	bdf_list_free(&slot);
	return needed;
}
