/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "harm.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind.h"
#include "sysfs.h"

/* nftw() has no argument for its caller's data. */
static char *why_not;

static bool is_of(const char *path, const char *subsystem)
{
	char link[PATH_MAX], target[PATH_MAX], *slash;
	ssize_t n;

	if (snprintf(link, sizeof(link), "%s/subsystem", path) >= PATH_MAX)
		return false;
	n = readlink(link, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = 0;
	slash = strrchr(target, '/');
	return slash && strcmp(slash + 1, subsystem) == 0;
}

/* The kernel gives a block device that is mounted, swapped to or part of another to nobody else. */
static bool block_is_used(const char *name)
{
	unsigned subsystem, controller, disk;
	char path[PATH_MAX];
	int fd;

	/* nvme0c1n2 is the path through controller 1 to the disk nvme0n2. */
	if (sscanf(name, "nvme%uc%un%u", &subsystem, &controller, &disk) == 3)
		snprintf(path, sizeof(path), "/dev/nvme%un%u", subsystem, disk);
	else
		snprintf(path, sizeof(path), "/dev/%s", name);
	for (char *c = path + 5; *c; c++)
		*c = *c == '!' ? '/' : *c;
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno != ENOMEDIUM;
	close(fd);
	return false;
}

static bool names_in_table(const char *path, const char *name)
{
	char line[512], word[64];
	bool found = false;
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		char *at = line;
		int n;

		for (; !found && sscanf(at, "%63s%n", word, &n) == 1; at += n)
			found = strcmp(word, name) == 0;
	}
	fclose(file);
	return found;
}

static bool net_is_used(const char *name)
{
	return names_in_table("/proc/net/route", name) ||
	       names_in_table("/proc/net/ipv6_route", name) ||
	       sysfs_has("class/net/%s/master", name);
}

static int look(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;

	(void)stat;
	if (type != FTW_D)
		return 0;
	if (is_of(path, "block") && block_is_used(name))
		snprintf(why_not, HARM_TEXT_SIZE, "disk %.64s is in use, or cannot be looked at",
			 name);
	else if (is_of(path, "net") && net_is_used(name))
		snprintf(why_not, HARM_TEXT_SIZE, "network interface %.64s has routes or a master",
			 name);
	return why_not[0] != 0;
}

static bool function_is_needed(const char *bdf)
{
	char path[PATH_MAX], place[PATH_MAX];

	if (sysfs_number("bus/pci/devices/%s/boot_vga", bdf) == 1) {
		snprintf(why_not, HARM_TEXT_SIZE, "it is the screen that the machine booted with");
		return true;
	}
	if (device_is_bridge(bdf)) {
		snprintf(why_not, HARM_TEXT_SIZE, "it is a bridge");
		return true;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	if (!realpath(path, place))
		return false;
	return nftw(place, look, 16, FTW_PHYS) != 0;
}

bool harm_done(const struct device *device, char why[static HARM_TEXT_SIZE])
{
	why[0] = 0;
	why_not = why;
	for (size_t i = 0; i < device->functions_n; i++) {
		char reason[HARM_TEXT_SIZE];

		if (!function_is_needed(device->functions[i]))
			continue;
		snprintf(reason, sizeof(reason), "%s", why);
		snprintf(why, HARM_TEXT_SIZE, "%s: %.120s", device->functions[i], reason);
		return true;
	}
	if (bind_is_open(device->group)) {
		snprintf(why, HARM_TEXT_SIZE, "IOMMU group %d is open in another program",
			 device->group);
		return true;
	}
	return false;
}
