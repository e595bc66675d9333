/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "string.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	const char *p = from;

	for (char *q = to; n > 0; n--)
		*q++ = *p++;
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	for (char *q = to; n > 0; n--)
		*q++ = (char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n > 0; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

void *memchr(const void *bytes, int byte, size_t n)
{
	for (const char *p = bytes; n > 0; n--, p++) {
		if (*p == (char)byte)
			return (void *)p;
	}
	return NULL;
}

size_t strlen(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}
