/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PCI functions as this suite uses them, and what sysfs says of them without touching them. */
#ifndef CONFORMANCE_DEVICE_H
#define CONFORMANCE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#define BDF_SIZE      16
#define FUNCTIONS_MAX 16
#define PORTS_MAX     8

enum role {
	ROLE_ENDPOINT, /* a function with PCI power management and a memory BAR */
	ROLE_PF,       /* one with SR-IOV, and no VFs now */
	ROLE_PME,      /* one whose PMC has PME support bits */
	ROLE_SET,      /* one that shares its reset and its IOMMU group with another */
	ROLES_N,
};

/* An IOMMU group, as far as it is to be bound to vfio-pci, seen from one of its functions. */
struct device {
	char bdf[BDF_SIZE];			 /* that function */
	int group;				 /* number */
	char functions[FUNCTIONS_MAX][BDF_SIZE]; /* all of the group, less bridges; [0] is bdf */
	size_t functions_n;
	char ports[PORTS_MAX][BDF_SIZE]; /* bridges above it, the nearest first */
	size_t ports_n;
};

/* DDDD:BB:DD.F or BB:DD.F; false when text is neither. */
bool device_parse_bdf(const char *text, char bdf[static BDF_SIZE]);

/* 0, or -errno: -ENODEV no such function, -ENXIO no IOMMU group. */
int device_describe(const char *bdf, struct device *device);

/* PCI class code, 0xCCSSPP. */
long device_class(const char *bdf);

bool device_is_bridge(const char *bdf);

/* The first port above it that has power resources in ACPI; NULL when none has. */
const char *device_power_port(const struct device *device);

/* "ENDPOINT" in lower case, as in options. */
const char *device_role_name(enum role role);

#endif
