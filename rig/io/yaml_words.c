/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yaml_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LETTERS_MAX 32

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters added, dropped or replaced (Levenshtein); SIZE_MAX for words too long to compare. */
static size_t slips(const char *a, const char *b)
{
	const size_t a_n = strlen(a), b_n = strlen(b);
	size_t row[LETTERS_MAX + 1];

	if (a_n > LETTERS_MAX || b_n > LETTERS_MAX)
		return (size_t)-1;
	for (size_t j = 0; j <= b_n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_n; j++) {
			const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_n];
}

const char *yaml_words_nearest(const char *word, const char *const *known, size_t n)
{
	/* More than a third wrong is another word. */
	size_t least = strlen(word) / 3 + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < n; i++) {
		const size_t now = slips(word, known[i]);

		if (now <= least && (!nearest || now < least) && now < strlen(known[i])) {
			least = now;
			nearest = known[i];
		}
	}
	return nearest;
}

static size_t append(char *out, size_t used, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static size_t append(char *out, size_t used, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out + used, YAML_WORDS_SIZE - used, format, ap);
	va_end(ap);
	return n < 0 ? used : smaller(used + (size_t)n, YAML_WORDS_SIZE - 1);
}

const char *yaml_words_hint(const char *word, const char *const *known, size_t n,
			    char out[static YAML_WORDS_SIZE])
{
	const char *nearest = yaml_words_nearest(word, known, n);
	size_t used = 0;

	out[0] = '\0';
	if (nearest)
		used = append(out, used, "; did you mean \"%s\"?", nearest);
	else if (n)
		used = append(out, used, ";");
	for (size_t i = 0; i < n; i++)
		used = append(out, used, "%s%s", i ? ", " : " known: ", known[i]);
	if (used == YAML_WORDS_SIZE - 1)
		memcpy(out + YAML_WORDS_SIZE - 4, "...", 4);
	return out;
}
