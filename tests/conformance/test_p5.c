/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Patch 5: a user may let its open device sleep. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bar.h"
#include "intx.h"
#include "lowpower.h"
#include "power.h"
#include "sysfs.h"
#include "test.h"
#include "verdict.h"

#define ROUNDS 5

static void probe(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	for (int i = LOWPOWER_ENTRY; i <= LOWPOWER_EXIT; i++) {
		enum lowpower_feature feature = (enum lowpower_feature)i;
		int r = lowpower_probe(&vfio, feature, VFIO_DEVICE_FEATURE_SET);

		check(r == 0, "feature %d cannot be set: %s", i, strerror(-r));
		r = lowpower_probe(&vfio, feature, VFIO_DEVICE_FEATURE_GET);
		check(r == -EINVAL, "feature %d can be got, or says other than EINVAL: %d", i, r);
	}
	expect_stays_awake(device->bdf, "after probing alone");
}

static void entry_suspends(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	lowpower_sleep(&vfio);
}

static void entry_reaches_d3cold(const struct device *device)
{
	struct vfio vfio;

	if (!device_power_port(device))
		skip("%s: no port above it has power resources in ACPI", device->bdf);
	vfio_open(&vfio, device);
	lowpower_sleep(&vfio);
	check(power_wait_d3cold(device->bdf), "%s: it does not reach D3cold", device->bdf);
}

static void mapped_access(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	map = bar_map(&bar);
	bar_value(map, "in D0");
	lowpower_sleep(&vfio);
	expect_sigbus(map, "in low power");
	expect_sigbus(bar_map(&bar), "from a mapping made in low power");
	expect_suspended(device->bdf, "after a mapped access in low power");
}

static void mapped_access_at_once(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;
	int r;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	map = bar_map(&bar);
	bar_value(map, "in D0");
	r = lowpower_entry(&vfio);
	check(r == 0, "low power entry: %s", strerror(-r));
	expect_sigbus(map, "right after low power entry");
}

static void expect_woken(const char *bdf, long active, const char *what)
{
	check(power_active_ms(bdf) > active, "%s: %s did not wake it", bdf, what);
	expect_suspended(bdf, what);
}

static void other_access(const struct device *device)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};
	struct vfio vfio;
	struct bar bar;
	uint32_t value;
	uint16_t command;
	long active;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	lowpower_sleep(&vfio);
	active = power_active_ms(device->bdf);
	check(vfio_state(&vfio) == 0, "PMCSR, read in low power, shows D%u", vfio_state(&vfio));
	expect_woken(device->bdf, active, "after reading config space in low power");
	active = power_active_ms(device->bdf);
	command = config_read16(&vfio.config, PCI_COMMAND);
	config_write16(&vfio.config, PCI_COMMAND, command);
	expect_woken(device->bdf, active, "after writing config space in low power");
	active = power_active_ms(device->bdf);
	note("pread of a BAR in low power: %s", strerror(-bar_pread(&bar, 0, &value)));
	expect_woken(device->bdf, active, "after reading a BAR in low power");
	active = power_active_ms(device->bdf);
	check(ioctl(vfio.fd, VFIO_DEVICE_GET_INFO, &info) == 0, "VFIO_DEVICE_GET_INFO: %s",
	      strerror(errno));
	expect_woken(device->bdf, active, "after an ioctl in low power");
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	check(fd >= 0, "eventfd: %s", strerror(errno));
	return fd;
}

static bool signalled(int fd, int ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, ms) == 1;
}

static void sleep_with_wakeup(const struct vfio *vfio, int fd)
{
	int r = lowpower_entry_with_wakeup(vfio, fd);

	check(r == 0, "low power entry with wake-up: %s", strerror(-r));
	expect_suspended(vfio->bdf, "after low power entry with wake-up");
	check(!signalled(fd, 200), "the eventfd was signalled without a wake-up");
}

static void wakeup(const struct device *device)
{
	volatile uint32_t *map;
	int fd = new_eventfd();
	struct vfio vfio;
	struct bar bar;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	map = bar_map(&bar);
	sleep_with_wakeup(&vfio, fd);
	expect_sigbus(map, "in low power");
	check(!signalled(fd, 200), "a mapped access signalled the eventfd");
	vfio_state(&vfio);
	check(signalled(fd, 1000), "the eventfd was not signalled by an access");
	expect_stays_awake(device->bdf, "after the wake-up");
	bar_value(map, "after the wake-up");
}

static void wakeup_by_host(const struct device *device)
{
	int fd = new_eventfd();
	struct vfio vfio;

	vfio_open(&vfio, device);
	sleep_with_wakeup(&vfio, fd);
	config_real_state(device->bdf);
	check(signalled(fd, 1000), "the eventfd was not signalled by the host's access");
	expect_stays_awake(device->bdf, "after the wake-up");
}

static void wakeup_again(const struct device *device)
{
	int fd = new_eventfd();
	struct vfio vfio;
	uint64_t events;

	vfio_open(&vfio, device);
	for (int i = 0; i < 3; i++) {
		sleep_with_wakeup(&vfio, fd);
		vfio_state(&vfio);
		check(signalled(fd, 1000), "round %d: no event", i + 1);
		check(read(fd, &events, sizeof(events)) == sizeof(events) && events == 1,
		      "round %d: more than one event", i + 1);
		lowpower_wake(&vfio);
	}
}

/* The wake-up has ended low power: exit is not asked for. */
static void wakeup_without_exit(const struct device *device)
{
	int fd = new_eventfd();
	struct vfio vfio;
	uint64_t events;

	vfio_open(&vfio, device);
	for (int i = 0; i < 3; i++) {
		sleep_with_wakeup(&vfio, fd);
		vfio_state(&vfio);
		check(signalled(fd, 1000), "round %d: no event", i + 1);
		check(read(fd, &events, sizeof(events)) == sizeof(events), "eventfd not read");
		expect_stays_awake(device->bdf, "after the wake-up");
	}
	lowpower_sleep(&vfio);
}

static void wakeup_bad_eventfd(const struct device *device)
{
	struct vfio vfio;
	int r;

	vfio_open(&vfio, device);
	r = lowpower_probe(&vfio, LOWPOWER_ENTRY_WITH_WAKEUP, VFIO_DEVICE_FEATURE_SET);
	check(r == 0, "feature cannot be set: %s", strerror(-r));
	check(lowpower_entry_with_wakeup(&vfio, -1) < 0, "-1 is taken for an eventfd");
	check(lowpower_entry_with_wakeup(&vfio, vfio.group) < 0, "a group is taken for an eventfd");
	expect_stays_awake(device->bdf, "after an entry that was refused");
	lowpower_sleep(&vfio);
}

static void second_entry(const struct device *device)
{
	int fd = new_eventfd(), r;
	struct vfio vfio;

	vfio_open(&vfio, device);
	lowpower_sleep(&vfio);
	r = lowpower_entry(&vfio);
	check(r == -EINVAL, "a second entry: %s, and not EINVAL", strerror(-r));
	r = lowpower_entry_with_wakeup(&vfio, fd);
	check(r == -EINVAL, "a second entry, with wake-up: %s, and not EINVAL", strerror(-r));
	expect_suspended(device->bdf, "after a second entry");
	lowpower_wake(&vfio);
	lowpower_sleep(&vfio);
}

static void exit_restores(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;
	uint32_t value;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	map = bar_map(&bar);
	value = bar_value(map, "in D0");
	lowpower_sleep(&vfio);
	lowpower_wake(&vfio);
	expect_stays_awake(device->bdf, "after low power exit");
	expect_readable(&bar, "after low power exit");
	check(bar_value(map, "after low power exit") == value,
	      "the first register of BAR %u reads other than before", bar.index);
	check(vfio_state(&vfio) == 0, "PMCSR shows D%u", vfio_state(&vfio));
}

static void exit_without_entry(const struct device *device)
{
	struct vfio vfio;
	int r;

	vfio_open(&vfio, device);
	r = lowpower_exit(&vfio);
	check(r == 0, "exit without entry: %s", strerror(-r));
	lowpower_sleep(&vfio);
	lowpower_wake(&vfio);
	r = lowpower_exit(&vfio);
	check(r == 0, "a second exit: %s", strerror(-r));
	expect_stays_awake(device->bdf, "after a second exit");
}

static void entry_in_d3hot(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;
	uint32_t value, now;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	check(bar_pread(&bar, 0, &value) == 0, "pread of the BAR in D0 does not work");
	vfio_enter_state(&vfio, 3);
	lowpower_sleep(&vfio);
	check(lowpower_exit(&vfio) == 0, "low power exit does not work");
	vfio_enter_state(&vfio, 0);
	expect_awake(device->bdf, "after low power exit and D0");
	check(bar_pread(&bar, 0, &now) == 0 && now == value,
	      "the first register of BAR %u reads other than before", bar.index);
}

/* Where a guest has suspended it before. */
static void entry_in_d3hot_reaches_d3cold(const struct device *device)
{
	struct vfio vfio;

	if (!device_power_port(device))
		skip("%s: no port above it has power resources in ACPI", device->bdf);
	vfio_open(&vfio, device);
	vfio_enter_state(&vfio, 3);
	lowpower_sleep(&vfio);
	check(power_wait_d3cold(device->bdf), "%s: it does not reach D3cold", device->bdf);
}

static void set_control(const char *bdf, const char *value)
{
	int r = sysfs_write(value, "bus/pci/devices/%s/power/control", bdf);

	check(r == 0, "%s: power/control=%s: %s", bdf, value, strerror(-r));
}

/*
 * The host's "on" makes last what else is a moment: the device is in low power and awake. It is
 * taken back before anything is said that ends the test.
 */
static void kept_awake_sigbus(const struct device *device)
{
	volatile uint32_t *map;
	struct vfio vfio;
	struct bar bar;
	uint32_t value;
	bool read;
	int r;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	map = bar_map(&bar);
	bar_value(map, "in D0");
	set_control(device->bdf, "on");
	r = lowpower_entry(&vfio);
	read = bar_load(map, &value);
	set_control(device->bdf, "auto");
	check(r == 0, "low power entry, kept awake by the host: %s", strerror(-r));
	check(!read, "no SIGBUS in low power, kept awake by the host: the mapping read 0x%08x",
	      value);
	expect_suspended(device->bdf, "in low power, no more kept awake");
}

static void kept_awake_wakeup(const struct device *device)
{
	int fd = new_eventfd(), r;
	bool early, told;
	struct vfio vfio;

	vfio_open(&vfio, device);
	set_control(device->bdf, "on");
	r = lowpower_entry_with_wakeup(&vfio, fd);
	early = signalled(fd, 200);
	vfio_state(&vfio);
	told = signalled(fd, 1000);
	set_control(device->bdf, "auto");
	check(r == 0, "low power entry with wake-up, kept awake by the host: %s", strerror(-r));
	check(!early, "the eventfd was signalled without a wake-up");
	check(told,
	      "the eventfd was not signalled by an access, the device kept awake by the host");
	expect_stays_awake(device->bdf, "after the wake-up");
}

static void set_vfs(const struct device *device, const char *number)
{
	int r = sysfs_write(number, "bus/pci/devices/%s/sriov_numvfs", device->bdf);

	check(r == 0, "sriov_numvfs=%s: %s", number, strerror(-r));
}

static void pf_entry_with_vfs(const struct device *device)
{
	struct vfio vfio;
	int r;

	vfio_open(&vfio, device);
	set_vfs(device, "1");
	r = lowpower_entry(&vfio);
	check(r == 0 || r == -EBUSY, "low power entry: %s", strerror(-r));
	expect_stays_awake(device->bdf, "in low power, with a VF");
	set_vfs(device, "0");
	if (r == 0)
		expect_suspended(device->bdf, "in low power, its VF gone");
}

static void pf_vfs_in_low_power(const struct device *device)
{
	struct vfio vfio;

	vfio_open(&vfio, device);
	lowpower_sleep(&vfio);
	set_vfs(device, "1");
	expect_stays_awake(device->bdf, "in low power, with a VF");
	set_vfs(device, "0");
	vfio_close(&vfio);
	expect_suspended(device->bdf, "after close, its VF gone");
}

static void close_restores(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	for (int i = 0; i < 3; i++) {
		vfio_open(&vfio, device);
		expect_stays_awake(device->bdf, "while open");
		bar_find(&bar, &vfio);
		expect_readable(&bar, "while open");
		lowpower_sleep(&vfio);
		vfio_close(&vfio);
		expect_suspended(device->bdf, "after close in low power");
	}
}

static void usage_count(const struct device *device)
{
	long idle, open;
	struct vfio vfio;

	expect_suspended(device->bdf, "before");
	idle = power_usage(device->bdf);
	vfio_open(&vfio, device);
	open = power_usage(device->bdf);
	for (int i = 0; i < ROUNDS; i++) {
		lowpower_sleep(&vfio);
		lowpower_wake(&vfio);
		expect_usage(device->bdf, open, "after low power exit");
	}
	lowpower_sleep(&vfio);
	vfio_close(&vfio);
	expect_suspended(device->bdf, "after close in low power");
	expect_usage(device->bdf, idle, "after close in low power");
}

static void sleep_to_reset(const struct device *device, struct vfio *vfio)
{
	long active;
	int r;

	vfio_open(vfio, device);
	if (!vfio->resets)
		skip("%s: it has no reset of its own", device->bdf);
	lowpower_sleep(vfio);
	active = power_active_ms(device->bdf);
	r = vfio_reset(vfio);
	check(r == 0, "VFIO_DEVICE_RESET in low power: %s", strerror(-r));
	check(power_active_ms(device->bdf) > active, "%s: a reset did not wake it", device->bdf);
}

static void reset_restores(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	sleep_to_reset(device, &vfio);
	check(vfio_state(&vfio) == 0, "PMCSR shows D%u after a reset", vfio_state(&vfio));
	lowpower_wake(&vfio);
	bar_find(&bar, &vfio);
	expect_readable(&bar, "after a reset in low power and exit");
	bar_value(bar_map(&bar), "after a reset in low power and exit");
}

static void reset_ends_low_power(const struct device *device)
{
	struct vfio vfio;
	struct bar bar;

	sleep_to_reset(device, &vfio);
	expect_stays_awake(device->bdf, "after a reset in low power");
	bar_find(&bar, &vfio);
	expect_readable(&bar, "after a reset in low power");
	lowpower_sleep(&vfio);
}

/* Some emulated devices know no D3: here it is enough that the driver has suspended them. */
static void over_suspend(const struct intx *intx, bool masked)
{
	int r;

	check(intx_is_masked(intx) == masked, "INTx is%s masked before low power",
	      masked ? " not" : "");
	r = lowpower_entry(intx->vfio);
	check(r == 0, "low power entry: %s", strerror(-r));
	check(power_wait_suspended(intx->vfio->bdf), "%s: not suspended after low power entry",
	      intx->vfio->bdf);
	r = lowpower_exit(intx->vfio);
	check(r == 0, "low power exit: %s", strerror(-r));
	check(intx_is_masked(intx) == masked, "INTx is%s masked after low power, unlike before",
	      masked ? " not" : "");
}

static void intx_mask_survives(const struct device *device)
{
	struct vfio vfio;
	struct intx intx;

	vfio_open(&vfio, device);
	intx_enable(&intx, &vfio);
	over_suspend(&intx, false);
	intx_mask(&intx);
	over_suspend(&intx, true);
	check(intx_events(&intx) == 0, "INTx events, although the device is idle");
	intx_unmask(&intx);
	over_suspend(&intx, false);
}

/* An interrupt is masked by its delivery, until the user unmasks it. */
static void fire_once(const struct intx *intx, const struct bar *bar, const char *when)
{
	unsigned long events;

	if (!intx_fire(intx->vfio, bar))
		skip("%s: no way known to make it assert INTx", intx->vfio->bdf);
	events = intx_events(intx);
	check(events == 1, "%lu INTx events %s, and not one", events, when);
}

static void intx_works_after(const struct device *device)
{
	struct vfio vfio;
	struct intx intx;
	struct bar bar;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	intx_enable(&intx, &vfio);
	fire_once(&intx, &bar, "before low power");
	over_suspend(&intx, true);
	check(intx_events(&intx) == 0, "an INTx event from a device whose INTx is masked");
	intx_acknowledge(&bar);
	intx_unmask(&intx);
	over_suspend(&intx, false);
	check(intx_events(&intx) == 0, "an INTx event from nothing");
	fire_once(&intx, &bar, "after low power");
	intx_acknowledge(&bar);
}

/*
 * Asserted, and masked by its delivery: an unmask by eventfd would deliver it again at once, after
 * a look at the device, which is off.
 */
static void intx_unmasked_in_low_power(const struct device *device)
{
	struct vfio vfio;
	struct intx intx;
	struct bar bar;
	int unmask, r;

	vfio_open(&vfio, device);
	bar_find(&bar, &vfio);
	intx_enable(&intx, &vfio);
	unmask = intx_unmask_eventfd(&intx);
	fire_once(&intx, &bar, "before low power");
	r = lowpower_entry(&vfio);
	check(r == 0, "low power entry: %s", strerror(-r));
	check(power_wait_suspended(device->bdf), "%s: not suspended after low power entry",
	      device->bdf);
	check(eventfd_write(unmask, 1) == 0, "eventfd: %s", strerror(errno));
	check(intx_events(&intx) == 0, "an INTx event while the device is suspended");
	check(power_wait_suspended(device->bdf), "%s: an unmask by eventfd woke it", device->bdf);
	r = lowpower_exit(&vfio);
	check(r == 0, "low power exit: %s", strerror(-r));
	check(intx_events(&intx) == 1, "no INTx event, or more than one, after low power");
	intx_acknowledge(&bar);
}

const struct test tests_p5[] = {
	{"p5-feature-probe", ROLE_ENDPOINT, probe,
	 "features 3, 4 and 5 can be set and not got, and probing changes nothing"},
	{"p5-entry-suspends", ROLE_ENDPOINT, entry_suspends, "entry suspends an open device"},
	{"p5-entry-reaches-d3cold", ROLE_ENDPOINT, entry_reaches_d3cold, "down to D3cold"},
	{"p5-mapped-access-sigbus", ROLE_ENDPOINT, mapped_access,
	 "in low power mappings give SIGBUS, and do not wake the device"},
	{"p5-mapped-access-right-after-entry-sigbus", ROLE_ENDPOINT, mapped_access_at_once,
	 "from the moment that entry returns"},
	{"p5-mapped-access-kept-awake-sigbus", ROLE_ENDPOINT, kept_awake_sigbus,
	 "also while the host's power/control=on keeps the device awake"},
	{"p5-other-access-wakes-and-resuspends", ROLE_ENDPOINT, other_access,
	 "read, write and ioctl wake the device, and it suspends again afterwards"},
	{"p5-wakeup-eventfd-signals-and-stays-awake", ROLE_ENDPOINT, wakeup,
	 "entered with wake-up, an access signals the eventfd, the device stays awake and mapped"},
	{"p5-wakeup-by-host-access", ROLE_ENDPOINT, wakeup_by_host,
	 "so does an access by the host"},
	{"p5-wakeup-again", ROLE_ENDPOINT, wakeup_again, "one event for each entry, many times"},
	{"p5-wakeup-without-exit", ROLE_ENDPOINT, wakeup_without_exit,
	 "after a wake-up the device may enter again, without exit"},
	{"p5-wakeup-kept-awake-signals", ROLE_ENDPOINT, kept_awake_wakeup,
	 "an access is a wake-up also when the host's power/control=on keeps the device awake"},
	{"p5-wakeup-bad-eventfd", ROLE_ENDPOINT, wakeup_bad_eventfd,
	 "entry with what is no eventfd is refused and changes nothing"},
	{"p5-second-entry-einval", ROLE_ENDPOINT, second_entry,
	 "a second entry of either kind gives EINVAL and changes nothing"},
	{"p5-exit-restores", ROLE_ENDPOINT, exit_restores, "exit restores D0, BARs and mappings"},
	{"p5-exit-without-entry", ROLE_ENDPOINT, exit_without_entry,
	 "exit without entry, and twice, changes nothing"},
	{"p5-entry-in-user-d3hot", ROLE_ENDPOINT, entry_in_d3hot,
	 "entry from a user's D3hot suspends, and exit and D0 restore the device"},
	{"p5-entry-in-user-d3hot-reaches-d3cold", ROLE_ENDPOINT, entry_in_d3hot_reaches_d3cold,
	 "down to D3cold from there too"},
	{"p5-pf-entry-with-vfs-stays-d0", ROLE_PF, pf_entry_with_vfs,
	 "a PF with VFs stays in D0 after entry"},
	{"p5-pf-in-low-power-d0-before-vfs", ROLE_PF, pf_vfs_in_low_power,
	 "enabling VFs brings a PF in low power to D0, where it stays"},
	{"p5-close-restores", ROLE_ENDPOINT, close_restores,
	 "close in low power ends it: the next open is awake, and may enter again"},
	{"p5-usage-count", ROLE_ENDPOINT, usage_count,
	 "entry, exit and close leave the usage count as they found it"},
	{"p5-reset-restores", ROLE_ENDPOINT, reset_restores,
	 "a reset in low power is done awake, and the device works after exit"},
	{"p5-reset-ends-low-power", ROLE_ENDPOINT, reset_ends_low_power,
	 "a reset ends low power: the device stays in D0 and may enter again"},
	{"p5-intx-masked-over-suspend", ROLE_ENDPOINT, intx_mask_survives,
	 "INTx is masked or not after low power as it was before"},
	{"p5-intx-works-after-suspend", ROLE_PME, intx_works_after,
	 "no INTx event is lost, doubled or invented by low power (Intel 8255x)"},
	{"p5-intx-unmasked-in-low-power-waits", ROLE_PME, intx_unmasked_in_low_power,
	 "INTx unmasked by eventfd in low power comes after it, and wakes nothing (Intel 8255x)"},
	{0},
};
