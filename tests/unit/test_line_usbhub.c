/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real libusb, on hubs that answer as chapter 11 of USB 2.0 has it. */
#include <errno.h>
#include <stdbool.h>

#include "line_backend.h"
#include "test_umock_usb.h"

#define PORTS 4

/* What the hub at 1-1.4 is like. */
static struct {
	uint8_t switching; /* of wHubCharacteristics: 0 all ports at once, 1 each, 2 none */
	bool usb3, lazy, stalls;
	unsigned powered; /* a bit for each port */
	int status_asked;
} hub;

static int descriptor(const struct umock_setup *setup, uint8_t *data)
{
	if (setup->value != (hub.usb3 ? 0x2a00 : 0x2900))
		return -EPIPE;
	memset(data, 0, 9);
	data[0] = 9;
	data[1] = (uint8_t)(setup->value >> 8);
	data[2] = PORTS;
	data[3] = hub.switching;
	return 9;
}

static int on_transfer(const char *node, const struct umock_setup *setup, uint8_t *data)
{
	const unsigned bit = 1u << setup->index;

	(void)node;
	if (hub.stalls)
		return -EPIPE;
	if (setup->type == 0xa0 && setup->request == 6)
		return descriptor(setup, data);
	if (setup->index < 1 || setup->index > PORTS)
		return -EPIPE;
	if (setup->type == 0xa3 && setup->request == 0 && setup->length == 4) {
		unsigned on = hub.powered & bit ? (hub.usb3 ? 0x0200 : 0x0100) : 0;

		hub.status_asked++;
		data[0] = 1; /* connected */
		data[1] = (uint8_t)(on >> 8);
		data[2] = data[3] = 0;
		return 4;
	}
	if (setup->type != 0x23 || setup->value != 8)
		return -EPIPE;
	if (!hub.lazy)
		hub.powered = setup->request == 3 ? hub.powered | bit : hub.powered & ~bit;
	return 0;
}

static UMockdevTestbed *plug_in(bool usb3)
{
	UMockdevTestbed *testbed = umock_usb_new(on_transfer);

	memset(&hub, 0, sizeof(hub));
	hub.switching = 1;
	hub.usb3 = usb3;
	hub.powered = 0x1e;
	umock_usb_add(testbed, "usb1", "1-1", 2, 0x05e3, 0x0608, 9, 0x0200);
	umock_usb_add(testbed, "usb1/1-1", "1-1.4", 3, 0x2109, 0x2812, 9, usb3 ? 0x0310 : 0x0210);
	umock_usb_add(testbed, "usb1/1-1", "1-1.1", 4, 0x046d, 0xc31c, 0, 0x0200);
	return testbed;
}

static int open_port(const char *path, unsigned port, void **state, struct err *err)
{
	const struct lab_line line = {.kind = LAB_LINE_USBHUB,
				      .usbhub = {.path = (char *)path, .port = port}};

	return line_usbhub_backend.open(&line, state, err);
}

static void switch_and_verify(bool usb3)
{
	UMockdevTestbed *testbed = plug_in(usb3);
	char text[LINE_TEXT_SIZE];
	struct err err = {""};
	bool active = false;
	void *state = NULL;

	CU_ASSERT_EQUAL_FATAL(open_port("1-1.4", 3, &state, &err), 0);
	CU_ASSERT_EQUAL(hub.powered, 0x1e);
	line_usbhub_backend.describe(state, text);
	CU_ASSERT_STRING_EQUAL(text, "USB hub 1-1.4 (2109:2812) port 3");
	CU_ASSERT_EQUAL(line_usbhub_backend.read(state, &active, &err), 0);
	CU_ASSERT_TRUE(active);
	CU_ASSERT_EQUAL(line_usbhub_backend.set(state, false, &err), 0);
	CU_ASSERT_EQUAL(hub.powered, 0x16);
	CU_ASSERT_EQUAL(line_usbhub_backend.read(state, &active, &err), 0);
	CU_ASSERT_FALSE(active);
	CU_ASSERT_EQUAL(line_usbhub_backend.set(state, true, &err), 0);
	CU_ASSERT_EQUAL(hub.powered, 0x1e);
	line_usbhub_backend.close(state);
	g_object_unref(testbed);
}

static void a_port_is_switched_and_verified(void)
{
	switch_and_verify(false);
	CU_ASSERT(hub.status_asked >= 4);
}

static void a_hub_of_usb_3_has_its_bits_elsewhere(void)
{
	switch_and_verify(true);
}

static void one_that_only_says_so_is_caught(void)
{
	UMockdevTestbed *testbed = plug_in(false);
	struct err err = {""};
	void *state = NULL;

	hub.lazy = true;
	CU_ASSERT_EQUAL_FATAL(open_port("1-1.4", 2, &state, &err), 0);
	CU_ASSERT_EQUAL(line_usbhub_backend.set(state, false, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(
		err.text, "hub 1-1.4 port 2: told to switch off, and its status still says on");
	line_usbhub_backend.close(state);
	g_object_unref(testbed);
}

static void what_is_wrong_is_told_with_what_to_do(void)
{
	UMockdevTestbed *testbed = plug_in(false);
	struct err err = {""};
	void *state = NULL;

	CU_ASSERT_EQUAL(open_port("1-1.3", 2, &state, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(err.text, "no USB device at 1-1.3: is the hub plugged in there?"));
	CU_ASSERT_EQUAL(open_port("1-1.1", 2, &state, &err), -ENOTSUP);
	CU_ASSERT_STRING_EQUAL(err.text, "the USB device at 1-1.1 is no hub");
	CU_ASSERT_EQUAL(open_port("1-1.4", 5, &state, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "hub 1-1.4: it has 4 ports, and none is 5");
	hub.switching = 0;
	CU_ASSERT_EQUAL(open_port("1-1.4", 2, &state, &err), -ENOTSUP);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(err.text, "cannot switch the power of one port, only of all at once"));
	hub.switching = 2;
	CU_ASSERT_EQUAL(open_port("1-1.4", 2, &state, &err), -ENOTSUP);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(err.text, "cannot switch the power of one port: use another hub"));
	hub.stalls = true;
	CU_ASSERT_EQUAL(open_port("1-1.4", 2, &state, &err), -EPIPE);
	g_object_unref(testbed);
}

static void a_hub_that_is_unplugged_is_told(void)
{
	UMockdevTestbed *testbed = plug_in(false);
	struct err err = {""};
	void *state = NULL;

	CU_ASSERT_EQUAL_FATAL(open_port("1-1.4", 2, &state, &err), 0);
	umock_usb.unplugged = true;
	CU_ASSERT_EQUAL(line_usbhub_backend.set(state, false, &err), -ENODEV);
	CU_ASSERT_STRING_EQUAL(err.text, "hub 1-1.4: it is gone: was it unplugged?");
	line_usbhub_backend.close(state);
	g_object_unref(testbed);
}

static const struct unit_case cases[] = {
	{"a port is switched and verified", a_port_is_switched_and_verified},
	{"a hub of USB 3 has its bits elsewhere", a_hub_of_usb_3_has_its_bits_elsewhere},
	{"one that only says so is caught", one_that_only_says_so_is_caught},
	{"what is wrong is told with what to do", what_is_wrong_is_told_with_what_to_do},
	{"a hub that is unplugged is told", a_hub_that_is_unplugged_is_told},
};

int main(int argc, char **argv)
{
	(void)argc;
	umock_preload(argv);
	return unit_run("line usbhub", cases, UNIT_COUNT(cases));
}
