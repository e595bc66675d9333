/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PCI "bus/pci/devices/*"

static const struct {
	const char *path;
	unsigned uses;
} rules[] = {
	/* PCI functions: served from struct pci_dev and struct device. */
	{"bus/pci/devices", SYSFS_LOOK},
	{PCI, SYSFS_LOOK},
	{PCI "/vendor", SYSFS_READ},
	{PCI "/device", SYSFS_READ},
	{PCI "/class", SYSFS_READ},
	{PCI "/subsystem_vendor", SYSFS_READ},
	{PCI "/subsystem_device", SYSFS_READ},
	{PCI "/boot_vga", SYSFS_READ},
	{PCI "/power_state", SYSFS_READ},
	{PCI "/power/runtime_status", SYSFS_READ},
	{PCI "/power/runtime_active_time", SYSFS_READ},
	{PCI "/power/runtime_suspended_time", SYSFS_READ},
	{PCI "/power/control", SYSFS_READ | SYSFS_WRITE},
	{PCI "/power/wakeup", SYSFS_READ | SYSFS_WRITE},
	{PCI "/d3cold_allowed", SYSFS_READ | SYSFS_WRITE},
	{PCI "/driver_override", SYSFS_READ | SYSFS_WRITE},
	{PCI "/sriov_totalvfs", SYSFS_READ},
	{PCI "/sriov_numvfs", SYSFS_READ | SYSFS_WRITE},
	{PCI "/sriov_drivers_autoprobe", SYSFS_READ | SYSFS_WRITE},
	{PCI "/driver", SYSFS_LOOK},
	{PCI "/physfn", SYSFS_LOOK},
	{PCI "/virtfn*", SYSFS_LOOK},
	{PCI "/iommu_group", SYSFS_LOOK},
	{PCI "/iommu_group/devices", SYSFS_LOOK},
	{PCI "/firmware_node", SYSFS_LOOK},
	{PCI "/firmware_node/path", SYSFS_READ},
	/* Evaluates _STA of the power resources, which tells of the supply, not of the device. */
	{PCI "/firmware_node/real_power_state", SYSFS_READ},
	{"bus/pci/drivers/*", SYSFS_LOOK},
	{"bus/pci/drivers/*/bind", SYSFS_WRITE},
	{"bus/pci/drivers/*/unbind", SYSFS_WRITE},
	{"bus/pci/drivers_probe", SYSFS_WRITE},
	/* What the machine needs: names and links of the core, nothing that a driver answers. */
	{"dev/block/*", SYSFS_LOOK},
	{"dev/char/*", SYSFS_LOOK},
	{"class/block/*", SYSFS_LOOK},
	{"class/block/*/slaves", SYSFS_LOOK},
	{"class/nvme-subsystem/*", SYSFS_LOOK},
	{"class/nvme-subsystem/*/nvme*", SYSFS_LOOK},
	{"fs/btrfs", SYSFS_LOOK},
	{"fs/btrfs/*/devices", SYSFS_LOOK},
	{"class/net/*", SYSFS_LOOK},
	{"class/tty/*", SYSFS_LOOK},
	{"class/tty/console/active", SYSFS_READ},
	{"class/graphics/fb*", SYSFS_LOOK},
	{"class/vtconsole", SYSFS_LOOK},
	{"class/vtconsole/*/name", SYSFS_READ},
	{"class/vtconsole/*/bind", SYSFS_READ},
	/* The running kernel's own: no device is behind them. */
	{"kernel/kexec_loaded", SYSFS_READ},
	{"kernel/kexec_crash_loaded", SYSFS_READ},
	{"kernel/notes", SYSFS_READ},
};

bool sysfs_allows(const char *path, enum sysfs_use use)
{
	if (strstr(path, ".."))
		return false;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if ((rules[i].uses & use) && fnmatch(rules[i].path, path, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

/* The full path of what format names, if it is on the list for this use. */
static int find(const struct host *host, char full[static PATH_MAX], enum sysfs_use use,
		const char *format, va_list ap)
{
	char path[PATH_MAX];
	int n = vsnprintf(path, sizeof(path), format, ap);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	if (!sysfs_allows(path, use)) {
		host_say("/sys/%s: not on the list of what may be touched: a bug", path);
		return -EPERM;
	}
	return host_path(host, full, "/sys/%s", path);
}

static int read_once(const struct host *host, void *bytes, size_t size, const char *format,
		     va_list ap)
{
	char full[PATH_MAX];
	int fd, r = find(host, full, SYSFS_READ, format, ap);

	if (r < 0)
		return r;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = (int)read(fd, bytes, size);
	if (r < 0)
		r = -errno;
	close(fd);
	return r;
}

int sysfs_read(const struct host *host, char *text, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	text[0] = 0;
	va_start(ap, format);
	n = read_once(host, text, size - 1, format, ap);
	va_end(ap);
	if (n < 0)
		return n;
	text[n] = 0;
	if (n && text[n - 1] == '\n')
		text[n - 1] = 0;
	return 0;
}

int sysfs_read_bytes(const struct host *host, void *bytes, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = read_once(host, bytes, size, format, ap);
	va_end(ap);
	return n;
}

int sysfs_write(const struct host *host, const char *value, const char *format, ...)
{
	char full[PATH_MAX];
	va_list ap;
	int fd, r;

	va_start(ap, format);
	r = find(host, full, SYSFS_WRITE, format, ap);
	va_end(ap);
	if (r < 0)
		return r;
	/* Truncating means nothing to the kernel, and keeps a test's plain file to one value. */
	fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	if (r == 0 && host->wrote)
		host->wrote(host, full + strlen(host->root) + strlen("/sys/"), value);
	return r;
}

int sysfs_resolve(const struct host *host, char place[static PATH_MAX], const char *format, ...)
{
	char full[PATH_MAX], sys[PATH_MAX], base[PATH_MAX];
	size_t n;
	va_list ap;
	int r;

	va_start(ap, format);
	r = find(host, full, SYSFS_LOOK, format, ap);
	va_end(ap);
	if (r < 0)
		return r;
	r = host_path(host, sys, "/sys");
	if (r < 0)
		return r;
	if (!realpath(sys, base) || !realpath(full, place))
		return -errno;
	n = strlen(base);
	if (strncmp(place, base, n) != 0 || place[n] != '/')
		return -ENOENT;
	memmove(place, place + n + 1, strlen(place + n + 1) + 1);
	return 0;
}

static int not_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

struct sysfs_names sysfs_list(const struct host *host, const char *format, ...)
{
	struct sysfs_names names = {0};
	struct dirent **entries;
	char full[PATH_MAX];
	va_list ap;
	int r;

	va_start(ap, format);
	r = find(host, full, SYSFS_LOOK, format, ap);
	va_end(ap);
	if (r < 0)
		return names;
	r = scandir(full, &entries, not_dots, alphasort);
	if (r < 0)
		return names;
	names.at = host_grow(NULL, (size_t)r, sizeof(*names.at));
	for (names.n = 0; names.n < (size_t)r; names.n++) {
		names.at[names.n] = strdup(entries[names.n]->d_name);
		if (!names.at[names.n])
			abort();
		free(entries[names.n]);
	}
	free(entries);
	return names;
}

void sysfs_names_free(struct sysfs_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i]);
	free(names->at);
	*names = (struct sysfs_names){0};
}

const char *sysfs_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
