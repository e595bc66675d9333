/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The probe as a whole, and the tables of commands. docs/probe.md explains each. */
#include "commands.h"
#include "fixed.h"

#define WATCHDOG_MAX (3600 * (int64_t)FIXED_ONE)

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
	if (dialog_take_number(d, words, 0, WATCHDOG_MAX, &value) && dialog_end(d, words))
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
	{"CALibration:STORe", commands_store, 0},
	{"SYSTem:COMMunicate:EMULation", set_identity, 0},
	{"SYSTem:COMMunicate:EMULation?", tell_identity, 0},
	{NULL, NULL, 0},
};

const struct dialog_command commands_own[] = {
	{"*IDN?", identify, 0},
	{"MEASure:VOLTage?", commands_measure, DIALOG_VOLT},
	{"MEASure:CURRent?", commands_measure, DIALOG_CURR},
	{"MEASure:POWer?", commands_measure, DIALOG_POW},
	{"MEASure:ENERgy?", commands_energy, 0},
	{"FETCh:VOLTage?", commands_fetch, DIALOG_VOLT},
	{"FETCh:CURRent?", commands_fetch, DIALOG_CURR},
	{"FETCh:POWer?", commands_fetch, DIALOG_POW},
	{"FETCh:ENERgy?", commands_energy, 0},
	{"FETCh:TIME:BEGin?", commands_tell_time, TIME_FIRST},
	{"FETCh:TIME:END?", commands_tell_time, TIME_LAST},
	{"FETCh:BUFFer?", commands_fetch_buffer, 0},
	{"BUFFer:CLEar", commands_clear_buffer, 0},
	{"ENERgy:CLEar", commands_clear_energy, 0},
	{"OUTPut", commands_operate, 0},
	{"OUTPut?", commands_tell_outputs, OUTPUT_ON},
	{"OUTPut:PROTection:TRIPped?", commands_tell_outputs, OUTPUT_TRIPPED},
	{"OUTPut:PROTection:CLEar", commands_clear_trips, 0},
	{"CURRent:PROTection", commands_set_field, SETTINGS_LIMIT},
	{"CURRent:PROTection?", commands_tell_field, SETTINGS_LIMIT},
	{"CALibration:RESistance", commands_set_field, SETTINGS_SENSE},
	{"CALibration:RESistance?", commands_tell_field, SETTINGS_SENSE},
	{"CALibration:CURRent:GAIN", commands_set_field, SETTINGS_CURRENT_GAIN},
	{"CALibration:CURRent:GAIN?", commands_tell_field, SETTINGS_CURRENT_GAIN},
	{"CALibration:CURRent:OFFSet", commands_set_field, SETTINGS_CURRENT_OFFSET},
	{"CALibration:CURRent:OFFSet?", commands_tell_field, SETTINGS_CURRENT_OFFSET},
	{"CALibration:VOLTage:GAIN", commands_set_field, SETTINGS_VOLTAGE_GAIN},
	{"CALibration:VOLTage:GAIN?", commands_tell_field, SETTINGS_VOLTAGE_GAIN},
	{"CALibration:VOLTage:OFFSet", commands_set_field, SETTINGS_VOLTAGE_OFFSET},
	{"CALibration:VOLTage:OFFSet?", commands_tell_field, SETTINGS_VOLTAGE_OFFSET},
	{"SAMPle:RATE", commands_set_sampling, SAMPLING_RATE},
	{"SAMPle:RATE?", commands_tell_sampling, SAMPLING_RATE},
	{"SAMPle:AVERage", commands_set_sampling, SAMPLING_AVERAGE},
	{"SAMPle:AVERage?", commands_tell_sampling, SAMPLING_AVERAGE},
	{"SAMPle:MISSed?", commands_tell_outputs, OUTPUT_MISSED},
	{"SYSTem:TIME?", commands_tell_time, TIME_NOW},
	{"SYSTem:WDOG", set_watchdog, 0},
	{"SYSTem:WDOG?", tell_watchdog, 0},
	{"DIAGnostic:WDOG?", tell_bite, 0},
	{"DIAGnostic:HANG", hang, 0},
	{NULL, NULL, 0},
};
