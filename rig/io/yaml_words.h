/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Help for those who mistyped a word. */
#ifndef COLDRIG_YAML_WORDS_H
#define COLDRIG_YAML_WORDS_H

#include <stddef.h>

/* The known word with the fewest slips of the pen from word; NULL if all are too far off. */
const char *yaml_words_nearest(const char *word, const char *const *known, size_t n);

/* `; did you mean "dwell"? known: cycles, devices, dwell`, cut off with ... where too long. Returns
 * out. */
#define YAML_WORDS_SIZE 288
const char *yaml_words_hint(const char *word, const char *const *known, size_t n,
			    char out[static YAML_WORDS_SIZE]);

#endif
