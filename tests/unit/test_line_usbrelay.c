/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The real libusb, on boards that answer as the common firmware does. */
#include <errno.h>
#include <stdbool.h>

#include "line_backend.h"
#include "test_umock_usb.h"

#define BOARDS 3

/* The third has the numbers of a board, and is something else. */
static struct {
	const char *name, *serial;
	uint8_t relays;
	bool stuck, stalls;
} boards[BOARDS];

static int on_transfer(const char *node, const struct umock_setup *setup, uint8_t *data)
{
	const int board = node[strlen(node) - 1] - '2';

	if (board < 0 || board >= BOARDS || boards[board].stalls)
		return -EPIPE;
	if (setup->type == 0x80 && setup->request == 6 && setup->value >> 8 == 3)
		return umock_usb_string(setup, boards[board].name, data);
	if (setup->type == 0xa0 && setup->request == 1 && setup->value == 0x0300) {
		memset(data, 0, 8);
		memcpy(data, boards[board].serial, 5);
		data[7] = boards[board].relays;
		return 8;
	}
	if (setup->type == 0x20 && setup->request == 9 && setup->value == 0x0300 &&
	    setup->length == 8) {
		uint8_t bit = (uint8_t)(1 << (data[1] - 1));

		if (!boards[board].stuck)
			boards[board].relays =
				(uint8_t)(data[0] == 0xff ? boards[board].relays | bit
							  : boards[board].relays & ~bit);
		return 8;
	}
	return -EPIPE;
}

static UMockdevTestbed *plug_in(unsigned n)
{
	static const char *const names[] = {"1-1", "1-2", "1-3"};
	UMockdevTestbed *testbed = umock_usb_new(on_transfer);

	memset(boards, 0, sizeof(boards));
	boards[0].name = "USBRelay2";
	boards[0].serial = "6QMBS";
	boards[1].name = "USBRelay1";
	boards[1].serial = "HURTM";
	boards[2].name = "Foot switch";
	boards[2].serial = "XXXXX";
	for (unsigned i = 0; i < n; i++)
		umock_usb_add(testbed, "usb1", names[i], 2 + i, 0x16c0, 0x05df, 0, 0x0110);
	return testbed;
}

static int open_relay(char *serial, unsigned number, void **state, struct err *err)
{
	const struct lab_line line = {.kind = LAB_LINE_USBRELAY,
				      .usbrelay = {.serial = serial, .relay = number}};

	return line_usbrelay_backend.open(&line, state, err);
}

static void a_relay_is_switched_and_verified(void)
{
	UMockdevTestbed *testbed = plug_in(3);
	char serial[] = "6QMBS", text[LINE_TEXT_SIZE];
	void *first = NULL, *second = NULL;
	struct err err = {""};
	bool active = true;

	CU_ASSERT_EQUAL_FATAL(open_relay(serial, 1, &first, &err), 0);
	CU_ASSERT_EQUAL_FATAL(open_relay(serial, 2, &second, &err), 0);
	line_usbrelay_backend.describe(second, text);
	CU_ASSERT_STRING_EQUAL(text, "USB relay 6QMBS at 1-1, relay 2 of 2");
	CU_ASSERT_EQUAL(boards[0].relays, 0);
	CU_ASSERT_EQUAL(line_usbrelay_backend.read(second, &active, &err), 0);
	CU_ASSERT_FALSE(active);
	CU_ASSERT_EQUAL(line_usbrelay_backend.set(second, true, &err), 0);
	CU_ASSERT_EQUAL(boards[0].relays, 2);
	CU_ASSERT_EQUAL(line_usbrelay_backend.set(first, true, &err), 0);
	CU_ASSERT_EQUAL(boards[0].relays, 3);
	CU_ASSERT_EQUAL(line_usbrelay_backend.set(second, false, &err), 0);
	CU_ASSERT_EQUAL(boards[0].relays, 1);
	CU_ASSERT_EQUAL(line_usbrelay_backend.read(first, &active, &err), 0);
	CU_ASSERT_TRUE(active);
	boards[0].stuck = true;
	CU_ASSERT_EQUAL(line_usbrelay_backend.set(second, true, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "USB relay 6QMBS: relay 2 was switched on, and says it is not");
	line_usbrelay_backend.close(first);
	line_usbrelay_backend.close(second);
	g_object_unref(testbed);
}

static void the_only_board_needs_no_serial(void)
{
	UMockdevTestbed *testbed = plug_in(1);
	void *state = NULL;

	CU_ASSERT_EQUAL(open_relay(NULL, 2, &state, NULL), 0);
	line_usbrelay_backend.close(state);
	g_object_unref(testbed);
}

static void what_is_wrong_is_told_with_what_to_do(void)
{
	UMockdevTestbed *testbed = plug_in(2);
	char serial[] = "6QMBS", other[] = "ABCDE";
	void *state = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(open_relay(NULL, 1, &state, &err), -EEXIST);
	CU_ASSERT_STRING_EQUAL(
		err.text, "more than one USB relay board: write the serial of one: 6QMBS HURTM");
	CU_ASSERT_EQUAL(open_relay(other, 1, &state, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "no USB relay board has the serial ABCDE: there is 6QMBS HURTM");
	CU_ASSERT_EQUAL(open_relay(serial, 3, &state, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "USB relay 6QMBS: it has 2 relays, and none is 3");
	g_object_unref(testbed);

	testbed = umock_usb_new(on_transfer);
	CU_ASSERT_EQUAL(open_relay(NULL, 1, &state, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(
		err.text, "no USB relay board (16c0:05df USBRelay) is there: is it plugged in?");
	g_object_unref(testbed);
}

static void a_board_that_is_unplugged_is_told(void)
{
	UMockdevTestbed *testbed = plug_in(1);
	struct err err = {""};
	void *state = NULL;
	bool active;

	CU_ASSERT_EQUAL_FATAL(open_relay(NULL, 1, &state, &err), 0);
	boards[0].stalls = true;
	CU_ASSERT_EQUAL(line_usbrelay_backend.read(state, &active, &err), -EPIPE);
	umock_usb.unplugged = true;
	CU_ASSERT_EQUAL(line_usbrelay_backend.set(state, true, &err), -ENODEV);
	CU_ASSERT_STRING_EQUAL(err.text, "USB relay 6QMBS: it is gone: was it unplugged?");
	line_usbrelay_backend.close(state);
	g_object_unref(testbed);
}

static const struct unit_case cases[] = {
	{"a relay is switched and verified", a_relay_is_switched_and_verified},
	{"the only board needs no serial", the_only_board_needs_no_serial},
	{"what is wrong is told with what to do", what_is_wrong_is_told_with_what_to_do},
	{"a board that is unplugged is told", a_board_that_is_unplugged_is_told},
};

int main(int argc, char **argv)
{
	(void)argc;
	umock_preload(argv);
	return unit_run("line usbrelay", cases, UNIT_COUNT(cases));
}
