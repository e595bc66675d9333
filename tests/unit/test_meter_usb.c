/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An instrument on USB, which libsigrok reads by itself, with each fault that it can have. */
#include "meter_faults.h"
#include "usbtmc_fake.h"

#define RATE 1000.0

static const char *const p1[] = {"P1"};

static struct meter_keep *start_usb(const struct usbtmc_fake *like, const char *spec,
				    UMockdevTestbed **testbed)
{
	*testbed = usbtmc_start(like);
	return keep_spec(spec, p1, 1);
}

static void found_by(const char *spec, const char *identity)
{
	const struct usbtmc_fake like = {.server = {.identity = identity}};
	UMockdevTestbed *testbed;
	struct meter_keep *keep = start_usb(&like, spec, &testbed);

	hear(keep, 50, 5 * SECOND);
	CU_ASSERT_EQUAL(heard.samples_n, 50);
	if (heard.lost_once)
		printf(" [%s] ", heard.lost_text);
	expect_faithful(&usbtmc.server, p1);
	meter_keep_close(keep);
	usbtmc_stop(testbed);
}

static void is_read(void)
{
	found_by("scpi-dmm:conn=usbtmc/1.2", scpi_34405a);
	found_by("scpi-dmm:conn=usbtmc/0957.0618", scpi_34405a);
	found_by("scpi-pps:conn=usbtmc/1.2", scpi_dp832);
}

static void is_found_by_itself(void)
{
	found_by("scpi-dmm", scpi_34405a);
	found_by("scpi-pps", scpi_dp832);
}

static const struct unit_case cases[] = {
	{"it is read", is_read},
	{"it is found by itself", is_found_by_itself},
};

int main(int argc, char **argv)
{
	(void)argc;
	umock_preload(argv);
	return unit_run("meter_usb", cases, UNIT_COUNT(cases));
}
