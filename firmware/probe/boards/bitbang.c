/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bitbang.h"

/* A chip may stretch the clock for so long, in half bits; SMBus allows 25 ms in all. */
#define STRETCH_MAX 2000

/* As it was last set: lines are slow, and emulated ones slower. */
static bool sda = true;

static void set_sda(bool high)
{
	if (high != sda)
		bitbang_set_sda(high);
	sda = high;
}

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
	set_sda(false);
	bitbang_half_bit();
	(void)raise_scl();
	bitbang_half_bit();
	set_sda(true);
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
	set_sda(true);
	if (!raise_scl())
		return false;
	bitbang_half_bit();
	if (!bitbang_sda())
		recover();
	if (!bitbang_sda())
		return false;
	set_sda(false);
	bitbang_half_bit();
	bitbang_set_scl(false);
	return true;
}

/* False if the clock is stuck. */
static bool send_bit(bool bit)
{
	bool ok;

	set_sda(bit);
	bitbang_half_bit();
	ok = raise_scl();
	bitbang_half_bit();
	bitbang_set_scl(false);
	return ok;
}

/* A clock that is stuck reads as 1, which is no acknowledgement. */
static bool receive_bit(void)
{
	bool bit;

	set_sda(true);
	bitbang_half_bit();
	bit = !raise_scl() || bitbang_sda();
	bitbang_half_bit();
	bitbang_set_scl(false);
	return bit;
}

static bool send_byte(uint8_t byte)
{
	for (int bit = 7; bit >= 0; bit--) {
		if (!send_bit(byte >> bit & 1))
			return false;
	}
	return !receive_bit();
}

static bool receive_byte(uint8_t *byte, bool is_last)
{
	*byte = 0;
	for (int bit = 0; bit < 8; bit++)
		*byte = (uint8_t)(*byte << 1 | receive_bit());
	return send_bit(is_last);
}

int bitbang_read(uint8_t address, uint8_t command, uint8_t *bytes, size_t n)
{
	bool ok = start() && send_byte((uint8_t)(address << 1)) && send_byte(command) && start() &&
		  send_byte((uint8_t)(address << 1 | 1));

	for (size_t i = 0; ok && i < n; i++)
		ok = receive_byte(&bytes[i], i + 1 == n);
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
