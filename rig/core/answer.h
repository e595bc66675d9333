/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an instrument answered: is it a number, is that a reading, and how is it shown in a note. */
#ifndef COLDRIG_ANSWER_H
#define COLDRIG_ANSWER_H

#include <stddef.h>

#define ANSWER_MAX   256 /* bytes */
#define ANSWER_SHOWN 48	 /* as text, with its end */

/* A finite number in plain or exponent form, alone in its line or with a unit of letters behind it
 * that SCPI has (V, A, W, HZ, OHM, S); NaN if it is none. */
double answer_number(const char *line, size_t size);

/*
 * NULL, or why a number is no reading; static. SCPI-99 (volume 1, 7.2.1.4 and 7.2.1.5) writes 9.9E37 and -9.9E37 for
 * infinity, which multimeters answer to what is beyond their range, and 9.91E37 for not a number.
 */
const char *answer_no_reading(double value);

/* Without its line end, "." for what cannot be printed; cut off. */
void answer_printable(const char *from, size_t size, char to[static ANSWER_SHOWN]);

/* "01 03 06"; cut off. */
void answer_hex(const char *from, size_t size, char to[static ANSWER_SHOWN]);

#endif
