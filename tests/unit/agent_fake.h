/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine for the agent's tests: /sys and /proc in a temporary directory, and a kernel that binds
 * and unbinds drivers when the attributes are written. In one file, because each test program is
 * one file.
 */
#ifndef COLDRIG_TESTS_AGENT_FAKE_H
#define COLDRIG_TESTS_AGENT_FAKE_H

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bdf.h"
#include "host.h"

static char fake_root[64];

static inline void fake_must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static inline void fake_full(char full[static PATH_MAX], const char *path)
{
	int n = snprintf(full, PATH_MAX, "%s%s", fake_root, path);

	fake_must(n > 0 && n < PATH_MAX, path);
}

static inline void fake_dir(const char *path)
{
	char full[PATH_MAX];

	fake_full(full, path);
	for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(full, 0700);
		*slash = '/';
	}
	mkdir(full, 0700);
}

static inline void fake_parent(const char *path)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = 0;
	fake_dir(parent);
}

/* A file, with a newline behind its text as the kernel has it; never seen half written. */
static inline void fake_file(const char *path, const char *text)
{
	char full[PATH_MAX], fresh[PATH_MAX + 4];
	FILE *f;

	fake_parent(path);
	fake_full(full, path);
	snprintf(fresh, sizeof(fresh), "%s.new", full);
	f = fopen(fresh, "w");
	fake_must(f, fresh);
	fprintf(f, "%s\n", text);
	fclose(f);
	fake_must(rename(fresh, full) == 0, full);
}

/* A link to another path of the fake machine. */
static inline void fake_link(const char *path, const char *to)
{
	char full[PATH_MAX], target[PATH_MAX];

	fake_parent(path);
	fake_full(full, path);
	fake_full(target, to);
	unlink(full);
	fake_must(symlink(target, full) == 0, full);
}

static inline void fake_unlink(const char *path)
{
	char full[PATH_MAX];

	fake_full(full, path);
	unlink(full);
}

/* The first line of a file; valid until the next call. */
static inline const char *fake_text(const char *path)
{
	static char text[512];
	char full[PATH_MAX];
	FILE *f;

	fake_full(full, path);
	text[0] = 0;
	f = fopen(full, "r");
	if (!f)
		return "(no such file)";
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	return text;
}

static inline char *fake_path(char path[static PATH_MAX], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(path, PATH_MAX, format, ap);
	va_end(ap);
	return path;
}

#define FAKE_DEVICE "/sys/bus/pci/devices/%s/%s"

static inline void fake_attr(const char *bdf, const char *attr, const char *text)
{
	char path[PATH_MAX];

	fake_file(fake_path(path, FAKE_DEVICE, bdf, attr), text);
}

static inline const char *fake_attr_text(const char *bdf, const char *attr)
{
	char path[PATH_MAX];

	return fake_text(fake_path(path, FAKE_DEVICE, bdf, attr));
}

static inline void fake_driver(const char *bdf, const char *driver)
{
	char path[PATH_MAX], to[PATH_MAX];

	fake_path(path, FAKE_DEVICE, bdf, "driver");
	if (*driver)
		fake_link(path, fake_path(to, "/sys/bus/pci/drivers/%s", driver));
	else
		fake_unlink(path);
}

/* Name of the bound driver, "" without. */
static inline const char *fake_driver_text(const char *bdf)
{
	static char text[PATH_MAX];
	char path[PATH_MAX], full[PATH_MAX];
	ssize_t n;

	fake_full(full, fake_path(path, FAKE_DEVICE, bdf, "driver"));
	n = readlink(full, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? text : strrchr(text, '/') + 1;
}

/* A function below a port, or on the root bus with port NULL; its native driver may be "". */
static inline void fake_function(const char *port, const char *bdf, const char *class,
				 const char *driver, int group)
{
	static const char *const attrs[][2] = {
		{"vendor", "0x1234"},	      {"device", "0x5678"},
		{"power_state", "D0"},	      {"power/runtime_status", "active"},
		{"power/control", "on"},      {"power/runtime_active_time", "1000"},
		{"d3cold_allowed", "1"},      {"driver_override", "(null)"},
		{"power/wakeup", "disabled"},
	};
	char place[PATH_MAX], path[PATH_MAX];

	if (port)
		fake_path(place, "/sys/devices/pci0000:00/%s/%s", port, bdf);
	else
		fake_path(place, "/sys/devices/pci0000:00/%s", bdf);
	fake_dir(place);
	fake_link(fake_path(path, "/sys/bus/pci/devices/%s", bdf), place);
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++)
		fake_attr(bdf, attrs[i][0], attrs[i][1]);
	fake_attr(bdf, "class", class);
	fake_attr(bdf, "native", driver); /* for the fake kernel */
	fake_driver(bdf, driver);
	fake_link(fake_path(path, "/sys/kernel/iommu_groups/%d/devices/%s", group, bdf), place);
	fake_path(path, FAKE_DEVICE, bdf, "iommu_group");
	fake_link(path, fake_path(place, "/sys/kernel/iommu_groups/%d", group));
}

static inline void fake_driver_dir(const char *driver)
{
	char path[PATH_MAX];

	fake_file(fake_path(path, "/sys/bus/pci/drivers/%s/bind", driver), "");
	fake_file(fake_path(path, "/sys/bus/pci/drivers/%s/unbind", driver), "");
}

/* Set to make drivers refuse to take a device. */
static bool fake_refuses;

static inline void fake_probe(const char *bdf)
{
	char driver[64];

	snprintf(driver, sizeof(driver), "%s", fake_attr_text(bdf, "driver_override"));
	if (!*driver || strcmp(driver, "(null)") == 0)
		snprintf(driver, sizeof(driver), "%s", fake_attr_text(bdf, "native"));
	if (!fake_refuses && !*fake_driver_text(bdf))
		fake_driver(bdf, driver);
}

static inline void fake_kernel(const struct host *host, const char *path, const char *value)
{
	char driver[64], verb[16];

	(void)host;
	if (strcmp(path, "bus/pci/drivers_probe") == 0)
		fake_probe(value);
	else if (sscanf(path, "bus/pci/drivers/%63[^/]/%15s", driver, verb) == 2)
		fake_driver(value, strcmp(verb, "bind") == 0 && !fake_refuses ? driver : "");
}

/* A port with a card of two functions, and a drive behind another port. */
static inline struct host fake_new(void)
{
	strcpy(fake_root, "/tmp/coldrig-agent-test-XXXXXX");
	fake_must(mkdtemp(fake_root), "mkdtemp");
	fake_refuses = false;
	fake_driver_dir("pcieport");
	fake_driver_dir("vfio-pci");
	fake_driver_dir("gpu");
	fake_driver_dir("nvme");
	fake_file("/sys/bus/pci/drivers_probe", "");
	fake_function(NULL, "0000:00:05.0", "0x060400", "pcieport", 1);
	fake_function(NULL, "0000:00:07.0", "0x060400", "pcieport", 2);
	fake_function("0000:00:05.0", "0000:01:00.0", "0x038000", "gpu", 5);
	fake_function("0000:00:05.0", "0000:01:00.1", "0x040300", "", 5);
	fake_function("0000:00:07.0", "0000:03:00.0", "0x010802", "nvme", 7);
	fake_attr("0000:00:05.0", "d3cold_allowed", "0");
	return (struct host){.root = fake_root, .wrote = fake_kernel};
}

static inline int fake_delete(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void fake_free(void)
{
	nftw(fake_root, fake_delete, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct bdf fake_bdf(const char *text)
{
	struct bdf bdf = {0};

	fake_must(bdf_parse(text, &bdf) == 0, text);
	return bdf;
}

#endif
