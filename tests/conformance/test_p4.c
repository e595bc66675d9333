/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Patch 4: devices that nobody has open are suspended by runtime PM. */
#include <string.h>

#include "bar.h"
#include "baseline.h"
#include "bind.h"
#include "clock.h"
#include "params.h"
#include "power.h"
#include "sysfs.h"
#include "test.h"
#include "verdict.h"
#include "vfio.h"

#define ROUNDS 10

#define PCI "bus/pci/devices/%s/"

static void open_read_close(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	vfio_open(&vfio, device);
	expect_awake(device->bdf, "while open");
	bar_find(&bar, &vfio);
	expect_readable(&bar, "while open");
	vfio_close(&vfio);
}

static void idle_suspends(const struct device *device)
{
	expect_suspended(device->bdf, "bound and not open");
}

static const char *need_power_port(const struct device *device)
{
	const char *port = device_power_port(device);

	if (!port)
		skip("%s: no port above it has power resources in ACPI", device->bdf);
	return port;
}

static bool port_is(const char *port, const char *state)
{
	char real[SYSFS_TEXT_SIZE];

	sysfs_read(real, PCI "firmware_node/real_power_state", port);
	return strcmp(real, state) == 0;
}

static void expect_d3cold(const struct device *device)
{
	const char *port = need_power_port(device);
	uint64_t limit = clock_ms() + 1000;

	for (size_t i = 0; i < device->functions_n; i++) {
		check(power_wait_d3cold(device->functions[i]), "%s: it does not reach D3cold",
		      device->functions[i]);
	}
	while (!port_is(port, "D3cold") && clock_ms() < limit)
		clock_sleep(10);
	check(port_is(port, "D3cold"), "%s: its power resource is not off", port);
}

static void reaches_d3cold(const struct device *device)
{
	expect_suspended(device->bdf, "bound and not open");
	expect_d3cold(device);
}

static void open_resumes(const struct device *device)
{
	expect_suspended(device->bdf, "before open");
	open_read_close(device);
}

static void open_stays_awake(const struct device *device)
{
	struct vfio vfio;

	expect_suspended(device->bdf, "before open");
	vfio_open(&vfio, device);
	expect_stays_awake(device->bdf, "while open");
}

static void close_suspends(const struct device *device)
{
	for (int i = 0; i < 3; i++) {
		open_read_close(device);
		expect_suspended(device->bdf, "after close");
	}
}

static void close_in_d3hot(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	vfio_enter_state(&vfio, 3);
	vfio_close(&vfio);
	expect_suspended(device->bdf, "after close in D3hot");
	open_read_close(device);
	expect_suspended(device->bdf, "after close");
}

static void allow_d3cold(const char *bdf, const char *value)
{
	int r = power_allow_d3cold(bdf, value);

	check(r == 0, "%s: d3cold_allowed=%s: %s", bdf, value, strerror(-r));
}

static void d3cold_not_allowed(const struct device *device)
{
	const char *port = device_power_port(device);
	char state[SYSFS_TEXT_SIZE];

	allow_d3cold(device->bdf, "0");
	expect_suspended(device->bdf, "with d3cold_allowed=0");
	/* A port waits for 100 ms before it goes. */
	clock_sleep(500);
	expect_suspended(device->bdf, "with d3cold_allowed=0");
	sysfs_read(state, PCI "power_state", device->bdf);
	check(strcmp(state, "D3hot") == 0, "%s: in %s with d3cold_allowed=0", device->bdf, state);
	if (port)
		check(port_is(port, "D0"), "%s: its power resource is not on", port);
	allow_d3cold(device->bdf, "1");
	if (port)
		expect_d3cold(device);
}

static void release(const struct device *device)
{
	int r = bind_release(device->bdf, device->group);

	check(r == 0, "unbind: %s", strerror(-r));
}

static void rebind(const struct device *device)
{
	int r;

	release(device);
	r = bind_to_vfio(device->bdf, device->group);
	check(r == 0, "bind: %s", strerror(-r));
	baseline_power(device->bdf);
}

static void idle_disabled(const struct device *device)
{
	expect_suspended(device->bdf, "with disable_idle_d3=N");
	release(device);
	param_set(PARAM_IDLE, 'Y');
	rebind(device);
	expect_stays_awake(device->bdf, "bound with disable_idle_d3=Y");
	open_read_close(device);
	expect_stays_awake(device->bdf, "with disable_idle_d3=Y, after close");
	release(device);
	param_set(PARAM_IDLE, 'N');
	rebind(device);
	expect_suspended(device->bdf, "with disable_idle_d3=N again");
}

/* Opens with one value and closes with the other. */
static void open_across_change(const struct device *device, char before, char after)
{
	struct vfio vfio;

	param_set(PARAM_IDLE, before);
	vfio_open(&vfio, device);
	param_set(PARAM_IDLE, after);
	vfio_close(&vfio);
}

/*
 * A kernel that reads the parameter at each get and put gets one too many here and puts one too
 * many there. The pairs are ordered so that what leaks first is made good by the second, and
 * nothing is left behind on such a kernel: so the verdict waits until both are done.
 */
static void idle_changed_while_open(const struct device *device)
{
	bool first, second;

	expect_suspended(device->bdf, "with disable_idle_d3=N");
	open_across_change(device, 'N', 'Y');
	first = power_wait_suspended(device->bdf);
	open_across_change(device, 'Y', 'N');
	second = power_wait_suspended(device->bdf);
	check(first, "bound with N, changed to Y while open: not suspended after close");
	check(second, "and changed back while open: not suspended after close");
}

static void idle_changed_the_other_way(const struct device *device)
{
	bool awake;

	expect_suspended(device->bdf, "with disable_idle_d3=N");
	release(device);
	param_set(PARAM_IDLE, 'Y');
	rebind(device);
	expect_stays_awake(device->bdf, "bound with disable_idle_d3=Y");
	open_across_change(device, 'Y', 'N');
	awake = !power_wait_suspended(device->bdf);
	open_across_change(device, 'N', 'Y');
	release(device);
	param_set(PARAM_IDLE, 'N');
	rebind(device);
	check(awake, "bound with Y, changed to N while open: suspended after close");
	expect_suspended(device->bdf, "with disable_idle_d3=N");
}

/* The same thought over bind and unbind. */
static void idle_changed_while_bound(const struct device *device)
{
	long with_n, with_y, unbound;

	expect_suspended(device->bdf, "with disable_idle_d3=N");
	release(device);
	unbound = power_usage(device->bdf);
	param_set(PARAM_IDLE, 'Y');
	rebind(device);
	param_set(PARAM_IDLE, 'N');
	release(device);
	with_y = power_usage(device->bdf);
	rebind(device);
	param_set(PARAM_IDLE, 'Y');
	release(device);
	with_n = power_usage(device->bdf);
	param_set(PARAM_IDLE, 'N');
	if (unbound < 0)
		note("no runtime_usage here: what leaked shows only in whether it suspends");
	check(with_y == unbound, "bound with Y, changed to N, unbound: usage count %ld, was %ld",
	      with_y, unbound);
	check(with_n == unbound, "bound with N, changed to Y, unbound: usage count %ld, was %ld",
	      with_n, unbound);
	rebind(device);
	expect_suspended(device->bdf, "bound again");
}

static void let_go(const char *bdf)
{
	int r = sysfs_write("auto", PCI "power/control", bdf);

	check(r == 0, "%s: power/control=auto: %s", bdf, strerror(-r));
}

/* Without a driver and with control=auto a device suspends, unless its usage count is off. */
static void bind_unbind_count(const struct device *device)
{
	const char *bdf = device->bdf;
	long bound, unbound = -1;

	expect_suspended(bdf, "bound");
	bound = power_usage(bdf);
	for (int i = 0; i < ROUNDS; i++) {
		release(device);
		if (i == 0)
			unbound = power_usage(bdf);
		expect_usage(bdf, unbound, "after unbind");
		rebind(device);
		expect_suspended(bdf, "bound again");
		expect_usage(bdf, bound, "after bind");
	}
	release(device);
	expect_usage(bdf, unbound, "after unbind");
	let_go(bdf);
	expect_status(bdf, "suspended", "without a driver, with control=auto");
	sysfs_write("on", PCI "power/control", bdf);
	expect_status(bdf, "active", "without a driver, with control=on");
}

static void open_close_count(const struct device *device)
{
	long idle;

	expect_suspended(device->bdf, "before");
	idle = power_usage(device->bdf);
	for (int i = 0; i < ROUNDS; i++) {
		open_read_close(device);
		expect_suspended(device->bdf, "after close");
		expect_usage(device->bdf, idle, "after close");
	}
}

static void pf_after_vfs(const struct device *device)
{
	long idle;

	expect_suspended(device->bdf, "before it has VFs");
	idle = power_usage(device->bdf);
	for (int i = 0; i < 2; i++) {
		sysfs_write("1", PCI "sriov_numvfs", device->bdf);
		expect_stays_awake(device->bdf, "with a VF");
		sysfs_write("0", PCI "sriov_numvfs", device->bdf);
		expect_suspended(device->bdf, "when its VF is gone");
		expect_usage(device->bdf, idle, "when its VF is gone");
	}
}

static void pf_closed_after_vfs(const struct device *device)
{
	struct vfio vfio;
	long idle;

	expect_suspended(device->bdf, "before");
	idle = power_usage(device->bdf);
	vfio_open(&vfio, device);
	sysfs_write("1", PCI "sriov_numvfs", device->bdf);
	vfio_close(&vfio);
	expect_stays_awake(device->bdf, "after close, with a VF");
	vfio_open(&vfio, device);
	sysfs_write("0", PCI "sriov_numvfs", device->bdf);
	expect_stays_awake(device->bdf, "open, its VF gone");
	vfio_close(&vfio);
	expect_suspended(device->bdf, "after close, its VF gone");
	expect_usage(device->bdf, idle, "after close, its VF gone");
}

static void pf_unbound_with_vfs(const struct device *device)
{
	long idle, unbound;

	expect_suspended(device->bdf, "before it has VFs");
	idle = power_usage(device->bdf);
	release(device);
	unbound = power_usage(device->bdf);
	rebind(device);
	sysfs_write("1", PCI "sriov_numvfs", device->bdf);
	expect_awake(device->bdf, "with a VF");
	release(device);
	check(sysfs_number(PCI "sriov_numvfs", device->bdf) == 0, "VFs outlive the driver");
	expect_usage(device->bdf, unbound, "unbound while it had a VF");
	rebind(device);
	expect_suspended(device->bdf, "bound again");
	expect_usage(device->bdf, idle, "bound again");
}

static void pf_vfs_refused(const struct device *device)
{
	long idle;
	int r;

	expect_suspended(device->bdf, "before");
	idle = power_usage(device->bdf);
	param_set(PARAM_SRIOV, 'N');
	r = sysfs_write("1", PCI "sriov_numvfs", device->bdf);
	param_set(PARAM_SRIOV, 'Y');
	check(r < 0, "VFs are enabled although enable_sriov=N");
	expect_suspended(device->bdf, "after VFs were refused");
	expect_usage(device->bdf, idle, "after VFs were refused");
}

/* A function that nobody opens, but which the reset of the one that is open resets too. */
static const char *sibling(const struct device *device)
{
	return device->functions[1];
}

static void hot_reset(const struct device *device)
{
	const char *other = sibling(device);
	long active, usage, took, held;
	volatile uint32_t *map;
	uint64_t start;
	struct vfio vfio;
	struct bar bar;

	expect_suspended(other, "bound and not open");
	usage = power_usage(other);
	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	map = bar_map(&bar);
	expect_suspended(other, "while another function of its slot is open");
	active = power_active_ms(other);
	start = clock_ms();
	vfio_hot_reset(&vfio);
	took = (long)(clock_ms() - start);
	expect_suspended(other, "after a hot reset");
	held = power_active_ms(other) - active;
	note("the reset took %ld ms, the other function was awake for %ld ms", took, held);
	check(held * 2 > took, "the other function slept through the hot reset");
	expect_usage(other, usage, "after a hot reset");
	expect_awake(device->bdf, "open, after a hot reset");
	bar_value(map, "after a hot reset");
	bar_unmap(map);
	vfio_close(&vfio);
	expect_suspended(device->bdf, "after close");
}

static void hot_reset_from_d3hot(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	expect_suspended(device->bdf, "bound and not open");
	vfio_open(&vfio, device);
	vfio_enter_state(&vfio, 3);
	vfio_hot_reset(&vfio);
	check(vfio_state(&vfio) == 0, "PMCSR shows D%u after a hot reset", vfio_state(&vfio));
	bar_find(&bar, &vfio);
	expect_readable(&bar, "after a hot reset");
	vfio_close(&vfio);
	expect_suspended(device->bdf, "after close");
}

const struct test tests_p4[] = {
	{"p4-idle-suspends", ROLE_ENDPOINT, idle_suspends,
	 "a device bound and not open is runtime suspended, in D3"},
	{"p4-reaches-d3cold", ROLE_ENDPOINT, reaches_d3cold,
	 "it reaches D3cold and the port's power resource is off"},
	{"p4-set-reaches-d3cold", ROLE_SET, reaches_d3cold,
	 "so do all functions of a slot, and its port with them"},
	{"p4-open-resumes", ROLE_ENDPOINT, open_resumes, "open brings it to D0, and BARs read"},
	{"p4-open-stays-awake", ROLE_ENDPOINT, open_stays_awake, "while open it stays there"},
	{"p4-close-suspends-again", ROLE_ENDPOINT, close_suspends, "close lets it go again"},
	{"p4-close-in-user-d3hot-suspends", ROLE_ENDPOINT, close_in_d3hot,
	 "also from a user's D3hot, and the next open works"},
	{"p4-d3cold-allowed-0-keeps-d3hot", ROLE_ENDPOINT, d3cold_not_allowed,
	 "d3cold_allowed=0 keeps it suspended in D3hot, its port on"},
	{"p4-disable-idle-d3-keeps-d0", ROLE_ENDPOINT, idle_disabled,
	 "disable_idle_d3=Y keeps a device bound then in D0"},
	{"p4-disable-idle-d3-changed-while-bound-leaks-nothing", ROLE_ENDPOINT,
	 idle_changed_while_bound,
	 "the parameter counts as it was at bind: changed before unbind, no usage count leaks"},
	{"p4-disable-idle-d3-changed-while-open-leaks-nothing", ROLE_ENDPOINT,
	 idle_changed_while_open, "changed to Y while open, the device suspends after close"},
	{"p4-disable-idle-d3-cleared-while-open-keeps-d0", ROLE_ENDPOINT,
	 idle_changed_the_other_way,
	 "changed to N while open, a device bound with Y stays in D0 after close"},
	{"p4-bind-unbind-usage-count", ROLE_ENDPOINT, bind_unbind_count,
	 "bind and unbind leave the usage count as they found it"},
	{"p4-open-close-usage-count", ROLE_ENDPOINT, open_close_count, "so do open and close"},
	{"p4-pf-suspends-after-vfs-gone", ROLE_PF, pf_after_vfs,
	 "an idle PF suspends when its VFs are gone, its usage count as before"},
	{"p4-pf-closed-after-vfs-gone-suspends", ROLE_PF, pf_closed_after_vfs,
	 "the same with open and close in between"},
	{"p4-pf-unbound-with-vfs-leaks-nothing", ROLE_PF, pf_unbound_with_vfs,
	 "a PF unbound while it has VFs loses them, its usage count as before"},
	{"p4-pf-vfs-refused-leaks-nothing", ROLE_PF, pf_vfs_refused,
	 "a PF suspends again when enabling VFs fails"},
	{"p4-hot-reset-takes-set-to-d0", ROLE_SET, hot_reset,
	 "a hot reset wakes the idle functions of the set for its time, then they suspend"},
	{"p4-hot-reset-from-d3hot", ROLE_ENDPOINT, hot_reset_from_d3hot,
	 "a hot reset of a device in a user's D3hot ends in D0"},
	{0},
};
