/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes on the probe's serial line, in between ticks, on chips that come and go. What must hold
 * beyond what the sanitizers look for: settings stay valid, and whatever was said before, the next
 * line is understood.
 */
#include <stdlib.h>

#include "../unit/probe_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Bytes beyond ASCII are what happens around the line. */
static void step(uint8_t byte)
{
	unsigned channel = byte & 3;

	switch (byte >> 2 & 7) {
	case 0:
		fake.chip[channel] = !fake.chip[channel];
		break;
	case 1:
		fake.current[channel] = (uint16_t)(byte * 257u);
		break;
	case 2:
		fake.deaf = !fake.deaf;
		break;
	case 3:
		fake.ticking = !fake.ticking;
		break;
	case 4:
		fake.now_us += UINT64_C(1) << (byte & 31);
		break;
	default:
		fake_tick();
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fake_start();
	for (size_t i = 0; i < n; i++) {
		/* What nobody reads is gone. */
		fake.sent_n = 0;
		if (data[i] & 0x80)
			step(data[i]);
		else
			dialog_byte(&fake_dialog, (char)data[i]);
		dialog_poll(&fake_dialog);
		check(!fake.held);
	}
	check(settings_valid(&fake_settings, &fake_board));
	dialog_byte(&fake_dialog, '\n');
	check(strcmp(fake_ask("*OPC?"), "1\n") == 0);
	fake_ask("*CLS");
	check(strcmp(fake_ask("SYST:ERR?"), "0,\"No error\"\n") == 0);
	return 0;
}
