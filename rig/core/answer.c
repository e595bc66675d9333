/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "answer.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool answer_is_unit(const char *text)
{
	static const char *const units[] = {"", "V", "A", "W", "HZ", "OHM", "S"};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcasecmp(text, units[i]) == 0)
			return true;
	}
	return false;
}

double answer_number(const char *line, size_t size)
{
	char text[ANSWER_MAX + 1], *end;
	double value;

	if (size > ANSWER_MAX || memchr(line, '\0', size))
		return NAN;
	while (size && isspace((unsigned char)line[size - 1]))
		size--;
	memcpy(text, line, size);
	text[size] = '\0';
	if (strpbrk(text, "xX")) /* hexadecimal is strtod's idea, not SCPI's */
		return NAN;
	value = strtod(text, &end);
	if (end == text || !isfinite(value) || !answer_is_unit(end + strspn(end, " ")))
		return NAN;
	return value;
}

const char *answer_no_reading(double value)
{
	/* Also for one that was a float on its way. */
	if (isnan(value) || fabs(value - 9.91e37) < 1e33)
		return "not a number";
	return fabs(value) > 9e37 ? "overload" : NULL;
}

void answer_printable(const char *from, size_t size, char to[static ANSWER_SHOWN])
{
	size_t n = 0;

	while (size && (from[size - 1] == '\n' || from[size - 1] == '\r'))
		size--;
	for (; n < size && n < ANSWER_SHOWN - 1; n++)
		to[n] = isprint((unsigned char)from[n]) ? from[n] : '.';
	to[n] = '\0';
}

void answer_hex(const char *from, size_t size, char to[static ANSWER_SHOWN])
{
	size_t n = size < 15 ? size : 15;

	to[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(to + 3 * i, 4, i + 1 < n ? "%02x " : "%02x", (unsigned char)from[i]);
}
