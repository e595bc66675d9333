/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The probe as a RIGOL DP832: what libsigrok's driver scpi-pps asks of one, and what a person may.
 * Its channels 1 to 3 are the probe's. A supply's set points have no counterpart here.
 */
#include "dialog.h"
#include "fixed.h"

#define DP832_CHANNELS 3

static void send_fixed(struct dialog *d, struct words *words, const char *text)
{
	/* A real one takes a channel in most places: it changes nothing here. */
	(void)words;
	dialog_answer(d);
	dialog_text(d, text);
}

static const char *const fixed_texts[] = {
	"RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16",
	"OFF",
	"ON",
	"CV",
	"NO",
	"33.000",
	"3.300",
	"0.000",
};

enum fixed { IDENTITY, OFF, ON, CV, NO, OVP_V, OCP_A, ZERO };

static void answer_fixed(struct dialog *d, struct words *words, int which)
{
	send_fixed(d, words, fixed_texts[which]);
}

static void accept_silently(struct dialog *d, struct words *words, int which)
{
	(void)d, (void)words, (void)which;
}

static void refuse(struct dialog *d, struct words *words, int which)
{
	(void)words, (void)which;
	dialog_error(d, SCPI_SETTINGS_CONFLICT);
}

/* "2", "CH2", or, with or_selected, nothing; false with an error queued. */
static bool take_channel(struct dialog *d, struct words *words, bool or_selected, unsigned *channel)
{
	static const char *const names[DP832_CHANNELS] = {"CH1", "CH2", "CH3"};
	int64_t number;

	*channel = d->selected;
	if (words_at_end(words)) {
		if (!or_selected)
			dialog_error(d, SCPI_MISSING_PARAMETER);
		return or_selected;
	}
	for (*channel = 0; *channel < DP832_CHANNELS; ++*channel) {
		if (words_word(words, names[*channel]))
			return true;
	}
	if (!words_number(words, &number)) {
		dialog_error(d, SCPI_DATA_TYPE);
		return false;
	}
	*channel = (unsigned)(number / FIXED_ONE - 1);
	if (number >= FIXED_ONE && number <= DP832_CHANNELS * (int64_t)FIXED_ONE)
		return true;
	dialog_error(d, SCPI_OUT_OF_RANGE);
	return false;
}

static void select_channel(struct dialog *d, struct words *words, int which)
{
	unsigned channel;

	(void)which;
	if (take_channel(d, words, false, &channel) && dialog_end(d, words))
		d->selected = channel;
}

static void tell_selected(struct dialog *d, struct words *words, int with_prefix)
{
	if (!dialog_end(d, words))
		return;
	dialog_answer(d);
	dialog_text(d, with_prefix ? "CH" : "");
	dialog_integer(d, d->selected + 1);
}

/* A value that is not there is not answered: its reader has no word for it but a number. */
static bool take_reading(struct dialog *d, struct words *words, struct reading *reading)
{
	struct reading readings[PROBE_CHANNELS];
	unsigned channel;

	if (!take_channel(d, words, true, &channel) || !dialog_end(d, words) ||
	    !dialog_measure(d, UINT32_C(1) << channel, readings))
		return false;
	*reading = readings[channel];
	if (reading->uw == SAMPLER_NONE)
		dialog_error(d, SCPI_HARDWARE_MISSING);
	return reading->uw != SAMPLER_NONE;
}

static void measure(struct dialog *d, struct words *words, int quantity)
{
	struct reading reading;

	if (!take_reading(d, words, &reading))
		return;
	dialog_answer(d);
	dialog_number(d, dialog_quantity(&reading, (enum dialog_quantity)quantity), 4);
}

static void measure_all(struct dialog *d, struct words *words, int which)
{
	struct reading reading;

	(void)which;
	if (!take_reading(d, words, &reading))
		return;
	dialog_answer(d);
	dialog_number(d, reading.uv, 4);
	dialog_text(d, ",");
	dialog_number(d, reading.ua, 4);
	dialog_text(d, ",");
	dialog_number(d, reading.uw, 4);
}

static void operate(struct dialog *d, struct words *words, int which)
{
	unsigned channel;
	bool on;
	int code;

	(void)which;
	if (!words_bool(words, &on)) {
		if (!take_channel(d, words, false, &channel))
			return;
		if (!words_comma(words) || !words_bool(words, &on)) {
			dialog_error(d, SCPI_DATA_TYPE);
			return;
		}
	} else {
		channel = d->selected;
	}
	if (!dialog_end(d, words))
		return;
	code = sampler_operate(d->sampler, channel, on);
	if (code < 0)
		dialog_error(d, code == SAMPLER_LATCHED ? SCPI_SETTINGS_CONFLICT : SCPI_HARDWARE);
}

static void tell_output(struct dialog *d, struct words *words, int which)
{
	unsigned channel;
	bool on;

	(void)which;
	if (!take_channel(d, words, true, &channel) || !dialog_end(d, words))
		return;
	if (sampler_is_operating(d->sampler, channel, &on) < 0) {
		dialog_error(d, SCPI_HARDWARE);
		return;
	}
	send_fixed(d, words, on ? "ON" : "OFF");
}

static void tell_trip(struct dialog *d, struct words *words, int which)
{
	unsigned channel;

	(void)which;
	if (take_channel(d, words, true, &channel) && dialog_end(d, words))
		send_fixed(d, words, sampler_is_tripped(d->sampler, channel) ? "YES" : "NO");
}

const struct dialog_command commands_dp832[] = {
	{"MEASure:POWEr?", measure, DIALOG_POW},
	{"INSTrument:NSELect", select_channel, 0},
	{"MEASure:VOLTage?", measure, DIALOG_VOLT},
	{"MEASure:CURRent?", measure, DIALOG_CURR},
	{"MEASure:ALL?", measure_all, 0},
	{"INSTrument:NSELect?", tell_selected, false},
	{"INSTrument?", tell_selected, true},
	{"INSTrument", select_channel, 0},
	{"*IDN?", answer_fixed, IDENTITY},
	{"SYSTem:REMote", accept_silently, 0},
	{"SYSTem:LOCal", accept_silently, 0},
	{"SYSTem:BEEPer?", answer_fixed, OFF},
	{"SYSTem:BEEPer:STATe?", answer_fixed, OFF},
	{"SYSTem:BEEPer:STATe", accept_silently, 0},
	{"SYSTem:OTP?", answer_fixed, ON},
	{"OUTPut?", tell_output, 0},
	{"OUTPut:STATe?", tell_output, 0},
	{"OUTPut", operate, 0},
	{"OUTPut:STATe", operate, 0},
	{"OUTPut:MODE?", answer_fixed, CV},
	{"OUTPut:CVCC?", answer_fixed, CV},
	{"OUTPut:OVP?", answer_fixed, OFF},
	{"OUTPut:OVP:QUES?", answer_fixed, NO},
	{"OUTPut:OVP:VALue?", answer_fixed, OVP_V},
	{"OUTPut:OCP?", answer_fixed, ON},
	{"OUTPut:OCP:QUES?", tell_trip, 0},
	{"OUTPut:OCP:VALue?", answer_fixed, OCP_A},
	{"SOURce:VOLTage?", answer_fixed, ZERO},
	{"SOURce:CURRent?", answer_fixed, ZERO},
	{"SOURce:VOLTage", refuse, 0},
	{"SOURce:CURRent", refuse, 0},
	{NULL, NULL, 0},
};
