/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard.h"

#include "agent_fake.h"
#include "unit.h"

#define NVME "/sys/devices/pci0000:00/0000:00:07.0/0000:03:00.0/nvme/nvme0/nvme0n1"
#define CARD "/sys/devices/pci0000:00/0000:00:05.0/0000:01:00.0"

/* Why the machine needs a function, "" if it does not; valid until the next call. */
static const char *why(const struct host *host, const char *name)
{
	static struct err err;
	struct bdf bdf = fake_bdf(name);
	struct guard *guard = guard_new(host, NULL, 0);

	err.text[0] = 0;
	if (!guard_needs(guard, &bdf, &err))
		err.text[0] = 0;
	else if (!err.text[0])
		strcpy(err.text, "needed without a reason");
	guard_free(guard);
	return err.text;
}

static void fake_disk(const char *place, const char *name, const char *number)
{
	char path[PATH_MAX];

	fake_dir(place);
	fake_link(fake_path(path, "/sys/class/block/%s", name), place);
	fake_link(fake_path(path, "/sys/dev/block/%s", number), place);
}

static void an_idle_machine_needs_only_its_bridges(void)
{
	struct host host = fake_new();

	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:03:00.0"), "");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:00:05.0"),
			       "it is a bridge, others are reached through it");
	fake_free();
}

static void a_drive_with_a_mounted_partition_is_needed(void)
{
	struct host host = fake_new();

	fake_disk(NVME "/nvme0n1p2", "nvme0n1p2", "259:2");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:03:00.0"), "");
	fake_file("/proc/self/mountinfo",
		  "20 1 0:19 / /proc rw - proc proc rw\n"
		  "21 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:03:00.0"), "/ is mounted from nvme0n1p2");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "");
	fake_free();
}

static void a_mount_through_device_mapper_needs_the_drive_below(void)
{
	struct host host = fake_new();

	fake_disk(NVME, "nvme0n1", "259:0");
	fake_disk("/sys/devices/virtual/block/dm-0", "dm-0", "254:0");
	fake_disk("/sys/devices/virtual/block/md1", "md1", "9:1");
	fake_link("/sys/class/block/dm-0/slaves/md1", "/sys/class/block/md1");
	fake_link("/sys/class/block/md1/slaves/nvme0n1", "/sys/class/block/nvme0n1");
	fake_file("/proc/self/mountinfo", "21 1 254:0 / /home rw - ext4 /dev/mapper/home rw");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:03:00.0"), "/home is mounted from dm-0");
	fake_free();
}

static void a_file_system_with_its_own_number_is_found_by_its_source(void)
{
	struct host host = fake_new();

	fake_disk(NVME, "nvme0n1", "259:0");
	fake_file("/proc/self/mountinfo", "21 1 0:25 / /data rw - btrfs /dev/nvme0n1 rw");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:03:00.0"), "/data is mounted from nvme0n1");
	fake_free();
}

static void a_second_drive_of_a_btrfs_is_needed(void)
{
	struct host host = fake_new();

	fake_disk(NVME, "nvme0n1", "259:0");
	fake_link("/sys/fs/btrfs/some-uuid/devices/nvme0n1", "/sys/class/block/nvme0n1");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:03:00.0"), "a btrfs is mounted from nvme0n1");
	fake_free();
}

static void a_mount_over_nvme_multipath_needs_the_controllers_function(void)
{
	struct host host = fake_new();

	fake_dir("/sys/devices/pci0000:00/0000:00:07.0/0000:03:00.0/nvme/nvme0");
	fake_disk("/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "nvme0n1", "259:0");
	fake_link("/sys/class/nvme-subsystem/nvme-subsys0",
		  "/sys/devices/virtual/nvme-subsystem/nvme-subsys0");
	fake_link("/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
		  "/sys/devices/pci0000:00/0000:00:07.0/0000:03:00.0/nvme/nvme0");
	fake_file("/proc/self/mountinfo", "21 1 259:0 / / rw - ext4 /dev/nvme0n1 rw");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:03:00.0"), "/ is mounted from nvme0n1");
	fake_free();
}

static void swap_is_needed(void)
{
	struct host host = fake_new();

	fake_disk(NVME "/nvme0n1p3", "nvme0n1p3", "259:3");
	fake_file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
				 "/dev/nvme0n1p3 partition 100 0 -2");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:03:00.0"), "swap is on nvme0n1p3");
	fake_free();
}

static void an_interface_with_a_route_is_needed_and_one_without_is_not(void)
{
	struct host host = fake_new();

	fake_dir(CARD "/net/eth0");
	fake_link("/sys/class/net/eth0", CARD "/net/eth0");
	fake_file("/proc/net/route", "Iface\tDestination");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "");
	fake_file("/proc/net/route", "Iface\tDestination\nlo\t0\neth0\t00000000\t0101A8C0");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "network interface eth0 has a route");
	CU_ASSERT_STRING_EQUAL(
		why(&host, "0000:01:00.1"),
		"network interface eth0 has a route, on 0000:01:00.0 of the same slot");
	fake_free();
}

static void a_route_over_a_bond_needs_the_cards_below(void)
{
	struct host host = fake_new();

	fake_dir(CARD "/net/eth0");
	fake_link("/sys/class/net/eth0", CARD "/net/eth0");
	fake_dir("/sys/devices/virtual/net/bond0");
	fake_link("/sys/class/net/bond0", "/sys/devices/virtual/net/bond0");
	fake_link("/sys/devices/virtual/net/bond0/lower_eth0", CARD "/net/eth0");
	fake_file("/proc/net/route", "Iface\nbond0\t00000000");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "network interface bond0 has a route");
	fake_free();
}

#define V6(to, flags)                                                                              \
	to " 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 "    \
	   "00000001 00000000 " flags "     eth0"

static void link_local_ipv6_is_no_route_but_a_global_one_is(void)
{
	struct host host = fake_new();

	fake_dir(CARD "/net/eth0");
	fake_link("/sys/class/net/eth0", CARD "/net/eth0");
	fake_file("/proc/net/ipv6_route",
		  V6("fe800000000000000000000000000000", "00000001") "\n" V6(
			  "ff000000000000000000000000000000",
			  "00000001") "\n" V6("20010db8000000000000000000000001", "80200001"));
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "");
	fake_file("/proc/net/ipv6_route", V6("20010db8000000000000000000000000", "00000001"));
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "network interface eth0 has a route");
	fake_free();
}

static void another_member_of_the_group_can_make_a_device_needed(void)
{
	struct host host = fake_new();

	fake_function("0000:00:05.0", "0000:04:00.0", "0x030000", "", 7);
	fake_disk(NVME, "nvme0n1", "259:0");
	fake_file("/proc/self/mountinfo", "21 1 259:0 / / rw - ext4 /dev/nvme0n1 rw");
	CU_ASSERT_STRING_EQUAL(
		why(&host, "0000:04:00.0"),
		"/ is mounted from nvme0n1, on 0000:03:00.0 of the same IOMMU group");
	fake_free();
}

static void the_card_of_a_serial_console_is_needed(void)
{
	struct host host = fake_new();

	fake_dir(CARD "/tty/ttyS4");
	fake_link("/sys/class/tty/ttyS4", CARD "/tty/ttyS4");
	fake_file("/sys/class/tty/console/active", "tty0 ttyS4");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "the console is ttyS4");
	fake_free();
}

static void the_boot_screen_is_needed_while_a_framebuffer_console_is_on_it(void)
{
	struct host host = fake_new();

	fake_attr("0000:01:00.0", "boot_vga", "1");
	fake_file("/sys/class/vtconsole/vtcon1/name", "(M) frame buffer device");
	fake_file("/sys/class/vtconsole/vtcon1/bind", "0");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "");
	fake_file("/sys/class/vtconsole/vtcon1/bind", "1");
	CU_ASSERT_STRING_EQUAL(why(&host, "0000:01:00.0"), "the framebuffer console is on it");
	fake_free();
}

static void what_the_agent_talks_over_is_needed(void)
{
	struct host host = fake_new();
	struct bdf bdf = fake_bdf("0000:01:00.0");
	FILE *null = fopen("/dev/null", "r");
	int fd = fileno(null);
	struct guard *guard;
	struct err err = {""};

	fake_dir(CARD "/usb1/1-1/ttyUSB0");
	fake_link("/sys/dev/char/1:3", CARD "/usb1/1-1/ttyUSB0"); /* 1:3 is /dev/null */
	guard = guard_new(&host, &fd, 1);
	CU_ASSERT_TRUE(guard_needs(guard, &bdf, &err));
	CU_ASSERT_STRING_EQUAL(err.text, "the agent talks over ttyUSB0");
	guard_free(guard);
	fclose(null);
	fake_free();
}

static const struct unit_case cases[] = {
	{"an idle machine needs only its bridges", an_idle_machine_needs_only_its_bridges},
	{"a drive with a mounted partition is needed", a_drive_with_a_mounted_partition_is_needed},
	{"a mount through device mapper needs the drive below",
	 a_mount_through_device_mapper_needs_the_drive_below},
	{"a file system with its own number is found by its source",
	 a_file_system_with_its_own_number_is_found_by_its_source},
	{"a second drive of a btrfs is needed", a_second_drive_of_a_btrfs_is_needed},
	{"a mount over NVMe multipath needs the controller's function",
	 a_mount_over_nvme_multipath_needs_the_controllers_function},
	{"swap is needed", swap_is_needed},
	{"an interface with a route is needed, one without is not",
	 an_interface_with_a_route_is_needed_and_one_without_is_not},
	{"a route over a bond needs the cards below", a_route_over_a_bond_needs_the_cards_below},
	{"link-local IPv6 is no route but a global one is",
	 link_local_ipv6_is_no_route_but_a_global_one_is},
	{"another member of the group can make a device needed",
	 another_member_of_the_group_can_make_a_device_needed},
	{"the card of a serial console is needed", the_card_of_a_serial_console_is_needed},
	{"the boot screen is needed while a framebuffer console is on it",
	 the_boot_screen_is_needed_while_a_framebuffer_console_is_on_it},
	{"what the agent talks over is needed", what_the_agent_talks_over_is_needed},
};

int main(void)
{
	return unit_run("agent guard", cases, UNIT_COUNT(cases));
}
