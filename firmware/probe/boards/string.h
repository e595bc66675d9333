/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the firmware uses of C's own string.h: a C library for it would be 350 MB to install. */
#ifndef PROBE_STRING_H
#define PROBE_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *bytes, int byte, size_t n);
size_t strlen(const char *text);

#endif
