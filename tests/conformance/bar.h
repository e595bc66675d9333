/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first memory BAR of a function that can be mapped, and the 32 bit register at its start. */
#ifndef CONFORMANCE_BAR_H
#define CONFORMANCE_BAR_H

#include <stdint.h>

#include "vfio.h"

struct bar {
	int fd;
	unsigned index;
	off_t offset; /* in the device's file */
	size_t size;
};

/* Not one that begins with the MSI-X table, which vfio serves by itself. Skips when there is none. */
void bar_find(struct bar *bar, const struct vfio *vfio);

/* The BAR with the MSI-X table, which need not be one that can be mapped. Skips when there is none. */
void bar_find_msix(struct bar *bar, const struct vfio *vfio, off_t *table);

/* Its first page; munmap() it with bar_unmap(). */
volatile uint32_t *bar_map(const struct bar *bar);
void bar_unmap(volatile uint32_t *map);

/* 0 or -errno. */
int bar_pread(const struct bar *bar, off_t at, uint32_t *value);
int bar_pwrite(const struct bar *bar, off_t at, uint32_t value);
int bar_pwrite8(const struct bar *bar, off_t at, uint8_t value);

/* One access through a mapping; false when it gave SIGBUS. */
bool bar_load(const volatile uint32_t *at, uint32_t *value);
bool bar_store(volatile uint32_t *at, uint32_t value);

/* What a mapping reads, in D0. Ends the test when it is SIGBUS. */
uint32_t bar_value(const volatile uint32_t *map, const char *when);

/* Ends the test unless reading gives SIGBUS. */
void expect_sigbus(const volatile uint32_t *map, const char *when);

/* Ends the test unless pread() of the BAR gives -EIO, and unless it works. */
void expect_blocked(const struct bar *bar, const char *when);
void expect_readable(const struct bar *bar, const char *when);

#endif
