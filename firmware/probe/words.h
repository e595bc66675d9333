/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a SCPI message: headers, and the parameters behind them. Pure. */
#ifndef PROBE_WORDS_H
#define PROBE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Is the header, of n bytes, a form of the pattern? In the pattern capitals are the short form of
 * each part; either form is understood, in either case. A leading colon must be taken off before.
 */
bool words_match(const char *pattern, const char *header, size_t n);

/* What is left of the parameters of a command. */
struct words {
	const char *p, *end;
};

/* All of the functions below pass over spaces; those that return false have taken nothing. */

bool words_at_end(struct words *words);
bool words_comma(struct words *words);

/* A number in millionths, see fixed.h. */
bool words_number(struct words *words, int64_t *millionths);

/* A word of either form of the pattern. */
bool words_word(struct words *words, const char *pattern);

/* ON or OFF, 1 or 0. */
bool words_bool(struct words *words, bool *on);

enum words_list { WORDS_LIST, WORDS_NO_LIST, WORDS_BAD_LIST, WORDS_LIST_RANGE };

/*
 * A channel list, "(@1)", "(@1,3)", "(@1:4)", as bits from channel 1 in bit 0. WORDS_NO_LIST where
 * none begins here, WORDS_LIST_RANGE for a channel that is not 1 to channels.
 */
enum words_list words_channels(struct words *words, unsigned channels, uint32_t *mask);

#endif
