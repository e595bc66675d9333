/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sysfs.h"

#include <errno.h>

#include "agent_fake.h"
#include "unit.h"

static void attributes_that_wake_are_refused(void)
{
	static const char *const waking[] = {
		"config",
		"current_link_speed",
		"current_link_width",
		"max_link_speed",
		"resource",
		"resource0",
		"rom",
		"vpd",
		"hwmon/hwmon0/temp1_input",
		"reset",
		"remove",
		"enable",
		"power/autosuspend_delay_ms",
	};
	struct host host = fake_new();
	char text[16];

	for (size_t i = 0; i < UNIT_COUNT(waking); i++) {
		fake_attr("0000:01:00.0", waking[i], "secret");
		CU_ASSERT_EQUAL(sysfs_read(&host, text, sizeof(text),
					   "bus/pci/devices/0000:01:00.0/%s", waking[i]),
				-EPERM);
		CU_ASSERT_STRING_EQUAL(text, "");
		CU_ASSERT_EQUAL(
			sysfs_write(&host, "1", "bus/pci/devices/0000:01:00.0/%s", waking[i]),
			-EPERM);
		CU_ASSERT_STRING_EQUAL(fake_attr_text("0000:01:00.0", waking[i]), "secret");
	}
	fake_free();
}

static void a_path_with_dots_is_refused(void)
{
	CU_ASSERT_FALSE(sysfs_allows("bus/pci/devices/../vendor", SYSFS_READ));
	CU_ASSERT_FALSE(sysfs_allows("class/block/..", SYSFS_LOOK));
}

static void a_star_of_the_list_does_not_cross_a_slash(void)
{
	CU_ASSERT_TRUE(sysfs_allows("bus/pci/devices/0000:01:00.0/vendor", SYSFS_READ));
	CU_ASSERT_FALSE(sysfs_allows("bus/pci/devices/0000:01:00.0/drm/card0/vendor", SYSFS_READ));
}

static void what_may_be_read_may_not_be_written(void)
{
	CU_ASSERT_FALSE(sysfs_allows("bus/pci/devices/0000:01:00.0/vendor", SYSFS_WRITE));
	CU_ASSERT_FALSE(sysfs_allows("bus/pci/devices/0000:01:00.0/power_state", SYSFS_WRITE));
	CU_ASSERT_TRUE(sysfs_allows("bus/pci/devices/0000:01:00.0/power/control", SYSFS_WRITE));
	CU_ASSERT_FALSE(sysfs_allows("bus/pci/drivers/nvme/new_id", SYSFS_WRITE));
}

static void a_value_is_read_without_its_newline(void)
{
	struct host host = fake_new();
	char text[16];

	CU_ASSERT_EQUAL(
		sysfs_read(&host, text, sizeof(text), "bus/pci/devices/0000:01:00.0/power_state"),
		0);
	CU_ASSERT_STRING_EQUAL(text, "D0");
	fake_free();
}

static void a_long_value_is_cut_off_at_the_size(void)
{
	struct host host = fake_new();
	char text[4];

	fake_attr("0000:01:00.0", "driver_override", "a-long-name");
	CU_ASSERT_EQUAL(sysfs_read(&host, text, sizeof(text),
				   "bus/pci/devices/0000:01:00.0/driver_override"),
			0);
	CU_ASSERT_STRING_EQUAL(text, "a-l");
	fake_free();
}

static void a_missing_attribute_is_enoent_and_empty(void)
{
	struct host host = fake_new();
	char text[8] = "before";

	CU_ASSERT_EQUAL(
		sysfs_read(&host, text, sizeof(text), "bus/pci/devices/0000:01:00.0/sriov_numvfs"),
		-ENOENT);
	CU_ASSERT_STRING_EQUAL(text, "");
	fake_free();
}

static void a_link_is_resolved_to_its_place_below_sys(void)
{
	struct host host = fake_new();
	char place[PATH_MAX];

	CU_ASSERT_EQUAL(sysfs_resolve(&host, place, "bus/pci/devices/0000:01:00.0"), 0);
	CU_ASSERT_STRING_EQUAL(place, "devices/pci0000:00/0000:00:05.0/0000:01:00.0");
	CU_ASSERT_EQUAL(sysfs_resolve(&host, place, "bus/pci/devices/0000:09:00.0"), -ENOENT);
	fake_free();
}

static void names_in_a_directory_come_sorted_and_a_missing_one_is_empty(void)
{
	struct host host = fake_new();
	struct sysfs_names names = sysfs_list(&host, "bus/pci/devices");

	CU_ASSERT_EQUAL_FATAL(names.n, 5);
	CU_ASSERT_STRING_EQUAL(names.at[0], "0000:00:05.0");
	CU_ASSERT_STRING_EQUAL(names.at[4], "0000:03:00.0");
	sysfs_names_free(&names);
	names = sysfs_list(&host, "class/vtconsole");
	CU_ASSERT_EQUAL(names.n, 0);
	sysfs_names_free(&names);
	fake_free();
}

static const struct unit_case cases[] = {
	{"attributes that wake are refused", attributes_that_wake_are_refused},
	{"a path with dots is refused", a_path_with_dots_is_refused},
	{"a star of the list does not cross a slash", a_star_of_the_list_does_not_cross_a_slash},
	{"what may be read may not be written", what_may_be_read_may_not_be_written},
	{"a value is read without its newline", a_value_is_read_without_its_newline},
	{"a long value is cut off at the size", a_long_value_is_cut_off_at_the_size},
	{"a missing attribute is ENOENT and empty", a_missing_attribute_is_enoent_and_empty},
	{"a link is resolved to its place below sys", a_link_is_resolved_to_its_place_below_sys},
	{"names in a directory come sorted, a missing one is empty",
	 names_in_a_directory_come_sorted_and_a_missing_one_is_empty},
};

int main(void)
{
	return unit_run("agent sysfs", cases, UNIT_COUNT(cases));
}
