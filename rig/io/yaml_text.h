/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of a YAML file and places in it. */
#ifndef COLDRIG_YAML_TEXT_H
#define COLDRIG_YAML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define YAML_TEXT_MAX 1048576 /* bytes */

/* Both count from 1; a column is a character, not a byte. */
struct yaml_place {
	size_t line;
	size_t column;
};

/* Fills err with "PATH:LINE:COLUMN: " and the words; returns -EINVAL. */
int yaml_text_error(const char *path, struct yaml_place place, struct err *err, const char *format,
		    ...) __attribute__((format(printf, 4, 5)));

/* The place of a byte. */
struct yaml_place yaml_text_place(const char *text, size_t offset);

/*
 * Reads a file. -EINVAL with place for a NUL, -EINVAL for more than YAML_TEXT_MAX, else the errno
 * of reading. *text is freed with free().
 */
int yaml_text_read(const char *path, char **text, struct err *err);

/* Refuses what is no good in any file of ours: too large, tabs. */
int yaml_text_check(const char *path, const char *text, struct err *err);

/*
 * text for a message: in double quotes, control characters replaced, cut off with "..." where too
 * long. Returns out.
 */
#define YAML_TEXT_QUOTE_SIZE 72
const char *yaml_text_quote(const char *text, char out[static YAML_TEXT_QUOTE_SIZE]);

/* Are there control characters in it, C1 ones included? Text from files ends up on terminals. */
bool yaml_text_has_control(const char *text);

#endif
