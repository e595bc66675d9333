/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "device.h"

#include <errno.h>

#include "agent_fake.h"
#include "driver.h"
#include "unit.h"

static void a_device_has_the_bridge_above_it_as_port(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.1"), root = fake_bdf("0000:00:05.0"), port;

	CU_ASSERT_EQUAL(device_port(&host, &card, &port), 0);
	CU_ASSERT_TRUE(bdf_equal(&port, &root));
	CU_ASSERT_EQUAL(device_port(&host, &root, &port), -ENOENT);
	fake_free();
}

static void a_slot_is_all_functions_of_one_device_number(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.1");
	struct bdf_list slot;

	fake_function("0000:00:05.0", "0000:01:01.0", "0x020000", "", 9);
	slot = device_slot(&host, &card);
	CU_ASSERT_EQUAL_FATAL(slot.n, 2);
	CU_ASSERT_EQUAL(slot.at[0].function, 0);
	CU_ASSERT_EQUAL(slot.at[1].function, 1);
	bdf_list_free(&slot);
	fake_free();
}

static void a_group_has_its_number_and_members(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.0");
	struct bdf_list group = device_group_members(&host, &card);

	CU_ASSERT_EQUAL(device_group(&host, &card), 5);
	CU_ASSERT_EQUAL(group.n, 2);
	bdf_list_free(&group);
	fake_free();
}

static void without_an_iommu_there_is_no_group(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.0");
	struct bdf_list group;

	fake_unlink("/sys/bus/pci/devices/0000:01:00.0/iommu_group");
	group = device_group_members(&host, &card);
	CU_ASSERT_EQUAL(device_group(&host, &card), -ENOENT);
	CU_ASSERT_EQUAL(group.n, 0);
	bdf_list_free(&group);
	fake_free();
}

static void virtual_functions_are_found_by_their_physical_one(void)
{
	struct host host = fake_new();
	struct bdf pf = fake_bdf("0000:03:00.0"), vf = fake_bdf("0000:03:10.0");
	struct bdf_list vfs;

	fake_function("0000:00:07.0", "0000:03:10.0", "0x020000", "", 8);
	fake_link("/sys/bus/pci/devices/0000:03:10.0/physfn", "/sys/bus/pci/devices/0000:03:00.0");
	vfs = device_vfs(&host, &pf);
	CU_ASSERT_EQUAL_FATAL(vfs.n, 1);
	CU_ASSERT_TRUE(bdf_equal(&vfs.at[0], &vf));
	CU_ASSERT_TRUE(device_is_vf(&host, &vf));
	CU_ASSERT_FALSE(device_is_vf(&host, &pf));
	bdf_list_free(&vfs);
	fake_free();
}

static void only_class_06_is_a_bridge(void)
{
	struct host host = fake_new();
	struct bdf port = fake_bdf("0000:00:05.0"), card = fake_bdf("0000:01:00.0");

	CU_ASSERT_TRUE(device_is_bridge(&host, &port));
	CU_ASSERT_FALSE(device_is_bridge(&host, &card));
	fake_free();
}

static void a_number_with_letters_behind_it_is_none(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.0");
	long value;

	fake_attr("0000:01:00.0", "sriov_numvfs", "7");
	CU_ASSERT_EQUAL(device_number(&host, &card, "sriov_numvfs", &value), 0);
	CU_ASSERT_EQUAL(value, 7);
	fake_attr("0000:01:00.0", "sriov_numvfs", "7x");
	CU_ASSERT_EQUAL(device_number(&host, &card, "sriov_numvfs", &value), -EINVAL);
	fake_attr("0000:01:00.0", "sriov_numvfs", "");
	CU_ASSERT_EQUAL(device_number(&host, &card, "sriov_numvfs", &value), -EINVAL);
	fake_free();
}

static void waiting_for_a_transition_ends_at_its_limit(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.0");
	int64_t begin_ns = host_now_ns();

	device_settle(&host, &card, 1000000000);
	CU_ASSERT_TRUE(host_now_ns() - begin_ns < 500000000);
	fake_attr("0000:01:00.0", "power/runtime_status", "suspending");
	begin_ns = host_now_ns();
	device_settle(&host, &card, 30000000);
	CU_ASSERT_TRUE(host_now_ns() - begin_ns >= 30000000);
	fake_free();
}

static void bind_to_vfio_and_back_to_the_kernels_choice(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.0");

	CU_ASSERT_EQUAL(driver_to_vfio(&host, &card, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_driver_text("0000:01:00.0"), "vfio-pci");
	CU_ASSERT_EQUAL(driver_to_native(&host, &card, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_driver_text("0000:01:00.0"), "gpu");
	CU_ASSERT_STRING_EQUAL(fake_attr_text("0000:01:00.0", "driver_override"), "");
	fake_free();
}

static void a_function_bound_to_vfio_is_not_enabled_to_wake_the_machine(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.0");

	fake_attr("0000:01:00.0", "power/wakeup", "enabled");
	CU_ASSERT_EQUAL(driver_to_vfio(&host, &card, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_attr_text("0000:01:00.0", "power/wakeup"), "disabled");
	fake_attr("0000:01:00.0", "power/wakeup", "enabled");
	CU_ASSERT_EQUAL(driver_to_vfio(&host, &card, NULL), 0); /* also if it is bound already */
	CU_ASSERT_STRING_EQUAL(fake_attr_text("0000:01:00.0", "power/wakeup"), "disabled");
	fake_free();
}

static void a_bind_that_vfio_does_not_take_is_an_error_with_the_name(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.0");
	struct err err = {""};

	fake_refuses = true;
	CU_ASSERT_EQUAL(driver_to_vfio(&host, &card, &err), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0000:01:00.0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "none"));
	fake_free();
}

static void more_virtual_functions_than_there_are_is_an_error(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf("0000:01:00.0");

	CU_ASSERT_EQUAL(driver_set_vfs(&host, &card, 1, NULL), -ENOENT);
	fake_attr("0000:01:00.0", "sriov_totalvfs", "2");
	fake_attr("0000:01:00.0", "sriov_numvfs", "0");
	CU_ASSERT_EQUAL(driver_set_vfs(&host, &card, 3, NULL), -EINVAL);
	CU_ASSERT_STRING_EQUAL(fake_attr_text("0000:01:00.0", "sriov_numvfs"), "0");
	CU_ASSERT_EQUAL(driver_set_vfs(&host, &card, 2, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_attr_text("0000:01:00.0", "sriov_numvfs"), "2");
	fake_free();
}

static const struct unit_case cases[] = {
	{"a device has the bridge above it as port", a_device_has_the_bridge_above_it_as_port},
	{"a slot is all functions of one device number",
	 a_slot_is_all_functions_of_one_device_number},
	{"a group has its number and members", a_group_has_its_number_and_members},
	{"without an IOMMU there is no group", without_an_iommu_there_is_no_group},
	{"virtual functions are found by their physical one",
	 virtual_functions_are_found_by_their_physical_one},
	{"only class 06 is a bridge", only_class_06_is_a_bridge},
	{"a number with letters behind it is none", a_number_with_letters_behind_it_is_none},
	{"waiting for a transition ends at its limit", waiting_for_a_transition_ends_at_its_limit},
	{"bind to vfio and back to the kernel's choice",
	 bind_to_vfio_and_back_to_the_kernels_choice},
	{"a function bound to vfio is not enabled to wake the machine",
	 a_function_bound_to_vfio_is_not_enabled_to_wake_the_machine},
	{"a bind that vfio does not take is an error with the name",
	 a_bind_that_vfio_does_not_take_is_an_error_with_the_name},
	{"more virtual functions than there are is an error",
	 more_virtual_functions_than_there_are_is_an_error},
};

int main(void)
{
	return unit_run("agent device", cases, UNIT_COUNT(cases));
}
