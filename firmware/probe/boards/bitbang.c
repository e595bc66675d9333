/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bitbang.h"

/* A chip may stretch the clock for so long, in half bits; SMBus allows 25 ms in all. */
#define STRETCH_MAX 2000

static bool raise_scl(void)
{
	bitbang_set_scl(true);
	for (int i = 0; i < STRETCH_MAX; i++) {
		if (bitbang_scl())
			return true;
		bitbang_half_bit();
	}
	return false;
}

static void stop(void)
{
	bitbang_set_sda(false);
	bitbang_half_bit();
	(void)raise_scl();
	bitbang_half_bit();
	bitbang_set_sda(true);
	bitbang_half_bit();
}

/* A chip that was cut off in the middle of a byte holds SDA: clocks let it end. */
static void recover(void)
{
	for (int i = 0; i < 9 && !bitbang_sda(); i++) {
		bitbang_set_scl(false);
		bitbang_half_bit();
		(void)raise_scl();
		bitbang_half_bit();
	}
	bitbang_set_scl(false);
	stop();
}

static bool start(void)
{
	bitbang_set_sda(true);
	if (!raise_scl())
		return false;
	bitbang_half_bit();
	if (!bitbang_sda())
		recover();
	if (!bitbang_sda())
		return false;
	bitbang_set_sda(false);
	bitbang_half_bit();
	bitbang_set_scl(false);
	return true;
}

/* The line's level while the clock is high; false as well if the clock is stuck. */
static bool clock_bit(bool out)
{
	bool in;

	bitbang_set_sda(out);
	bitbang_half_bit();
	in = raise_scl() && bitbang_sda();
	bitbang_half_bit();
	bitbang_set_scl(false);
	return in;
}

static bool send_byte(uint8_t byte)
{
	for (int bit = 7; bit >= 0; bit--)
		(void)clock_bit(byte >> bit & 1);
	return !clock_bit(true);
}

static uint8_t receive_byte(bool is_last)
{
	uint8_t byte = 0;

	for (int bit = 0; bit < 8; bit++)
		byte = (uint8_t)(byte << 1 | clock_bit(true));
	(void)clock_bit(is_last);
	return byte;
}

int bitbang_read(uint8_t address, uint8_t command, uint8_t *bytes, size_t n)
{
	bool ok = start() && send_byte((uint8_t)(address << 1)) && send_byte(command) && start() &&
		  send_byte((uint8_t)(address << 1 | 1));

	for (size_t i = 0; ok && i < n; i++)
		bytes[i] = receive_byte(i + 1 == n);
	stop();
	return ok ? 0 : -1;
}

int bitbang_write(uint8_t address, uint8_t command, const uint8_t *bytes, size_t n)
{
	bool ok = start() && send_byte((uint8_t)(address << 1)) && send_byte(command);

	for (size_t i = 0; ok && i < n; i++)
		ok = send_byte(bytes[i]);
	stop();
	return ok ? 0 : -1;
}
