/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "params.h"

#include <stddef.h>
#include <string.h>

#include "sysfs.h"
#include "verdict.h"

#define PATH "module/vfio_pci/parameters/%s"

static const char *forbidden;

char param_get(const char *name)
{
	char text[SYSFS_TEXT_SIZE];

	return sysfs_read(text, PATH, name) < 0 ? 0 : text[0];
}

int param_put(const char *name, char value)
{
	return sysfs_write((char[2]){value, 0}, PATH, name);
}

void params_forbid(const char *why)
{
	forbidden = why;
}

void param_set(const char *name, char value)
{
	int r;

	if (param_get(name) == value)
		return;
	if (forbidden)
		skip("vfio-pci's %s stays as it is: %s", name, forbidden);
	r = param_put(name, value);
	if (r < 0)
		skip("vfio-pci's %s cannot be changed: %s", name, strerror(-r));
}

static void reset(const char *name, char value)
{
	if (!forbidden && param_get(name) != value)
		param_put(name, value);
}

void params_reset(void)
{
	reset(PARAM_IDLE, 'N');
	reset(PARAM_SRIOV, 'Y');
}
