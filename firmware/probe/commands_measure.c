/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readings, energy, and buffered samples. docs/probe.md explains each command. */
#include "commands.h"
#include "fixed.h"

#define BLOCK_VERSION 1
#define BLOCK_HEADER  8
#define BLOCK_SAMPLE  (8 + 8 * PROBE_CHANNELS)
#define BLOCK_MAX     64 /* samples in one block */

/* A channel without a chip is told once for each query. */
static void note_missing(struct dialog *d, uint32_t mask,
			 const int64_t values[static PROBE_CHANNELS])
{
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (mask >> i & 1 && values[i] == SAMPLER_NONE) {
			dialog_error(d, SCPI_HARDWARE_MISSING);
			return;
		}
	}
}

void commands_measure(struct dialog *d, struct words *words, int quantity)
{
	struct reading readings[PROBE_CHANNELS];
	int64_t values[PROBE_CHANNELS];
	uint32_t mask;
	bool done;

	if (!dialog_channels(d, words, false, &mask))
		return;
	done = dialog_measure(d, mask, readings);
	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		values[i] = done && mask >> i & 1
				    ? dialog_quantity(&readings[i], (enum dialog_quantity)quantity)
				    : SAMPLER_NONE;
	dialog_values(d, mask, values);
	note_missing(d, mask, values);
}

void commands_fetch(struct dialog *d, struct words *words, int quantity)
{
	int64_t values[PROBE_CHANNELS];
	uint32_t mask;

	if (!dialog_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		struct reading reading = sampler_newest(d->sampler, i);

		values[i] = dialog_quantity(&reading, (enum dialog_quantity)quantity);
	}
	dialog_values(d, mask, values);
	note_missing(d, mask, values);
}

void commands_energy(struct dialog *d, struct words *words, int which)
{
	int64_t values[PROBE_CHANNELS];
	uint32_t mask;

	(void)which;
	if (!dialog_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		values[i] = sampler_is_present(d->sampler, i)
				    ? fixed_scale(sampler_energy_nj(d->sampler, i), 1, 1000)
				    : SAMPLER_NONE;
	dialog_values(d, mask, values);
	note_missing(d, mask, values);
}

void commands_clear_energy(struct dialog *d, struct words *words, int which)
{
	uint32_t mask;

	(void)which;
	if (!dialog_channels(d, words, true, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (mask >> i & 1)
			sampler_clear_energy(d->sampler, i);
	}
}

/* In microseconds since the probe's start. */
void commands_tell_time(struct dialog *d, struct words *words, int which)
{
	uint64_t t_us = which == TIME_FIRST  ? d->first_us
			: which == TIME_LAST ? d->last_us
					     : d->board->now_us();

	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_integer(d, (int64_t)t_us);
}

static uint8_t *put_bytes(uint8_t *p, uint64_t value, unsigned n)
{
	while (n-- > 0) {
		*p++ = (uint8_t)value;
		value >>= 8;
	}
	return p;
}

static void send_sample(struct dialog *d, const struct sample *sample)
{
	uint8_t bytes[BLOCK_SAMPLE], *p = put_bytes(bytes, sample->t_us, 8);

	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		p = put_bytes(p, (uint32_t)sample->uv[i], 4);
		p = put_bytes(p, (uint32_t)sample->ua[i], 4);
	}
	d->board->send(bytes, sizeof(bytes));
}

/* IEEE 488.2, definite length: '#', the number of digits, the length, the bytes. */
static void send_block_header(struct dialog *d, uint32_t samples)
{
	uint32_t length = BLOCK_HEADER + samples * BLOCK_SAMPLE;
	uint8_t bytes[BLOCK_HEADER], *p = put_bytes(bytes, BLOCK_VERSION, 1);

	dialog_answer(d);
	dialog_text(d, "#4");
	for (uint32_t digit = 1000; digit > 1 && length < digit; digit /= 10)
		dialog_text(d, "0");
	dialog_integer(d, length);
	p = put_bytes(put_bytes(p, PROBE_CHANNELS, 1), BLOCK_SAMPLE, 2);
	put_bytes(p, sampler_take_lost(d->sampler), 4);
	d->board->send(bytes, sizeof(bytes));
}

void commands_fetch_buffer(struct dialog *d, struct words *words, int which)
{
	int64_t most = BLOCK_MAX * (int64_t)FIXED_ONE;
	uint32_t n = sampler_waiting(d->sampler);
	struct sample sample;

	(void)which;
	if ((!words_at_end(words) && !dialog_take_number(d, words, FIXED_ONE, most, &most)) ||
	    !dialog_end(d, words))
		return;
	if (n > (uint32_t)(most / FIXED_ONE))
		n = (uint32_t)(most / FIXED_ONE);
	send_block_header(d, n);
	/* The ring may overwrite what waits, but never holds less than it did. */
	while (n-- > 0 && sampler_fetch(d->sampler, &sample))
		send_sample(d, &sample);
}

void commands_clear_buffer(struct dialog *d, struct words *words, int which)
{
	struct sample sample;

	(void)which;
	if (!dialog_end(d, words))
		return;
	for (uint32_t n = sampler_waiting(d->sampler); n > 0; n--)
		(void)sampler_fetch(d->sampler, &sample);
	(void)sampler_take_lost(d->sampler);
}
