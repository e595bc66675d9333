/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Patch 1: in D3hot, mappings of BARs give SIGBUS and pread and pwrite give EIO. Each test first
 * sees the access refused, so that what it says next is the doing of this patch.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bar.h"
#include "clock.h"
#include "test.h"
#include "verdict.h"

#define RACE_MS 1500

static void start(const struct device *device, struct vfio *vfio, struct bar *bar)
{
	vfio_open(vfio, device);
	bar_find(bar, vfio);
}

static void mmap_read(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	map = bar_map(&bar);
	bar_value(map, "in D0");
	vfio_enter_state(&vfio, 3);
	expect_sigbus(map, "in D3hot");
}

/* Writes what was read, so that the write is harmless where it arrives. */
static void mmap_write(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;
	uint32_t value;

	start(device, &vfio, &bar);
	map = bar_map(&bar);
	value = bar_value(map, "in D0");
	vfio_enter_state(&vfio, 3);
	check(!bar_store(map, value), "no SIGBUS: a write through the mapping is let through");
}

static void mmap_not_faulted(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	map = bar_map(&bar);
	vfio_enter_state(&vfio, 3);
	expect_sigbus(map, "in D3hot, of a mapping not touched before");
}

static void mmap_made_in_d3hot(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	vfio_enter_state(&vfio, 3);
	expect_sigbus(bar_map(&bar), "from a mapping made in D3hot");
}

struct other {
	volatile uint32_t *map;
	int go, done; /* pipes: a byte each */
};

/* 1 when its mapping gives SIGBUS. */
static _Noreturn void be_other(const struct other *other)
{
	uint32_t value;
	char byte;

	if (!bar_load(other->map, &value) || write(other->done, "", 1) != 1 ||
	    read(other->go, &byte, 1) != 1)
		_exit(2);
	_exit(bar_load(other->map, &value) ? 0 : 1);
}

static void mmap_of_other_process(const struct device *device)
{
	int go[2], done[2], status;
	struct vfio vfio;
	struct bar bar;
	char byte;
	pid_t pid;

	start(device, &vfio, &bar);
	check(pipe(go) == 0 && pipe(done) == 0, "pipe: %s", strerror(errno));
	pid = fork();
	check(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0)
		be_other(&(struct other){bar_map(&bar), go[0], done[1]});
	close(done[1]);
	check(read(done[0], &byte, 1) == 1, "the other process cannot read its mapping in D0");
	vfio_enter_state(&vfio, 3);
	check(write(go[1], "", 1) == 1, "pipe: %s", strerror(errno));
	check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1,
	      "no SIGBUS in another process that has mapped the BAR");
}

static void all_mappings(const struct device *device)
{
	volatile uint32_t *maps[8];
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	for (size_t i = 0; i < 8; i++) {
		maps[i] = bar_map(&bar);
		bar_value(maps[i], "in D0");
	}
	bar_unmap(maps[3]);
	vfio_enter_state(&vfio, 3);
	for (size_t i = 0; i < 8; i++) {
		if (i != 3)
			expect_sigbus(maps[i], "from one of several mappings");
	}
}

static void old_mapping_after_d0(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	map = bar_map(&bar);
	bar_value(map, "in D0");
	for (int i = 0; i < 3; i++) {
		vfio_enter_state(&vfio, 3);
		expect_sigbus(map, "in D3hot");
		vfio_enter_state(&vfio, 0);
		bar_value(map, "back in D0");
	}
}

static void new_mapping_after_d0(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	vfio_enter_state(&vfio, 3);
	map = bar_map(&bar);
	expect_sigbus(map, "in D3hot");
	vfio_enter_state(&vfio, 0);
	bar_value(map, "back in D0, made in D3hot");
	bar_value(bar_map(&bar), "back in D0, made there");
}

static void pread_bar(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	expect_readable(&bar, "in D0");
	vfio_enter_state(&vfio, 3);
	expect_blocked(&bar, "in D3hot");
	vfio_enter_state(&vfio, 0);
	expect_readable(&bar, "back in D0");
}

static void pwrite_bar(const struct device *device)
{
	struct vfio vfio;
	uint32_t value;
	struct bar bar;
	int r;

	start(device, &vfio, &bar);
	check(bar_pread(&bar, 0, &value) == 0, "pread of the BAR in D0 does not work");
	vfio_enter_state(&vfio, 3);
	r = bar_pwrite(&bar, 0, value);
	check(r == -EIO, "pwrite of the BAR in D3hot: %s, and not EIO",
	      r == 0 ? "it works" : strerror(-r));
}

/* Accesses to the MSI-X table go past the device, but not past the rule. */
static void pread_msix(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;
	uint32_t value;
	off_t table;
	int r;

	vfio_open(&vfio, device);
	bar_find_msix(&bar, &vfio, &table);
	vfio_enter_state(&vfio, 3);
	r = bar_pread(&bar, table, &value);
	check(r == -EIO, "pread of the MSI-X table in D3hot: %s, and not EIO",
	      r == 0 ? "it works" : strerror(-r));
}

static void config_in_d3hot(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;
	uint32_t ids;

	start(device, &vfio, &bar);
	ids = config_read32(&vfio.config, PCI_VENDOR_ID);
	vfio_enter_state(&vfio, 3);
	expect_blocked(&bar, "in D3hot");
	check(config_read32(&vfio.config, PCI_VENDOR_ID) == ids, "identifiers differ in D3hot");
	check(vfio_state(&vfio) == 3, "PMCSR shows D%u in D3hot", vfio_state(&vfio));
}

static void d1_d2_ignored(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	if (config_real_pm(device->bdf, PCI_PM_PMC) & (PCI_PM_CAP_D1 | PCI_PM_CAP_D2))
		skip("%s: it supports D1 or D2", device->bdf);
	map = bar_map(&bar);
	for (unsigned state = 1; state <= 2; state++) {
		vfio_set_state(&vfio, state);
		check(vfio_state(&vfio) == 0, "PMCSR shows D%u after D%u was written in D0",
		      vfio_state(&vfio), state);
		bar_value(map, "in D0, after D1 or D2 was written");
		vfio_enter_state(&vfio, 3);
		vfio_set_state(&vfio, state);
		check(vfio_state(&vfio) == 3, "PMCSR shows D%u after D%u was written in D3hot",
		      vfio_state(&vfio), state);
		expect_sigbus(map, "in D3hot, after D1 or D2 was written");
		vfio_enter_state(&vfio, 0);
	}
}

/* A guest may write the whole register, its low byte, or the byte and what follows. */
static void d3hot_by_other_sizes(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;

	start(device, &vfio, &bar);
	map = bar_map(&bar);
	for (unsigned size = 1; size <= 4; size *= 4) {
		config_write_low(&vfio.config, vfio.pm + PCI_PM_CTRL, 3, size);
		check(vfio_state(&vfio) == 3, "PMCSR shows D%u after a write of %u bytes",
		      vfio_state(&vfio), size);
		expect_sigbus(map, "in D3hot");
		config_write_low(&vfio.config, vfio.pm + PCI_PM_CTRL, 0, size);
		bar_value(map, "back in D0");
	}
}

static void reset_in_d3hot(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;
	int r;

	start(device, &vfio, &bar);
	if (!vfio.resets)
		skip("%s: it has no reset of its own", device->bdf);
	map = bar_map(&bar);
	vfio_enter_state(&vfio, 3);
	expect_sigbus(map, "in D3hot");
	r = vfio_reset(&vfio);
	check(r == 0, "VFIO_DEVICE_RESET in D3hot: %s", strerror(-r));
	check(vfio_state(&vfio) == 0, "PMCSR shows D%u after a reset", vfio_state(&vfio));
	expect_readable(&bar, "after a reset in D3hot");
	bar_value(map, "after a reset in D3hot");
}

/* What a process that reads all the time has seen. */
struct readings {
	unsigned long good, refused, wrong;
	uint32_t last_wrong;
};

static _Noreturn void read_all_the_time(const volatile uint32_t *map, uint32_t right,
					volatile struct readings *readings)
{
	for (;;) {
		uint32_t value;

		if (!bar_load(map, &value)) {
			readings->refused++;
		} else if (value == right) {
			readings->good++;
		} else {
			readings->wrong++;
			readings->last_wrong = value;
		}
	}
}

static void reads_race(const struct device *device)
{
	uint64_t limit = clock_ms() + RACE_MS;
	volatile struct readings *readings;
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;
	uint32_t right;
	pid_t pid;

	start(device, &vfio, &bar);
	map = bar_map(&bar);
	right = bar_value(map, "in D0");
	if (right == UINT32_MAX)
		skip("the first register of BAR %u reads all ones in D0", bar.index);
	readings = mmap(NULL, sizeof(*readings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	check(readings != MAP_FAILED, "mmap: %s", strerror(errno));
	pid = fork();
	check(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0)
		read_all_the_time(bar_map(&bar), right, readings);
	while (clock_ms() < limit) {
		vfio_enter_state(&vfio, 3);
		clock_sleep(20);
		vfio_enter_state(&vfio, 0);
		clock_sleep(20);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	note("%lu right, %lu SIGBUS, %lu wrong", readings->good, readings->refused,
	     readings->wrong);
	check(readings->wrong == 0, "a read that was let through in D3hot gave 0x%08x",
	      readings->last_wrong);
	check(readings->refused > 0, "no SIGBUS although the device went to D3hot");
}

const struct test tests_p1[] = {
	{"p1-mmap-read-in-d3hot-sigbus", ROLE_ENDPOINT, mmap_read,
	 "reading through a mapping in use gives SIGBUS in D3hot"},
	{"p1-mmap-write-in-d3hot-sigbus", ROLE_ENDPOINT, mmap_write, "so does writing"},
	{"p1-mmap-not-faulted-before", ROLE_ENDPOINT, mmap_not_faulted,
	 "so does a mapping that was not touched before"},
	{"p1-mmap-made-in-d3hot-sigbus", ROLE_ENDPOINT, mmap_made_in_d3hot,
	 "so does a mapping made in D3hot"},
	{"p1-mmap-of-other-process-sigbus", ROLE_ENDPOINT, mmap_of_other_process,
	 "so does the mapping of another process"},
	{"p1-all-mappings-sigbus", ROLE_ENDPOINT, all_mappings,
	 "so does each of several mappings of one BAR"},
	{"p1-old-mapping-works-after-d0", ROLE_ENDPOINT, old_mapping_after_d0,
	 "a mapping that gave SIGBUS works again in D0, several times over"},
	{"p1-new-mapping-works-after-d0", ROLE_ENDPOINT, new_mapping_after_d0,
	 "mappings made in D3hot and after it work in D0"},
	{"p1-pread-bar-in-d3hot-eio", ROLE_ENDPOINT, pread_bar,
	 "pread of a BAR gives EIO in D3hot and works before and after"},
	{"p1-pwrite-bar-in-d3hot-eio", ROLE_ENDPOINT, pwrite_bar,
	 "pwrite of a BAR gives EIO in D3hot"},
	{"p1-pread-msix-in-d3hot-eio", ROLE_ENDPOINT, pread_msix,
	 "so does pread of the MSI-X table, which vfio serves by itself"},
	{"p1-config-reads-in-d3hot", ROLE_ENDPOINT, config_in_d3hot,
	 "config space still reads while the BARs are blocked"},
	{"p1-d1-d2-ignored", ROLE_ENDPOINT, d1_d2_ignored,
	 "D1 and D2, unsupported, change nothing in D0 and nothing in D3hot"},
	{"p1-d3hot-by-other-sizes", ROLE_ENDPOINT, d3hot_by_other_sizes,
	 "the same when PMCSR is written as a byte, and as four"},
	{"p1-reset-in-d3hot-unblocks", ROLE_ENDPOINT, reset_in_d3hot,
	 "VFIO_DEVICE_RESET in D3hot ends in D0 with the BARs accessible"},
	{"p1-reads-race-d3hot", ROLE_ENDPOINT, reads_race,
	 "a process that reads all the time gets right values or SIGBUS, never all ones"},
	{0},
};
