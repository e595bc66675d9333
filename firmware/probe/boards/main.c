/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog.h"
#include "startup.h"

static struct settings settings;
static struct sampler sampler;
static struct dialog dialog;

void probe_tick(void)
{
	sampler_tick(&sampler);
}

/* The watchdog is fed by a main loop that turns and a tick that ticks, not by one of them alone. */
static void feed(const struct probe_board *board)
{
	static uint32_t seen;
	uint32_t ticks = *(volatile uint32_t *)&sampler.ticks;

	if (ticks == seen)
		return;
	seen = ticks;
	board->feed();
}

int main(void)
{
	const struct probe_board *board = board_start();

	dialog_start(&dialog, board, &settings, &sampler);
	sampler_start(&sampler, board, &settings);
	board->set_rate(settings.rate_hz);
	for (;;) {
		int byte = board_take_byte();

		if (byte >= 0) {
			dialog_byte(&dialog, (char)byte);
			continue;
		}
		dialog_poll(&dialog);
		feed(board);
		board->wait();
	}
}
