/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The probe's own commands, and those that it always has. docs/probe.md explains each. */
#include <string.h>

#include "dialog.h"
#include "fixed.h"

#define SCPI_NAN      "9.91E+37" /* SCPI-99, volume 1, chapter 7.2.1.5 */
#define BLOCK_VERSION 1
#define BLOCK_HEADER  8
#define BLOCK_SAMPLE  (8 + 8 * PROBE_CHANNELS)
#define BLOCK_MAX     64 /* samples in one block */
#define WATCHDOG_MAX  (3600 * (int64_t)FIXED_ONE)

#define ALL_CHANNELS ((UINT32_C(1) << PROBE_CHANNELS) - 1)

/* "(@...)" and the end; where none is given, all or an error. False with an error queued. */
static bool take_channels(struct dialog *d, struct words *words, bool or_all, uint32_t *mask)
{
	switch (words_channels(words, PROBE_CHANNELS, mask)) {
	case WORDS_LIST:
		return dialog_end(d, words);
	case WORDS_NO_LIST:
		if (or_all && words_at_end(words)) {
			*mask = ALL_CHANNELS;
			return true;
		}
		dialog_error(d, words_at_end(words) ? SCPI_MISSING_PARAMETER : SCPI_DATA_TYPE);
		return false;
	case WORDS_LIST_RANGE:
		dialog_error(d, SCPI_OUT_OF_RANGE);
		return false;
	case WORDS_BAD_LIST:
		break;
	}
	dialog_error(d, SCPI_SYNTAX);
	return false;
}

/* A number between two others; false with an error queued. */
static bool take_number(struct dialog *d, struct words *words, int64_t least, int64_t most,
			int64_t *out)
{
	if (words_at_end(words))
		dialog_error(d, SCPI_MISSING_PARAMETER);
	else if (!words_number(words, out))
		dialog_error(d, SCPI_DATA_TYPE);
	else if (*out < least || *out > most)
		dialog_error(d, SCPI_OUT_OF_RANGE);
	else
		return true;
	return false;
}

static void answer_values(struct dialog *d, uint32_t mask, const int64_t values[])
{
	bool first = true;

	dialog_answer(d);
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (!(mask >> i & 1))
			continue;
		if (!first)
			dialog_text(d, ",");
		first = false;
		if (values[i] == SAMPLER_NONE)
			dialog_text(d, SCPI_NAN);
		else
			dialog_number(d, values[i], 6);
	}
}

/* A channel without a chip is told once for each query. */
static void note_missing(struct dialog *d, uint32_t mask, const int64_t values[])
{
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (mask >> i & 1 && values[i] == SAMPLER_NONE) {
			dialog_error(d, SCPI_HARDWARE_MISSING);
			return;
		}
	}
}

static void measure(struct dialog *d, struct words *words, int quantity)
{
	struct reading readings[PROBE_CHANNELS];
	int64_t values[PROBE_CHANNELS];
	uint32_t mask;
	bool done;

	if (!take_channels(d, words, false, &mask))
		return;
	done = dialog_measure(d, mask, readings);
	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		values[i] = done && mask >> i & 1
				    ? dialog_quantity(&readings[i], (enum dialog_quantity)quantity)
				    : SAMPLER_NONE;
	answer_values(d, mask, values);
	note_missing(d, mask, values);
}

static void fetch(struct dialog *d, struct words *words, int quantity)
{
	int64_t values[PROBE_CHANNELS];
	uint32_t mask;

	if (!take_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		struct reading reading = sampler_newest(d->sampler, i);

		values[i] = dialog_quantity(&reading, (enum dialog_quantity)quantity);
	}
	answer_values(d, mask, values);
	note_missing(d, mask, values);
}

static void energy(struct dialog *d, struct words *words, int which)
{
	int64_t values[PROBE_CHANNELS];
	uint32_t mask;

	(void)which;
	if (!take_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		values[i] = fixed_scale(sampler_energy_nj(d->sampler, i), 1, 1000);
	answer_values(d, mask, values);
}

static void clear_energy(struct dialog *d, struct words *words, int which)
{
	uint32_t mask;

	(void)which;
	if (!take_channels(d, words, true, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (mask >> i & 1)
			sampler_clear_energy(d->sampler, i);
	}
}

enum time_of { TIME_NOW, TIME_FIRST, TIME_LAST };

/* In microseconds since the probe's start. */
static void tell_time(struct dialog *d, struct words *words, int which)
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

static void fetch_buffer(struct dialog *d, struct words *words, int which)
{
	int64_t most = BLOCK_MAX * (int64_t)FIXED_ONE;
	uint32_t n = sampler_waiting(d->sampler);
	struct sample sample;

	(void)which;
	if ((!words_at_end(words) && !take_number(d, words, FIXED_ONE, most, &most)) ||
	    !dialog_end(d, words))
		return;
	if (n > (uint32_t)(most / FIXED_ONE))
		n = (uint32_t)(most / FIXED_ONE);
	send_block_header(d, n);
	/* The ring may overwrite what waits, but never holds less than it did. */
	while (n-- > 0 && sampler_fetch(d->sampler, &sample))
		send_sample(d, &sample);
}

static void clear_buffer(struct dialog *d, struct words *words, int which)
{
	struct sample sample;

	(void)which;
	if (!dialog_end(d, words))
		return;
	for (uint32_t n = sampler_waiting(d->sampler); n > 0; n--)
		(void)sampler_fetch(d->sampler, &sample);
	(void)sampler_take_lost(d->sampler);
}

/* Outputs. */

static void operate(struct dialog *d, struct words *words, int which)
{
	uint32_t mask;
	bool on;

	(void)which;
	if (!words_bool(words, &on) || !words_comma(words)) {
		dialog_error(d, SCPI_DATA_TYPE);
		return;
	}
	if (!take_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		int code = mask >> i & 1 ? sampler_operate(d->sampler, i, on) : 0;

		if (code < 0)
			dialog_error(d, code == SAMPLER_LATCHED ? SCPI_SETTINGS_CONFLICT
								: SCPI_HARDWARE);
	}
}

enum output_question { OUTPUT_ON, OUTPUT_TRIPPED, OUTPUT_MISSED };

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

static void tell_outputs(struct dialog *d, struct words *words, int question)
{
	const char *between = "";
	uint32_t mask;

	if (!take_channels(d, words, false, &mask))
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

static void clear_trips(struct dialog *d, struct words *words, int which)
{
	uint32_t mask;

	(void)which;
	if (!take_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (mask >> i & 1)
			sampler_clear_trip(d->sampler, i);
	}
}

/* Calibration, and whatever else is a field of a channel. */

static void set_field(struct dialog *d, struct words *words, int field)
{
	uint32_t mask;
	int64_t value;

	if (!take_number(d, words, settings_ranges[field].least, settings_ranges[field].most,
			 &value))
		return;
	if (!words_comma(words)) {
		dialog_error(d, SCPI_MISSING_PARAMETER);
		return;
	}
	if (!take_channels(d, words, false, &mask))
		return;
	d->board->hold(true);
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (mask >> i & 1)
			d->settings->channels[i].fields[field] = (int32_t)value;
	}
	d->board->hold(false);
}

static void tell_field(struct dialog *d, struct words *words, int field)
{
	int64_t values[PROBE_CHANNELS];
	uint32_t mask;

	if (!take_channels(d, words, false, &mask))
		return;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		values[i] = d->settings->channels[i].fields[field];
	answer_values(d, mask, values);
}

static void store(struct dialog *d, struct words *words, int which)
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

enum sampling { RATE, AVERAGE };

static void set_sampling(struct dialog *d, struct words *words, int which)
{
	const struct probe_board *board = d->board;
	int64_t least = which == RATE ? board->rate_min_hz : 1, value;
	int64_t most = which == RATE ? board->rate_max_hz : SETTINGS_AVERAGE_MAX;

	if (!take_number(d, words, least * FIXED_ONE, most * FIXED_ONE, &value) ||
	    !dialog_end(d, words))
		return;
	board->hold(true);
	if (which == RATE)
		d->settings->rate_hz = (uint32_t)(value / FIXED_ONE);
	else
		d->settings->average = (uint32_t)(value / FIXED_ONE);
	board->hold(false);
	if (which == RATE)
		board->set_rate(d->settings->rate_hz);
}

static void tell_sampling(struct dialog *d, struct words *words, int which)
{
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_integer(d, which == RATE ? d->settings->rate_hz : d->settings->average);
}

/* The system. */

static void identify(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_text(d, "COLDRIG,SLOT PROBE ");
	dialog_text(d, d->board->name);
	dialog_text(d, ",0," PROBE_VERSION);
}

static void tell_complete(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_text(d, "1");
}

/* As at the start, but for what happened: energy, samples and the latch stay. */
static void reset(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (!dialog_end(d, words))
		return;
	d->selected = 0;
	d->watchdog_us = 0;
	d->board->hold(true);
	d->settings->average = 1;
	d->board->hold(false);
}

static void clear_status(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (dialog_end(d, words))
		errqueue_clear(&d->errors);
}

enum self_test { TEST_CHIP = 1, TEST_NO_TICKS = 16, TEST_SETTINGS = 32 };

/* The sum of what is wrong: 1, 2, 4, 8 for the chip of channels 1 to 4. */
static void self_test(struct dialog *d, struct words *words, int which)
{
	int failed = d->settings_bad ? TEST_SETTINGS : 0;

	(void)which;
	if (!dialog_end(d, words))
		return;
	if (!dialog_await_ticks(d))
		failed |= TEST_NO_TICKS;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (sampler_now(d->sampler, i).uv == SAMPLER_NONE)
			failed |= TEST_CHIP << i;
	}
	dialog_answer(d);
	dialog_integer(d, failed);
}

static void next_error(struct dialog *d, struct words *words, int which)
{
	int number;

	(void)which;
	if (!dialog_end(d, words))
		return;
	number = errqueue_take(&d->errors);
	dialog_answer(d);
	dialog_integer(d, number);
	dialog_text(d, ",\"");
	dialog_text(d, errqueue_text(number));
	dialog_text(d, "\"");
}

static void tell_version(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_text(d, "1999.0");
}

static const char *const identity_names[SETTINGS_IDENTITIES] = {
	[SETTINGS_OWN] = "NONE",
	[SETTINGS_DP832] = "DP832",
};

static void set_identity(struct dialog *d, struct words *words, int which)
{
	(void)which;
	for (int i = 0; i < SETTINGS_IDENTITIES; i++) {
		if (!words_word(words, identity_names[i]))
			continue;
		if (dialog_end(d, words))
			d->settings->identity = (enum settings_identity)i;
		return;
	}
	dialog_error(d, words_at_end(words) ? SCPI_MISSING_PARAMETER : SCPI_DATA_TYPE);
}

static void tell_identity(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_text(d, identity_names[d->settings->identity]);
}

static void set_watchdog(struct dialog *d, struct words *words, int which)
{
	int64_t value;

	(void)which;
	if (take_number(d, words, 0, WATCHDOG_MAX, &value) && dialog_end(d, words))
		d->watchdog_us = (uint64_t)value;
}

static void tell_watchdog(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_number(d, (int64_t)d->watchdog_us, 6);
}

static void tell_bite(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_integer(d, d->board->was_bitten());
}

static void hang(struct dialog *d, struct words *words, int which)
{
	(void)which;
	if (dialog_end(d, words))
		d->board->hang();
}

const struct dialog_command commands_common[] = {
	{"*OPC?", tell_complete, 0},
	{"*CLS", clear_status, 0},
	{"*RST", reset, 0},
	{"*TST?", self_test, 0},
	{"SYSTem:ERRor?", next_error, 0},
	{"SYSTem:ERRor:NEXT?", next_error, 0},
	{"SYSTem:VERSion?", tell_version, 0},
	{"CALibration:STORe", store, 0},
	{"SYSTem:COMMunicate:EMULation", set_identity, 0},
	{"SYSTem:COMMunicate:EMULation?", tell_identity, 0},
	{NULL, NULL, 0},
};

const struct dialog_command commands_own[] = {
	{"*IDN?", identify, 0},
	{"MEASure:VOLTage?", measure, DIALOG_VOLT},
	{"MEASure:CURRent?", measure, DIALOG_CURR},
	{"MEASure:POWer?", measure, DIALOG_POW},
	{"MEASure:ENERgy?", energy, 0},
	{"FETCh:VOLTage?", fetch, DIALOG_VOLT},
	{"FETCh:CURRent?", fetch, DIALOG_CURR},
	{"FETCh:POWer?", fetch, DIALOG_POW},
	{"FETCh:ENERgy?", energy, 0},
	{"FETCh:TIME:BEGin?", tell_time, TIME_FIRST},
	{"FETCh:TIME:END?", tell_time, TIME_LAST},
	{"FETCh:BUFFer?", fetch_buffer, 0},
	{"BUFFer:CLEar", clear_buffer, 0},
	{"ENERgy:CLEar", clear_energy, 0},
	{"OUTPut", operate, 0},
	{"OUTPut?", tell_outputs, OUTPUT_ON},
	{"OUTPut:PROTection:TRIPped?", tell_outputs, OUTPUT_TRIPPED},
	{"OUTPut:PROTection:CLEar", clear_trips, 0},
	{"CURRent:PROTection", set_field, SETTINGS_LIMIT},
	{"CURRent:PROTection?", tell_field, SETTINGS_LIMIT},
	{"CALibration:RESistance", set_field, SETTINGS_SENSE},
	{"CALibration:RESistance?", tell_field, SETTINGS_SENSE},
	{"CALibration:CURRent:GAIN", set_field, SETTINGS_CURRENT_GAIN},
	{"CALibration:CURRent:GAIN?", tell_field, SETTINGS_CURRENT_GAIN},
	{"CALibration:CURRent:OFFSet", set_field, SETTINGS_CURRENT_OFFSET},
	{"CALibration:CURRent:OFFSet?", tell_field, SETTINGS_CURRENT_OFFSET},
	{"CALibration:VOLTage:GAIN", set_field, SETTINGS_VOLTAGE_GAIN},
	{"CALibration:VOLTage:GAIN?", tell_field, SETTINGS_VOLTAGE_GAIN},
	{"CALibration:VOLTage:OFFSet", set_field, SETTINGS_VOLTAGE_OFFSET},
	{"CALibration:VOLTage:OFFSet?", tell_field, SETTINGS_VOLTAGE_OFFSET},
	{"SAMPle:RATE", set_sampling, RATE},
	{"SAMPle:RATE?", tell_sampling, RATE},
	{"SAMPle:AVERage", set_sampling, AVERAGE},
	{"SAMPle:AVERage?", tell_sampling, AVERAGE},
	{"SAMPle:MISSed?", tell_outputs, OUTPUT_MISSED},
	{"SYSTem:TIME?", tell_time, TIME_NOW},
	{"SYSTem:WDOG", set_watchdog, 0},
	{"SYSTem:WDOG?", tell_watchdog, 0},
	{"DIAGnostic:WDOG?", tell_bite, 0},
	{"DIAGnostic:HANG", hang, 0},
	{NULL, NULL, 0},
};
