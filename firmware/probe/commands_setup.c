/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outputs, calibration, sampling. docs/probe.md explains each command. */
#include "commands.h"
#include "fixed.h"

/* Outputs. */

void commands_operate(struct dialog *d, struct words *words, int which)
{
	uint32_t mask;
	bool on;

	(void)which;
	if (!words_bool(words, &on) || !words_comma(words)) {
		dialog_error(d, SCPI_DATA_TYPE);
		return;
	}
	if (!dialog_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		int code = mask >> i & 1 ? sampler_operate(d->sampler, i, on) : 0;

		if (code < 0)
			dialog_error(d, code == SAMPLER_LATCHED ? SCPI_SETTINGS_CONFLICT
								: SCPI_HARDWARE);
	}
}

static int64_t output_state(struct dialog *d, unsigned channel, enum output_question question)
{
	bool on = false;

	if (question == OUTPUT_TRIPPED)
		return sampler_is_tripped(d->sampler, channel);
	if (question == OUTPUT_MISSED)
		return sampler_missed(d->sampler, channel);
	if (sampler_is_operating(d->sampler, channel, &on) < 0)
		dialog_error(d, SCPI_HARDWARE);
	return on;
}

void commands_tell_outputs(struct dialog *d, struct words *words, int question)
{
	const char *between = "";
	uint32_t mask;

	if (!dialog_channels(d, words, false, &mask))
		return;
	dialog_answer(d);
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (!(mask >> i & 1))
			continue;
		dialog_text(d, between);
		dialog_integer(d, output_state(d, i, (enum output_question)question));
		between = ",";
	}
}

void commands_clear_trips(struct dialog *d, struct words *words, int which)
{
	uint32_t mask;

	(void)which;
	if (!dialog_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (mask >> i & 1)
			sampler_clear_trip(d->sampler, i);
	}
}

/* Calibration, and whatever else is a field of a channel. */

void commands_set_field(struct dialog *d, struct words *words, int field)
{
	uint32_t mask;
	int64_t value;

	if (!dialog_take_number(d, words, settings_ranges[field].least, settings_ranges[field].most,
				&value))
		return;
	if (!words_comma(words)) {
		dialog_error(d, SCPI_MISSING_PARAMETER);
		return;
	}
	if (!dialog_channels(d, words, false, &mask))
		return;
	d->board->hold(true);
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (mask >> i & 1)
			d->settings->channels[i].fields[field] = (int32_t)value;
	}
	d->board->hold(false);
}

void commands_tell_field(struct dialog *d, struct words *words, int field)
{
	int64_t values[PROBE_CHANNELS];
	uint32_t mask;

	if (!dialog_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		values[i] = d->settings->channels[i].fields[field];
	dialog_values(d, mask, values);
}

void commands_store(struct dialog *d, struct words *words, int which)
{
	uint8_t record[SETTINGS_RECORD_SIZE];

	(void)which;
	if (!dialog_end(d, words))
		return;
	settings_pack(d->settings, record);
	if (!d->board->store || d->board->store(record, sizeof(record)) < 0)
		dialog_error(d, SCPI_STORAGE);
}

/* Sampling. */

void commands_set_sampling(struct dialog *d, struct words *words, int which)
{
	const struct probe_board *board = d->board;
	int64_t least = which == SAMPLING_RATE ? board->rate_min_hz : 1, value;
	int64_t most = which == SAMPLING_RATE ? board->rate_max_hz : SETTINGS_AVERAGE_MAX;

	if (!dialog_take_number(d, words, least * FIXED_ONE, most * FIXED_ONE, &value) ||
	    !dialog_end(d, words))
		return;
	board->hold(true);
	if (which == SAMPLING_RATE)
		d->settings->rate_hz = (uint32_t)(value / FIXED_ONE);
	else
		d->settings->average = (uint32_t)(value / FIXED_ONE);
	board->hold(false);
	if (which == SAMPLING_RATE)
		board->set_rate(d->settings->rate_hz);
}

void commands_tell_sampling(struct dialog *d, struct words *words, int which)
{
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_integer(d, which == SAMPLING_RATE ? d->settings->rate_hz : d->settings->average);
}
