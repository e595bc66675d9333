/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixed.h"

#define EXPONENT_MAX 30

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take_sign(const char **p, const char *end)
{
	bool negative = *p < end && **p == '-';

	if (*p < end && (**p == '-' || **p == '+'))
		(*p)++;
	return negative;
}

/* Digits with at most one point; *places counts those behind it. The sum stops growing long
 * before it could wrap, and what is dropped then counts as a place less. */
static bool take_digits(const char **p, const char *end, int64_t *value, int *places)
{
	bool point = false, any = false;

	for (; *p < end; (*p)++) {
		if (**p == '.' && !point) {
			point = true;
			continue;
		}
		if (!is_digit(**p))
			break;
		any = true;
		if (*value <= FIXED_MAX * 100) {
			*value = *value * 10 + (**p - '0');
			*places += point;
		} else {
			*places -= !point;
		}
	}
	return any;
}

static bool take_exponent(const char **p, const char *end, int *exponent)
{
	bool negative;
	int value = 0;

	if (*p == end)
		return true;
	if (**p != 'e' && **p != 'E')
		return false;
	(*p)++;
	negative = take_sign(p, end);
	if (*p == end)
		return false;
	for (; *p < end && is_digit(**p); (*p)++) {
		if (value < EXPONENT_MAX)
			value = value * 10 + (**p - '0');
	}
	*exponent = negative ? -value : value;
	return *p == end;
}

bool fixed_parse(const char *text, size_t n, int64_t *out)
{
	const char *p = text, *end = text + n;
	int places = 0, exponent = 0;
	bool negative = take_sign(&p, end);
	int64_t value = 0;

	if (!take_digits(&p, end, &value, &places) || !take_exponent(&p, end, &exponent))
		return false;
	for (exponent += 6 - places; exponent > 0 && value != 0; exponent--) {
		if (value > FIXED_MAX / 10)
			return false;
		value *= 10;
	}
	for (; exponent < 0 && value != 0; exponent++)
		value /= 10;
	if (value > FIXED_MAX)
		return false;
	*out = negative ? -value : value;
	return true;
}

int64_t fixed_scale(int64_t a, int64_t b, int64_t divisor)
{
	int64_t product = a * b, half = divisor / 2;

	return (product < 0 ? product - half : product + half) / divisor;
}

static int64_t power_of_ten(unsigned n)
{
	int64_t power = 1;

	while (n-- > 0)
		power *= 10;
	return power;
}

size_t fixed_format(char out[static FIXED_TEXT_MAX], int64_t millionths, unsigned decimals)
{
	int64_t value = fixed_scale(millionths, 1, power_of_ten(6 - decimals));
	uint64_t rest = (uint64_t)(value < 0 ? -value : value);
	char reversed[FIXED_TEXT_MAX];
	size_t digits = 0, n = 0;

	do {
		reversed[digits++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0 || digits <= decimals);
	if (value < 0)
		out[n++] = '-';
	while (digits > 0) {
		out[n++] = reversed[--digits];
		if (decimals > 0 && digits == decimals)
			out[n++] = '.';
	}
	out[n] = '\0';
	return n;
}
