/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bar.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "verdict.h"

#define WANTED                                                                                     \
	(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE | VFIO_REGION_INFO_FLAG_MMAP)

static sigjmp_buf back;

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* The MSI-X table's BAR and offset as its capability has them; false when there is none. */
static bool msix_table(const struct vfio *vfio, unsigned *index, off_t *offset)
{
	unsigned at = config_capability(&vfio->config, PCI_CAP_ID_MSIX);
	uint32_t table;

	if (!at)
		return false;
	table = config_read32(&vfio->config, at + PCI_MSIX_TABLE);
	*index = table & PCI_MSIX_TABLE_BIR;
	*offset = (off_t)(table & PCI_MSIX_TABLE_OFFSET);
	return true;
}

static bool describe(struct bar *bar, const struct vfio *vfio, unsigned index, uint32_t wanted)
{
	struct vfio_region_info region = {.argsz = sizeof(region), .index = index};
	unsigned at = PCI_BASE_ADDRESS_0 + 4 * index;

	if (ioctl(vfio->fd, VFIO_DEVICE_GET_REGION_INFO, &region) < 0)
		return false;
	if ((region.flags & wanted) != wanted || region.size < page_size() ||
	    (config_read32(&vfio->config, at) & PCI_BASE_ADDRESS_SPACE_IO))
		return false;
	*bar = (struct bar){
		.fd = vfio->fd,
		.index = index,
		.offset = (off_t)region.offset,
		.size = region.size,
	};
	return true;
}

void bar_find(struct bar *bar, const struct vfio *vfio)
{
	unsigned table_index = 0;
	off_t table = 0;
	bool has_table = msix_table(vfio, &table_index, &table);

	for (unsigned i = VFIO_PCI_BAR0_REGION_INDEX; i <= VFIO_PCI_BAR5_REGION_INDEX; i++) {
		if (has_table && i == table_index && table == 0)
			continue;
		if (describe(bar, vfio, i, WANTED))
			return;
	}
	skip("%s: no memory BAR that can be mapped", vfio->bdf);
}

void bar_find_msix(struct bar *bar, const struct vfio *vfio, off_t *table)
{
	unsigned index;

	if (!msix_table(vfio, &index, table) ||
	    !describe(bar, vfio, index, VFIO_REGION_INFO_FLAG_READ))
		skip("%s: no MSI-X table", vfio->bdf);
}

volatile uint32_t *bar_map(const struct bar *bar)
{
	void *map =
		mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, bar->fd, bar->offset);

	check(map != MAP_FAILED, "BAR %u not mapped: %s", bar->index, strerror(errno));
	return map;
}

void bar_unmap(volatile uint32_t *map)
{
	munmap((void *)map, page_size());
}

static int result_of(ssize_t n, size_t size)
{
	if (n < 0)
		return -errno;
	return n == (ssize_t)size ? 0 : -EIO;
}

int bar_pread(const struct bar *bar, off_t at, uint32_t *value)
{
	return result_of(pread(bar->fd, value, sizeof(*value), bar->offset + at), sizeof(*value));
}

int bar_pwrite(const struct bar *bar, off_t at, uint32_t value)
{
	return result_of(pwrite(bar->fd, &value, sizeof(value), bar->offset + at), sizeof(value));
}

int bar_pwrite8(const struct bar *bar, off_t at, uint8_t value)
{
	return result_of(pwrite(bar->fd, &value, sizeof(value), bar->offset + at), sizeof(value));
}

static void on_sigbus(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void catch_sigbus(void)
{
	struct sigaction action = {.sa_handler = on_sigbus};

	sigaction(SIGBUS, &action, NULL);
}

bool bar_load(const volatile uint32_t *at, uint32_t *value)
{
	catch_sigbus();
	if (sigsetjmp(back, 1))
		return false;
	*value = *at;
	return true;
}

bool bar_store(volatile uint32_t *at, uint32_t value)
{
	catch_sigbus();
	if (sigsetjmp(back, 1))
		return false;
	*at = value;
	return true;
}

uint32_t bar_value(const volatile uint32_t *map, const char *when)
{
	uint32_t value = 0;

	check(bar_load(map, &value), "SIGBUS from the mapping %s", when);
	return value;
}

void expect_sigbus(const volatile uint32_t *map, const char *when)
{
	uint32_t value = 0;

	check(!bar_load(map, &value), "no SIGBUS %s: the mapping read 0x%08x", when, value);
}

void expect_blocked(const struct bar *bar, const char *when)
{
	uint32_t value = 0;
	int r = bar_pread(bar, 0, &value);

	check(r == -EIO, "pread of the BAR %s: %s, and not EIO", when,
	      r == 0 ? "it works" : strerror(-r));
}

void expect_readable(const struct bar *bar, const char *when)
{
	uint32_t value;
	int r = bar_pread(bar, 0, &value);

	check(r == 0, "pread of the BAR %s: %s", when, strerror(-r));
}
