/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PCI functions and how they belong together: port, slot, IOMMU group, virtual functions. The slot
 * of a function is all functions with the same domain, bus and device number, itself included.
 */
#ifndef COLDRIG_DEVICE_H
#define COLDRIG_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "bdf.h"
#include "host.h"

/* The longest text of an attribute that the agent deals in. */
#define DEVICE_TEXT_SIZE 128

struct bdf_list {
	struct bdf *at;
	size_t n;
};

void bdf_list_add(struct bdf_list *list, const struct bdf *bdf);
void bdf_list_free(struct bdf_list *list);
bool bdf_equal(const struct bdf *a, const struct bdf *b);
bool bdf_same_slot(const struct bdf *a, const struct bdf *b);

bool device_exists(const struct host *host, const struct bdf *bdf);

/* An attribute below the function's directory, without its newline. -ENOENT, -errno. */
int device_read(const struct host *host, const struct bdf *bdf, const char *attr,
		char text[static DEVICE_TEXT_SIZE]);
int device_write(const struct host *host, const struct bdf *bdf, const char *attr,
		 const char *value);

/* A number, decimal or 0x; -EINVAL for what is none. */
int device_number(const struct host *host, const struct bdf *bdf, const char *attr, long *value);

/* Lists to be released with bdf_list_free(), in the order of BDFs. */
struct bdf_list device_all(const struct host *host);
struct bdf_list device_slot(const struct host *host, const struct bdf *bdf);
struct bdf_list device_group_members(const struct host *host, const struct bdf *bdf);
struct bdf_list device_vfs(const struct host *host, const struct bdf *bdf);

/* The bridge above. -ENOENT where there is none, as on a root bus. */
int device_port(const struct host *host, const struct bdf *bdf, struct bdf *port);

/* The driver's name, "" without one. */
void device_driver(const struct host *host, const struct bdf *bdf,
		   char name[static DEVICE_TEXT_SIZE]);

/* Number of the IOMMU group, -ENOENT without one. */
int device_group(const struct host *host, const struct bdf *bdf);

bool device_is_bridge(const struct host *host, const struct bdf *bdf);
bool device_is_vf(const struct host *host, const struct bdf *bdf);

/* Waits until runtime_status is neither suspending nor resuming, or the time is over. */
void device_settle(const struct host *host, const struct bdf *bdf, int64_t limit_ns);

#endif
