/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A board for the probe's parts: chips as registers, a clock that the test turns, a line to read. */
#ifndef PROBE_FAKE_H
#define PROBE_FAKE_H

#include <stdlib.h>
#include <string.h>

#include "dialog.h"

#define FAKE_TICK_US 1000

static struct {
	uint64_t now_us;
	bool chip[PROBE_CHANNELS]; /* answers */
	bool operating[PROBE_CHANNELS];
	uint16_t voltage[PROBE_CHANNELS], current[PROBE_CHANNELS];
	bool deaf;    /* does not take writes */
	bool held;    /* the tick is kept away */
	bool ticking; /* wait() ticks */
	unsigned hangs;
	uint32_t rate_hz;
	uint8_t record[SETTINGS_RECORD_SIZE];
	char sent[16384];
	size_t sent_n;
} fake;

static struct settings fake_settings;
static struct sampler fake_sampler;
static struct dialog fake_dialog;

static int fake_read(uint8_t address, uint8_t command, uint8_t *bytes, size_t n)
{
	unsigned i = address - PROBE_FIRST_ADDRESS;

	if (i >= PROBE_CHANNELS || !fake.chip[i])
		return -1;
	memset(bytes, 0xff, n);
	if (command == 0x99)
		memcpy(bytes,
		       "\x03"
		       "ADI",
		       4);
	else if (command == 0x9a)
		memcpy(bytes,
		       "\x0a"
		       "ADM1272-A1",
		       11);
	else if (command == 0x01)
		bytes[0] = fake.operating[i] ? 0x80 : 0;
	else if (command == 0x8b || command == 0x8c) {
		uint16_t code = command == 0x8b ? fake.voltage[i] : fake.current[i];

		bytes[0] = (uint8_t)code;
		bytes[1] = (uint8_t)(code >> 8);
	}
	return 0;
}

static int fake_write(uint8_t address, uint8_t command, const uint8_t *bytes, size_t n)
{
	unsigned i = address - PROBE_FIRST_ADDRESS;

	(void)n;
	if (i >= PROBE_CHANNELS || !fake.chip[i] || fake.deaf)
		return -1;
	if (command == 0x01)
		fake.operating[i] = bytes[0] & 0x80;
	return 0;
}

static uint64_t fake_now(void)
{
	return fake.now_us;
}

static void fake_set_rate(uint32_t hz)
{
	fake.rate_hz = hz;
}

static void fake_hold(bool hold)
{
	if (hold == fake.held)
		abort(); /* does not nest, and is let go once */
	fake.held = hold;
}

static void fake_tick(void)
{
	fake.now_us += FAKE_TICK_US;
	sampler_tick(&fake_sampler);
}

static void fake_wait(void)
{
	if (fake.ticking)
		fake_tick();
	else
		fake.now_us += FAKE_TICK_US;
}

static void fake_send(const void *bytes, size_t n)
{
	if (fake.sent_n + n > sizeof(fake.sent) - 1)
		abort();
	memcpy(fake.sent + fake.sent_n, bytes, n);
	fake.sent_n += n;
}

static void fake_feed(void)
{
}

static void fake_hang(void)
{
	fake.hangs++;
}

static bool fake_was_bitten(void)
{
	return false;
}

static int fake_store(const void *record, size_t n)
{
	if (fake.deaf || n != sizeof(fake.record))
		return -1;
	memcpy(fake.record, record, n);
	return 0;
}

static const struct probe_board fake_board = {
	.name = "FAKE",
	.rate_min_hz = 10,
	.rate_max_hz = 2000,
	.rate_default_hz = 1000,
	.bus_read = fake_read,
	.bus_write = fake_write,
	.now_us = fake_now,
	.set_rate = fake_set_rate,
	.hold = fake_hold,
	.wait = fake_wait,
	.send = fake_send,
	.feed = fake_feed,
	.hang = fake_hang,
	.was_bitten = fake_was_bitten,
	.stored = fake.record,
	.store = fake_store,
};

/* Four chips at 12 V and 1 A of the data sheet's resistor, on; a sampler and a dialog of them. */
static void fake_start(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.ticking = true;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		fake.chip[i] = fake.operating[i] = true;
		fake.voltage[i] = 487;
		fake.current[i] = 2068;
	}
	dialog_start(&fake_dialog, &fake_board, &fake_settings, &fake_sampler);
	sampler_start(&fake_sampler, &fake_board, &fake_settings);
}

/* What is answered to a line, which needs no line feed, up to the next one. */
static inline const char *fake_ask(const char *line)
{
	fake.sent_n = 0;
	for (const char *p = line; *p; p++)
		dialog_byte(&fake_dialog, *p);
	dialog_byte(&fake_dialog, '\n');
	fake.sent[fake.sent_n] = '\0';
	return fake.sent;
}

#endif
