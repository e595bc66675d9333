/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts for the tests of files: changed in one place, cut out of the docs, damaged at random. */
#ifndef COLDRIG_TEST_YAML_EDIT_H
#define COLDRIG_TEST_YAML_EDIT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "yaml_text.h"

/* One change to a good text, and what must be said of it. */
struct edit {
	const char *from; /* the first of these ... */
	const char *to;	  /* ... becomes this */
	const char *error;
};

static inline char *edit_text(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out = malloc(strlen(text) + strlen(to) + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	memcpy(out, text, (size_t)(at - text));
	strcpy(out + (at - text), to);
	strcat(out, at + strlen(from));
	return out;
}

static inline void edit_check_error(const struct edit *edit, const struct err *err)
{
	const char *found = strstr(err->text, edit->error);

	CU_ASSERT_PTR_NOT_NULL(found);
	if (!found)
		printf("\n  \"%s\" should say\n  %s\n  and says\n  %s\n", edit->to, edit->error,
		       err->text);
}

static inline char *edit_read(const char *path)
{
	struct err err = {""};
	char *text = NULL;

	if (yaml_text_read(path, &text, &err))
		printf("\n  %s\n", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	return text;
}

/* The next ```yaml block of a page, to be freed; NULL after the last. *page moves on. */
static inline char *edit_next_block(const char **page)
{
	static const char open[] = "\n```yaml\n", shut[] = "\n```\n";
	const char *from = strstr(*page, open), *to;

	if (!from)
		return NULL;
	from += strlen(open);
	to = strstr(from, shut);
	CU_ASSERT_PTR_NOT_NULL_FATAL(to);
	*page = to;
	return strndup(from, (size_t)(to - from) + 1);
}

/* xorshift: the same damage in every run. */
static inline uint32_t edit_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Cuts the text off somewhere, and changes, drops or doubles some of its bytes. */
static inline void edit_damage(char *text, uint32_t *state)
{
	static const char bytes[] = "\n :-,{}[]\"'#&*!|>%@?~\t0e.\x80\xc3";
	size_t n = strlen(text);

	if (edit_random(state) % 4 == 0)
		text[edit_random(state) % n] = '\0';
	for (uint32_t i = edit_random(state) % 4; i > 0 && *text; i--) {
		char *at = text + edit_random(state) % strlen(text);

		if (edit_random(state) % 3 == 0)
			memmove(at, at + 1, strlen(at));
		else
			*at = bytes[edit_random(state) % (sizeof(bytes) - 1)];
	}
}

#endif
