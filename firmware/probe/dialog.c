/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dialog.h"

#include <string.h>

#include "fixed.h"

#define SCPI_NAN     "9.91E+37" /* SCPI-99, volume 1, chapter 7.2.1.5 */
#define ALL_CHANNELS ((UINT32_C(1) << PROBE_CHANNELS) - 1)

/* A reading that takes longer than its ticks by this much will not come. */
#define MEASURE_SLACK_US 500000

static const struct dialog_command *const identities[SETTINGS_IDENTITIES] = {
	[SETTINGS_OWN] = commands_own,
	[SETTINGS_DP832] = commands_dp832,
};

void dialog_error(struct dialog *d, int number)
{
	errqueue_push(&d->errors, number);
}

void dialog_text(struct dialog *d, const char *text)
{
	d->board->send(text, strlen(text));
}

void dialog_answer(struct dialog *d)
{
	if (d->answered)
		dialog_text(d, ";");
	d->answered = true;
}

void dialog_number(struct dialog *d, int64_t millionths, unsigned decimals)
{
	char text[FIXED_TEXT_MAX];

	fixed_format(text, millionths, decimals);
	dialog_text(d, text);
}

void dialog_integer(struct dialog *d, int64_t value)
{
	char text[FIXED_TEXT_MAX];
	size_t n = sizeof(text);
	uint64_t rest = (uint64_t)(value < 0 ? -value : value);

	text[--n] = '\0';
	do {
		text[--n] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		text[--n] = '-';
	dialog_text(d, text + n);
}

bool dialog_end(struct dialog *d, struct words *words)
{
	if (words_at_end(words))
		return true;
	dialog_error(d, SCPI_PARAMETER_NOT_ALLOWED);
	return false;
}

bool dialog_channels(struct dialog *d, struct words *words, bool or_all, uint32_t *mask)
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

bool dialog_take_number(struct dialog *d, struct words *words, int64_t least, int64_t most,
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

void dialog_values(struct dialog *d, uint32_t mask, const int64_t values[static PROBE_CHANNELS])
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

bool dialog_await_ticks(struct dialog *d)
{
	uint64_t limit_us =
		MEASURE_SLACK_US + UINT64_C(2000000) * d->settings->average / d->settings->rate_hz;
	uint64_t begin_us = d->board->now_us();

	sampler_begin(d->sampler);
	while (!sampler_is_done(d->sampler)) {
		if (d->board->now_us() - begin_us > limit_us) {
			dialog_error(d, SCPI_HARDWARE);
			return false;
		}
		d->board->wait();
		d->board->feed();
	}
	return true;
}

bool dialog_measure(struct dialog *d, uint32_t mask, struct reading readings[static PROBE_CHANNELS])
{
	bool is_average = d->settings->average > 1, is_first = true;

	if (is_average && !dialog_await_ticks(d))
		return false;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++) {
		if (!(mask >> i & 1))
			continue;
		readings[i] =
			is_average ? sampler_reading(d->sampler, i) : sampler_now(d->sampler, i);
		if (is_first)
			d->first_us = readings[i].first_us;
		d->last_us = readings[i].last_us;
		is_first = false;
	}
	return true;
}

int64_t dialog_quantity(const struct reading *reading, enum dialog_quantity quantity)
{
	switch (quantity) {
	case DIALOG_VOLT:
		return reading->uv;
	case DIALOG_CURR:
		return reading->ua;
	case DIALOG_POW:
		break;
	}
	return reading->uw;
}

static const struct dialog_command *find_in(const struct dialog_command *table, const char *header,
					    size_t n)
{
	for (; table->header; table++) {
		if (words_match(table->header, header, n))
			return table;
	}
	return NULL;
}

static const struct dialog_command *find(const struct dialog *d, const char *header, size_t n)
{
	const struct dialog_command *found = find_in(identities[d->settings->identity], header, n);

	return found ? found : find_in(commands_common, header, n);
}

static void handle_command(struct dialog *d, const char *p, const char *end)
{
	const struct dialog_command *command;
	struct words words = {p, end};
	const char *header;

	if (words_at_end(&words))
		return;
	header = *words.p == ':' ? words.p + 1 : words.p;
	for (p = header; p < end && *p != ' ' && *p != '\t'; p++)
		;
	command = find(d, header, (size_t)(p - header));
	words.p = p;
	if (command)
		command->handle(d, &words, command->which);
	else
		dialog_error(d, SCPI_UNDEFINED_HEADER);
}

static void handle_line(struct dialog *d)
{
	const char *p = d->line, *line_end = d->line + d->used;

	d->last_command_us = d->board->now_us();
	d->answered = false;
	for (;;) {
		const char *end = memchr(p, ';', (size_t)(line_end - p));

		handle_command(d, p, end ? end : line_end);
		if (!end)
			break;
		p = end + 1;
	}
	if (d->answered)
		dialog_text(d, "\n");
}

void dialog_byte(struct dialog *d, char byte)
{
	if (byte == '\n') {
		if (d->overlong)
			dialog_error(d, SCPI_INPUT_OVERRUN);
		else
			handle_line(d);
		d->used = 0;
		d->overlong = false;
	} else if (d->used == sizeof(d->line)) {
		d->overlong = true;
	} else if (byte != '\r') {
		d->line[d->used++] = byte;
	}
}

void dialog_poll(struct dialog *d)
{
	int channel;

	while ((channel = sampler_take_trip(d->sampler)) >= 0)
		dialog_error(d, SCPI_OVERCURRENT + 1 + channel);
	if (d->watchdog_us == 0 || d->board->now_us() - d->last_command_us < d->watchdog_us)
		return;
	d->watchdog_us = 0;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		(void)sampler_operate(d->sampler, i, false);
	dialog_error(d, SCPI_WATCHDOG);
}

void dialog_start(struct dialog *d, const struct probe_board *board, struct settings *settings,
		  struct sampler *sampler)
{
	*d = (struct dialog){.board = board, .settings = settings, .sampler = sampler};
	settings_default(settings, board);
	if (board->stored && settings_unpack(settings, board->stored) &&
	    !settings_valid(settings, board)) {
		settings_default(settings, board);
		d->settings_bad = true;
	}
}
