/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yaml_number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "yaml_text.h"

#define UNITS_MAX 6

/* value = number * times / by: two factors, so that 0.1 % is exactly 0.001. */
struct unit {
	const char *name;
	double times;
	double by;
};

struct quantity {
	const char *name;
	double max;
	const char *max_text;
	const char *example;
	struct unit units[UNITS_MAX + 1];
};

/* clang-format off */
static const struct quantity quantities[YAML_QUANTITY_COUNT] = {
	[YAML_DURATION] = {
		"a duration", 7 * 86400, "7 days", "800 ms",
		{{"ns", 1, 1e9}, {"us", 1, 1e6}, {"ms", 1, 1e3}, {"s", 1, 1}, {"min", 60, 1},
		 {"h", 3600, 1}},
	},
	[YAML_POWER] = {
		"a power", 1e5, "100 kW", "3.5 W",
		{{"uW", 1, 1e6}, {"mW", 1, 1e3}, {"W", 1, 1}, {"kW", 1e3, 1}},
	},
	[YAML_VOLTAGE] = {
		"a voltage", 1e3, "1 kV", "12 V",
		{{"uV", 1, 1e6}, {"mV", 1, 1e3}, {"V", 1, 1}},
	},
	[YAML_CURRENT] = {
		"a current", 1e3, "1 kA", "20 mA",
		{{"uA", 1, 1e6}, {"mA", 1, 1e3}, {"A", 1, 1}},
	},
	[YAML_RATE] = {
		"a rate", 1e9, "1 GHz", "300 Hz",
		{{"mHz", 1, 1e3}, {"Hz", 1, 1}, {"kHz", 1e3, 1}, {"MHz", 1e6, 1}},
	},
	[YAML_OHM] = {
		"a resistance", 1e6, "1 MOhm", "3 mOhm",
		{{"uOhm", 1, 1e6}, {"mOhm", 1, 1e3}, {"Ohm", 1, 1}, {"kOhm", 1e3, 1}},
	},
	[YAML_PERCENT] = {"a percentage", 1, "100 %", "0.1 %", {{"%", 1, 100}, {"ppm", 1, 1e6}}},
	[YAML_MEMORY] = {
		"an amount of memory", 1048576, "1 TiB", "1024 MiB",
		{{"MiB", 1, 1}, {"GiB", 1024, 1}},
	},
};
/* clang-format on */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits(const char *text)
{
	size_t n = 0;

	while (is_digit(text[n]))
		n++;
	return n;
}

/* How many characters at the start are a number: 0 if none. */
static size_t number_length(const char *text)
{
	size_t n = 0, whole, part;

	if (text[n] == '-' || text[n] == '+')
		n++;
	whole = digits(text + n);
	if (!whole)
		return 0;
	n += whole;
	if (text[n] == '.') {
		part = digits(text + n + 1);
		if (!part)
			return 0;
		n += 1 + part;
	}
	/* An e that no digits follow is the beginning of some unit. */
	if (text[n] == 'e' || text[n] == 'E') {
		size_t sign = text[n + 1] == '-' || text[n + 1] == '+';

		part = digits(text + n + 1 + sign);
		if (part)
			n += 1 + sign + part;
	}
	return n;
}

/* strtod() reads what the user's locale calls a number. */
static int convert(const char *text, size_t length, double *out, struct err *why)
{
	locale_t plain;
	char *copy;
	int overflow;

	plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!plain)
		return err_set(why, -ENOMEM, "%s", strerror(errno));
	copy = strndup(text, length);
	if (!copy) {
		freelocale(plain);
		return err_set(why, -ENOMEM, "%s", strerror(ENOMEM));
	}
	errno = 0;
	*out = strtod_l(copy, NULL, plain);
	overflow = errno == ERANGE || !isfinite(*out);
	free(copy);
	freelocale(plain);
	return overflow ? err_set(why, -EINVAL, "too large or too small a number") : 0;
}

int yaml_number_real(const char *text, double *out, struct err *why)
{
	const size_t length = number_length(text);
	double value;
	int ret;

	if (!length || text[length])
		return err_set(why, -EINVAL, "not a number");
	ret = convert(text, length, &value, why);
	if (!ret)
		*out = value;
	return ret;
}

int yaml_number_count(const char *text, uint64_t *out, struct err *why)
{
	const size_t length = digits(text);
	uint64_t value = 0;

	if (!length || text[length])
		return err_set(why, -EINVAL, "not a whole number of 0 or more");
	if (length > 1 && text[0] == '0')
		return err_set(why, -EINVAL, "a number does not begin with 0");
	for (size_t i = 0; i < length; i++) {
		const unsigned digit = (unsigned)(text[i] - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return err_set(why, -EINVAL, "too large a number");
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

static const struct unit *find_unit(const struct quantity *quantity, const char *name)
{
	for (const struct unit *unit = quantity->units; unit->name; unit++) {
		if (strcmp(unit->name, name) == 0)
			return unit;
	}
	return NULL;
}

static int unit_error(const struct quantity *quantity, const char *name, struct err *why)
{
	char quoted[YAML_TEXT_QUOTE_SIZE], known[48] = "";

	for (const struct unit *unit = quantity->units; unit->name; unit++) {
		strcat(known, unit == quantity->units ? "" : ", ");
		strcat(known, unit->name);
	}
	if (!*name)
		return err_set(why, -EINVAL, "%s needs a unit: %s", quantity->name, known);
	return err_set(why, -EINVAL, "%s is no unit of %s: %s", yaml_text_quote(name, quoted),
		       quantity->name, known);
}

int yaml_number_quantity(const char *text, enum yaml_quantity which, double *out, struct err *why)
{
	const struct quantity *quantity = &quantities[which];
	const size_t length = number_length(text);
	const char *rest = text + length;
	const struct unit *unit;
	double value;
	int ret;

	if (!length)
		return err_set(why, -EINVAL, "%s is a number and a unit, as in %s", quantity->name,
			       quantity->example);
	while (*rest == ' ')
		rest++;
	unit = find_unit(quantity, rest);
	if (!unit)
		return unit_error(quantity, rest, why);
	ret = convert(text, length, &value, why);
	if (ret)
		return ret;
	value = value * unit->times / unit->by;
	if (fabs(value) > quantity->max)
		return err_set(why, -EINVAL, "%s is at most %s", quantity->name,
			       quantity->max_text);
	*out = value;
	return 0;
}

const char *yaml_quantity_name(enum yaml_quantity quantity)
{
	return quantities[quantity].name;
}
