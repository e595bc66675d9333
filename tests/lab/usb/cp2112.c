/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The GPIO half of a CP2112, by its data sheet's feature reports (AN495): 2 is direction and drive, 3 reads the
 * pins, 4 sets latches, 5 is the version, 6 the I2C settings that a driver reads and writes back. Pins are
 * told as "pin N 0", "pin N 1" and "pin N z"; "pin N 0" and "pin N 1" from the world are what an input sees.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hid.h"

#define PINS 8

static struct {
	uint8_t output, push_pull, latch, outside;
	uint8_t smbus[13];
	char told[PINS];
} chip = {.outside = 0xff, .smbus = {0x00, 0x01, 0x86, 0xa0, 0x02}};

static const uint8_t descriptor[] = {
	0x06, 0x00, 0xff,		       /* vendor's own page */
	0x09, 0x01, 0xa1, 0x01,		       /* one collection */
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 8, /* bytes */
	0x85, 0x02, 0x95, 4,	0x09, 0x02, 0xb1, 0x02, 0x85, 0x03, 0x95, 1,	0x09, 0x03,
	0xb1, 0x02, 0x85, 0x04, 0x95, 2,    0x09, 0x04, 0xb1, 0x02, 0x85, 0x05, 0x95, 2,
	0x09, 0x05, 0xb1, 0x02, 0x85, 0x06, 0x95, 13,	0x09, 0x06, 0xb1, 0x02, 0xc0,
};

/* A pin without push-pull lets go of a high level, and an outside pull-up makes it. */
static char level(unsigned pin)
{
	const uint8_t bit = (uint8_t)(1 << pin);

	if (!(chip.output & bit))
		return 'z';
	return chip.latch & bit ? '1' : '0';
}

static void tell_pins(void)
{
	for (unsigned pin = 0; pin < PINS; pin++) {
		char now = level(pin);

		if (chip.told[pin] != now && (chip.told[pin] || now != 'z'))
			hid_tell("pin %u %c", pin, now);
		chip.told[pin] = now;
	}
}

static int get(uint8_t id, uint8_t data[static HID_REPORT_MAX])
{
	data[0] = id;
	switch (id) {
	case 2:
		data[1] = chip.output;
		data[2] = chip.push_pull;
		data[3] = data[4] = 0;
		return 5;
	case 3:
		data[1] = (uint8_t)((chip.latch & chip.output) | (chip.outside & ~chip.output));
		return 2;
	case 5:
		data[1] = 0x0c;
		data[2] = 0x02;
		return 3;
	case 6:
		memcpy(data + 1, chip.smbus, sizeof(chip.smbus));
		return 1 + (int)sizeof(chip.smbus);
	default:
		return -1;
	}
}

static int set(uint8_t id, const uint8_t *data, size_t n)
{
	if (id == 2 && n >= 5) {
		chip.output = data[1];
		chip.push_pull = data[2];
	} else if (id == 4 && n >= 3) {
		chip.latch = (uint8_t)((chip.latch & ~data[2]) | (data[1] & data[2]));
	} else if (id == 6 && n == 1 + sizeof(chip.smbus)) {
		memcpy(chip.smbus, data + 1, sizeof(chip.smbus));
	} else {
		return -1;
	}
	tell_pins();
	return 0;
}

static void command(const char *line)
{
	unsigned pin, high;

	if (sscanf(line, "pin %u %u", &pin, &high) == 2 && pin < PINS)
		chip.outside =
			(uint8_t)(high ? chip.outside | 1 << pin : chip.outside & ~(1 << pin));
}

const struct hid_model cp2112_model = {
	.name = "cp2112",
	.vendor = 0x10c4,
	.product = 0xea90,
	.maker = "Silicon Laboratories",
	.title = "CP2112 HID USB-to-SMBus Bridge",
	.serial = "00000001",
	.descriptor = descriptor,
	.descriptor_size = sizeof(descriptor),
	.get = get,
	.set = set,
	.command = command,
};
