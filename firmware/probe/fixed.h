/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decimal text to millionths and back, in integers: the processor has no floating point. Pure. */
#ifndef PROBE_FIXED_H
#define PROBE_FIXED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIXED_ONE      1000000
#define FIXED_MAX      INT64_C(1000000000000000) /* 1e9, the largest that is taken or needed */
#define FIXED_TEXT_MAX 24

/*
 * A number as SCPI writes it, sign, point and exponent included, alone in n bytes. Digits beyond
 * the sixth decimal are cut off. False for anything else, and for more than FIXED_MAX either way.
 */
bool fixed_parse(const char *text, size_t n, int64_t *out);

/* Rounds to 0 to 6 decimals; returns the length. Ends in NUL. */
size_t fixed_format(char out[static FIXED_TEXT_MAX], int64_t millionths, unsigned decimals);

/* a * b / divisor, rounded to nearest; a * b must fit 63 bits, divisor is positive. */
int64_t fixed_scale(int64_t a, int64_t b, int64_t divisor);

#endif
