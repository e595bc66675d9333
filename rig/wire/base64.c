/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base64.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *bytes, size_t n)
{
	const unsigned char *in = bytes;
	char *text = malloc((n + 2) / 3 * 4 + 1), *out = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t group = (uint32_t)in[i] << 16;

		if (left > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[group & 63] : '=';
	}
	*out = '\0';
	return text;
}

/* Four digits to three bytes; false for what is no digit. */
static int group_from(const char *text, uint32_t *group)
{
	*group = 0;
	for (int i = 0; i < 4; i++) {
		const char *digit = text[i] ? strchr(digits, text[i] == '=' ? 'A' : text[i]) : NULL;

		if (!digit)
			return -EINVAL;
		*group = *group << 6 | (uint32_t)(digit - digits);
	}
	return 0;
}

int base64_decode(const char *text, void **bytes, size_t *n)
{
	size_t length = strlen(text), padding = 0;
	unsigned char *out;
	uint32_t group;

	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	if (length % 4 != 0 || strcspn(text, "=") != length - padding)
		return -EINVAL;
	out = malloc(length / 4 * 3 + 1);
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < length / 4; i++) {
		if (group_from(text + 4 * i, &group) < 0) {
			free(out);
			return -EINVAL;
		}
		out[3 * i] = (unsigned char)(group >> 16);
		out[3 * i + 1] = (unsigned char)(group >> 8);
		out[3 * i + 2] = (unsigned char)group;
	}
	*bytes = out;
	*n = length / 4 * 3 - padding;
	return 0;
}
