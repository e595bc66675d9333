/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scpi.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IDENTITY	"RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16"
#define CURRENT_LIMIT_A 3.2

/* Numbers and texts of SCPI-99, volume 2, chapter 21. */
enum {
	NO_ERROR = 0,
	DATA_TYPE_ERROR = -104,
	UNDEFINED_HEADER = -113,
	SETTINGS_CONFLICT = -221,
	DATA_OUT_OF_RANGE = -222,
	QUEUE_OVERFLOW = -350
};

static const struct {
	int number;
	const char *text;
} error_texts[] = {
	{NO_ERROR, "No error"},
	{DATA_TYPE_ERROR, "Data type error"},
	{UNDEFINED_HEADER, "Undefined header"},
	{SETTINGS_CONFLICT, "Settings conflict"},
	{DATA_OUT_OF_RANGE, "Data out of range"},
	{QUEUE_OVERFLOW, "Queue overflow"},
};

static void push_error(struct scpi *s, int number)
{
	if (s->errors_n == SCPI_ERRORS_KEPT)
		s->errors[SCPI_ERRORS_KEPT - 1] = QUEUE_OVERFLOW;
	else
		s->errors[s->errors_n++] = number;
}

/* A command's answer goes to out, of SCPI_REPLY_SIZE; "" for none. arg is "" where none came. */
typedef void handler(struct scpi *s, const char *arg, const char *fixed, char *out);

static void put(char *out, const char *text)
{
	snprintf(out, SCPI_REPLY_SIZE, "%s", text);
}

static void answer_fixed(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)s, (void)arg;
	put(out, fixed);
}

static void accept_silently(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)s, (void)arg, (void)fixed, (void)out;
}

/* Outputs are on and stay on: the slot's rail is switched by the target, not from here. */
static void refuse(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)arg, (void)fixed, (void)out;
	push_error(s, SETTINGS_CONFLICT);
}

static void clear(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)arg, (void)fixed, (void)out;
	s->errors_n = 0;
}

static void reset(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)arg, (void)fixed, (void)out;
	s->channel = 1;
}

static void next_error(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	int number = NO_ERROR;

	(void)arg, (void)fixed;
	if (s->errors_n > 0) {
		number = s->errors[0];
		s->errors_n--;
		memmove(s->errors, s->errors + 1, s->errors_n * sizeof(s->errors[0]));
	}
	for (size_t i = 0; i < sizeof(error_texts) / sizeof(error_texts[0]); i++) {
		if (error_texts[i].number == number)
			snprintf(out, SCPI_REPLY_SIZE, "%d,\"%s\"", number, error_texts[i].text);
	}
}

/* "2", "CH2", or nothing for the selected one; 0 and an error queued for anything else. */
static unsigned channel_of(struct scpi *s, const char *arg)
{
	char *end;
	unsigned long n;

	if (!*arg)
		return s->channel;
	if (strncasecmp(arg, "CH", 2) == 0)
		arg += 2;
	if (!isdigit((unsigned char)*arg)) {
		push_error(s, DATA_TYPE_ERROR);
		return 0;
	}
	n = strtoul(arg, &end, 10);
	if (*end || n < 1 || n > SCPI_CHANNELS) {
		push_error(s, *end ? DATA_TYPE_ERROR : DATA_OUT_OF_RANGE);
		return 0;
	}
	return (unsigned)n;
}

static void select_channel(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	unsigned n;

	(void)fixed, (void)out;
	if (!*arg) {
		push_error(s, DATA_TYPE_ERROR);
		return;
	}
	n = channel_of(s, arg);
	if (n)
		s->channel = n;
}

static void selected_channel(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)arg;
	snprintf(out, SCPI_REPLY_SIZE, "%s%u", fixed, s->channel);
}

static void measure(struct scpi *s, const char *arg, enum scpi_quantity quantity, char *out)
{
	unsigned channel = channel_of(s, arg);

	if (channel)
		snprintf(out, SCPI_REPLY_SIZE, "%.4f", s->source(channel, quantity, s->context));
}

static void measure_power(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)fixed;
	measure(s, arg, SCPI_POWER, out);
}

static void measure_voltage(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)fixed;
	measure(s, arg, SCPI_VOLTAGE, out);
}

static void measure_current(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)fixed;
	measure(s, arg, SCPI_CURRENT, out);
}

static void measure_all(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	unsigned channel = channel_of(s, arg);

	(void)fixed;
	if (channel)
		snprintf(out, SCPI_REPLY_SIZE, "%.4f,%.4f,%.4f",
			 s->source(channel, SCPI_VOLTAGE, s->context),
			 s->source(channel, SCPI_CURRENT, s->context),
			 s->source(channel, SCPI_POWER, s->context));
}

static void current_limit(struct scpi *s, const char *arg, const char *fixed, char *out)
{
	(void)fixed;
	if (channel_of(s, arg))
		snprintf(out, SCPI_REPLY_SIZE, "%.4f", CURRENT_LIMIT_A);
}

/* Capitals are the short form; both forms are understood, in either case. */
static const struct {
	const char *header;
	handler *handle;
	const char *fixed;
} commands[] = {
	{"MEASure:POWEr?", measure_power, NULL},
	{"INSTrument:NSELect", select_channel, NULL},
	{"MEASure:VOLTage?", measure_voltage, NULL},
	{"MEASure:CURRent?", measure_current, NULL},
	{"MEASure:ALL?", measure_all, NULL},
	{"INSTrument:NSELect?", selected_channel, ""},
	{"INSTrument?", selected_channel, "CH"},
	{"INSTrument", select_channel, NULL},
	{"*IDN?", answer_fixed, IDENTITY},
	{"*OPC?", answer_fixed, "1"},
	{"*TST?", answer_fixed, "0"},
	{"*CLS", clear, NULL},
	{"*RST", reset, NULL},
	{"SYSTem:ERRor?", next_error, NULL},
	{"SYSTem:VERSion?", answer_fixed, "1999.0"},
	{"SYSTem:REMote", accept_silently, NULL},
	{"SYSTem:LOCal", accept_silently, NULL},
	{"SYSTem:BEEPer:STATe?", answer_fixed, "OFF"},
	{"SYSTem:BEEPer?", answer_fixed, "OFF"},
	{"SYSTem:BEEPer:STATe", accept_silently, NULL},
	{"SYSTem:OTP?", answer_fixed, "ON"},
	{"OUTPut?", answer_fixed, "ON"},
	{"OUTPut:STATe?", answer_fixed, "ON"},
	{"OUTPut:MODE?", answer_fixed, "CV"},
	{"OUTPut:CVCC?", answer_fixed, "CV"},
	{"OUTPut:OVP?", answer_fixed, "OFF"},
	{"OUTPut:OVP:QUES?", answer_fixed, "NO"},
	{"OUTPut:OVP:VALue?", answer_fixed, "33.000"},
	{"OUTPut:OCP?", answer_fixed, "OFF"},
	{"OUTPut:OCP:QUES?", answer_fixed, "NO"},
	{"OUTPut:OCP:VALue?", answer_fixed, "3.300"},
	{"SOURce:VOLTage?", measure_voltage, NULL},
	{"SOURce:CURRent?", current_limit, NULL},
	{"OUTPut", refuse, NULL},
	{"OUTPut:STATe", refuse, NULL},
	{"SOURce:VOLTage", refuse, NULL},
	{"SOURce:CURRent", refuse, NULL},
};

/* Length of the node's short form: what stands in capitals (and '*'). */
static size_t short_length(const char *node, size_t n)
{
	size_t i = 0;

	while (i < n && !islower((unsigned char)node[i]))
		i++;
	return i;
}

/* Is header, of n bytes, a form of the pattern? */
static bool matches(const char *pattern, const char *header, size_t n)
{
	const char *end = header + n;

	for (;;) {
		size_t full = strcspn(pattern, ":?");
		size_t brief = short_length(pattern, full);
		size_t given = 0;

		while (header + given < end && header[given] != ':' && header[given] != '?')
			given++;
		if ((given != full && given != brief) || strncasecmp(header, pattern, given) != 0)
			return false;
		header += given;
		pattern += full;
		if (header == end || *pattern == '\0')
			return header == end && *pattern == '\0';
		if (*header++ != *pattern++)
			return false;
		if (header == end && *pattern == '\0')
			return true;
	}
}

static void handle_one(struct scpi *s, char *command, char *out)
{
	size_t header;

	out[0] = '\0';
	while (isspace((unsigned char)*command))
		command++;
	for (size_t n = strlen(command); n > 0 && isspace((unsigned char)command[n - 1]); n--)
		command[n - 1] = '\0';
	if (*command == ':')
		command++;
	if (!*command)
		return;
	header = strcspn(command, " \t");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!matches(commands[i].header, command, header))
			continue;
		commands[i].handle(s, command + header + strspn(command + header, " \t"),
				   commands[i].fixed, out);
		return;
	}
	push_error(s, UNDEFINED_HEADER);
}

void scpi_init(struct scpi *s, scpi_source *source, void *context)
{
	*s = (struct scpi){.source = source, .context = context, .channel = 1};
}

size_t scpi_handle(struct scpi *s, char *line, char reply[static SCPI_REPLY_SIZE])
{
	size_t used = 0;
	char *rest = line, *command;

	while ((command = strsep(&rest, ";"))) {
		char one[SCPI_REPLY_SIZE];
		size_t n;

		handle_one(s, command, one);
		n = strlen(one);
		/* A separator before and a line feed and NUL after it must fit too. */
		if (n == 0 || used + n + 3 > SCPI_REPLY_SIZE)
			continue;
		if (used > 0)
			reply[used++] = ';';
		memcpy(reply + used, one, n);
		used += n;
	}
	if (used > 0)
		reply[used++] = '\n';
	reply[used] = '\0';
	return used;
}
