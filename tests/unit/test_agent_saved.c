/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "saved.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent_fake.h"
#include "driver.h"
#include "saved_parts.h"
#include "unit.h"

#define CARD  "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define PORT  "0000:00:05.0"

static struct saved saved;
static struct vfio vfio;

static int claim(const struct host *host, const char *name)
{
	struct bdf bdf = fake_bdf(name);

	return saved_claim(&saved, host, &bdf, NULL);
}

static int release(const struct host *host, const char *name, struct err *err)
{
	struct bdf bdf = fake_bdf(name);

	return saved_release(&saved, &vfio, host, &bdf, err);
}

static int to_vfio(const struct host *host, const char *name)
{
	struct bdf bdf = fake_bdf(name);

	return driver_to_vfio(host, &bdf, NULL);
}

static void a_claim_lets_the_port_sleep_and_a_release_puts_it_back(void)
{
	struct host host = fake_new();

	CU_ASSERT_EQUAL(claim(&host, CARD), 0);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "1");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "power/control"), "auto");
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "power/control"), "on");
	CU_ASSERT_EQUAL(saved.n, 0);
	fake_free();
}

static void drivers_come_back_and_a_function_without_one_stays_without(void)
{
	struct host host = fake_new();

	claim(&host, CARD);
	CU_ASSERT_EQUAL(to_vfio(&host, CARD), 0);
	CU_ASSERT_EQUAL(to_vfio(&host, AUDIO), 0);
	CU_ASSERT_EQUAL(release(&host, AUDIO, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_driver_text(CARD), "gpu");
	CU_ASSERT_STRING_EQUAL(fake_driver_text(AUDIO), "");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "driver_override"), "");
	fake_free();
}

static void a_device_of_vfio_before_stays_one_with_its_override(void)
{
	struct host host = fake_new();
	struct bdf card = fake_bdf(CARD);

	fake_driver(CARD, "vfio-pci");
	fake_attr(CARD, "driver_override", "vfio-pci");
	claim(&host, CARD);
	CU_ASSERT_EQUAL(driver_to_native(&host, &card, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_driver_text(CARD), "gpu");
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_driver_text(CARD), "vfio-pci");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "driver_override"), "vfio-pci");
	fake_free();
}

static void attributes_and_virtual_functions_come_back(void)
{
	struct host host = fake_new();

	fake_attr(CARD, "sriov_totalvfs", "4");
	fake_attr(CARD, "sriov_numvfs", "0");
	fake_attr(CARD, "power/wakeup", "enabled");
	claim(&host, CARD);
	fake_attr(CARD, "sriov_numvfs", "2");
	fake_attr(CARD, "d3cold_allowed", "0");
	fake_attr(CARD, "power/control", "auto");
	fake_attr(CARD, "power/wakeup", "disabled");
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "sriov_numvfs"), "0");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "d3cold_allowed"), "1");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "power/control"), "on");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "power/wakeup"), "enabled");
	fake_free();
}

static void claiming_the_slot_again_changes_nothing_that_is_remembered(void)
{
	struct host host = fake_new();

	claim(&host, CARD);
	fake_attr(CARD, "d3cold_allowed", "0");
	CU_ASSERT_EQUAL(claim(&host, AUDIO), 0);
	CU_ASSERT_EQUAL(saved.n, 1);
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "d3cold_allowed"), "1");
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), -ENOENT);
	fake_free();
}

static void a_shared_port_is_restored_with_the_last_claim(void)
{
	struct host host = fake_new();

	fake_function(PORT, "0000:01:01.0", "0x020000", "", 9);
	claim(&host, CARD);
	claim(&host, "0000:01:01.0");
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "1");
	CU_ASSERT_EQUAL(release(&host, "0000:01:01.0", NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	fake_free();
}

static void a_driver_that_does_not_come_back_is_reported_and_the_rest_restored(void)
{
	struct host host = fake_new();
	struct err err = {""};

	claim(&host, CARD);
	to_vfio(&host, CARD);
	fake_attr(CARD, "d3cold_allowed", "0");
	fake_refuses = true;
	CU_ASSERT_TRUE(release(&host, CARD, &err) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not all is as it was"));
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "d3cold_allowed"), "1");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	CU_ASSERT_EQUAL(saved.n, 0);
	fake_free();
}

static void a_device_that_is_gone_does_not_keep_its_port_from_being_restored(void)
{
	struct host host = fake_new();

	claim(&host, CARD);
	fake_unlink("/sys/bus/pci/devices/" CARD);
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), -ENODEV);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	fake_free();
}

static void releasing_all_releases_every_claim(void)
{
	struct host host = fake_new();

	claim(&host, CARD);
	claim(&host, "0000:03:00.0");
	to_vfio(&host, CARD);
	to_vfio(&host, "0000:03:00.0");
	CU_ASSERT_EQUAL(saved_release_all(&saved, &vfio, &host, NULL), 0);
	CU_ASSERT_STRING_EQUAL(fake_driver_text(CARD), "gpu");
	CU_ASSERT_STRING_EQUAL(fake_driver_text("0000:03:00.0"), "nvme");
	CU_ASSERT_EQUAL(saved.n, 0);
	fake_free();
}

/* As SIGKILL does: no code of it runs, its files are closed. */
static void kill_agent(void)
{
	for (size_t i = 0; i < saved.n; i++)
		free(saved.claims[i].functions);
	free(saved.claims);
	if (saved.keep.is_open)
		close(saved.keep.fd);
	saved = (struct saved){0};
}

static void what_a_killed_agent_left_is_put_back_by_the_next(void)
{
	struct host host = fake_new();

	fake_dir("/run");
	claim(&host, CARD);
	CU_ASSERT_EQUAL(to_vfio(&host, CARD), 0);
	CU_ASSERT_EQUAL(to_vfio(&host, AUDIO), 0);
	kill_agent();
	CU_ASSERT_STRING_EQUAL(fake_driver_text(CARD), "vfio-pci");
	saved_put_back_left(&saved, &vfio, &host);
	CU_ASSERT_STRING_EQUAL(fake_driver_text(CARD), "gpu");
	CU_ASSERT_STRING_EQUAL(fake_driver_text(AUDIO), "");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "driver_override"), "");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "power/control"), "on");
	CU_ASSERT_EQUAL(saved.n, 0);
	CU_ASSERT_FALSE(host_exists(&host, KEEP_PATH));
	fake_free();
}

static void what_was_restored_in_order_is_not_put_back_again(void)
{
	struct host host = fake_new();

	fake_dir("/run");
	claim(&host, CARD);
	CU_ASSERT_TRUE(host_exists(&host, KEEP_PATH));
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), 0);
	CU_ASSERT_FALSE(host_exists(&host, KEEP_PATH));
	fake_attr(PORT, "power/control", "auto");
	saved_put_back_left(&saved, &vfio, &host);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "power/control"), "auto");
	fake_free();
}

static void what_another_agent_at_work_has_is_left_alone(void)
{
	struct saved other = {0};
	struct host host = fake_new();

	fake_dir("/run");
	claim(&host, CARD);
	CU_ASSERT_EQUAL(to_vfio(&host, CARD), 0);
	saved_put_back_left(&other, &vfio, &host);
	CU_ASSERT_STRING_EQUAL(fake_driver_text(CARD), "vfio-pci");
	CU_ASSERT_TRUE(host_exists(&host, KEEP_PATH));
	CU_ASSERT_EQUAL(release(&host, CARD, NULL), 0);
	fake_free();
}

static void paper_that_makes_no_sense_changes_nothing(void)
{
	static const char *const texts[] = {
		"",
		"no line",
		"nonsense\n",
		"{}\n",
		"{\"claims\":[{}]}",
		"{\"claims\":[{\"functions\":[{\"bdf\":\"x\"}],\"port\":null}]}",
	};

	for (size_t i = 0; i < UNIT_COUNT(texts); i++) {
		struct host host = fake_new();

		fake_dir("/run");
		fake_file(KEEP_PATH, texts[i]);
		saved_put_back_left(&saved, &vfio, &host);
		CU_ASSERT_EQUAL(saved.n, 0);
		CU_ASSERT_FALSE(host_exists(&host, KEEP_PATH));
		fake_free();
	}
}

static const struct unit_case cases[] = {
	{"a claim lets the port sleep, a release puts it back",
	 a_claim_lets_the_port_sleep_and_a_release_puts_it_back},
	{"drivers come back, a function without one stays without",
	 drivers_come_back_and_a_function_without_one_stays_without},
	{"a device of vfio before stays one with its override",
	 a_device_of_vfio_before_stays_one_with_its_override},
	{"attributes and virtual functions come back", attributes_and_virtual_functions_come_back},
	{"claiming the slot again changes nothing that is remembered",
	 claiming_the_slot_again_changes_nothing_that_is_remembered},
	{"a shared port is restored with the last claim",
	 a_shared_port_is_restored_with_the_last_claim},
	{"a driver that does not come back is reported, the rest restored",
	 a_driver_that_does_not_come_back_is_reported_and_the_rest_restored},
	{"a device that is gone does not keep its port from being restored",
	 a_device_that_is_gone_does_not_keep_its_port_from_being_restored},
	{"releasing all releases every claim", releasing_all_releases_every_claim},
	{"what a killed agent left is put back by the next",
	 what_a_killed_agent_left_is_put_back_by_the_next},
	{"what was restored in order is not put back again",
	 what_was_restored_in_order_is_not_put_back_again},
	{"what another agent at work has is left alone",
	 what_another_agent_at_work_has_is_left_alone},
	{"paper that makes no sense changes nothing", paper_that_makes_no_sense_changes_nothing},
};

int main(void)
{
	return unit_run("agent saved", cases, UNIT_COUNT(cases));
}
