/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A board of two relays with the common firmware: one feature report of eight bytes. */
#include <stdbool.h>
#include <string.h>

#include "hid.h"

#define RELAYS 2

static uint8_t state;

static const uint8_t descriptor[] = {
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01,	   /* vendor's own page, one collection */
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 8,	  0x95, 8, /* eight bytes */
	0x09, 0x00, 0xb2, 0x02, 0x01, 0xc0,
};

static int get(uint8_t id, uint8_t data[static HID_REPORT_MAX])
{
	if (id)
		return -1;
	memset(data, 0, 8);
	memcpy(data, "6QMBS", 5);
	data[7] = state;
	return 8;
}

static int set(uint8_t id, const uint8_t *data, size_t n)
{
	const bool on = data[0] == 0xff;

	if (id || n != 8 || (!on && data[0] != 0xfd) || data[1] < 1 || data[1] > RELAYS)
		return -1;
	state = (uint8_t)(on ? state | 1 << (data[1] - 1) : state & ~(1 << (data[1] - 1)));
	hid_tell("relay %u %d", data[1], on);
	return 0;
}

static void command(const char *line)
{
	(void)line;
}

const struct hid_model relay_model = {
	.name = "relay",
	.vendor = 0x16c0,
	.product = 0x05df,
	.maker = "www.dcttech.com",
	.title = "USBRelay2",
	.serial = "",
	.descriptor = descriptor,
	.descriptor_size = sizeof(descriptor),
	.get = get,
	.set = set,
	.command = command,
};
