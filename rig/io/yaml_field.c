/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yaml_field.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yaml_number.h"
#include "yaml_words.h"

#define NAME_MAX_LENGTH 64
#define CHOICES_MAX	32

int yaml_field_error(const struct yaml_reader *reader, const struct yaml_item *item,
		     const char *format, ...)
{
	/* The file has no mark of its own for a value that is left out. */
	const bool empty = item->kind == YAML_TREE_TEXT && !*item->text;
	char words[sizeof(reader->err->text)], quoted[YAML_TEXT_QUOTE_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	if (item->text && !empty)
		yaml_text_quote(item->text, quoted);
	else
		quoted[0] = '\0';
	return yaml_text_error(reader->path, empty ? item->key_place : item->place, reader->err,
			       "%s%s%s%s%s", item->key ? item->key : "", item->key ? ": " : "",
			       quoted, *quoted ? ": " : "", words);
}

int yaml_field_no_memory(const struct yaml_reader *reader)
{
	return err_set(reader->err, -ENOMEM, "%s: %s", reader->path, strerror(ENOMEM));
}

int yaml_field_unknown(const struct yaml_reader *reader, const struct yaml_item *item,
		       const char *complaint, const char *const *known, size_t n)
{
	char hint[YAML_WORDS_SIZE];

	return yaml_field_error(reader, item, "%s%s", complaint,
				yaml_words_hint(item->text, known, n, hint));
}

int yaml_field_want_text(const struct yaml_reader *reader, const struct yaml_item *item)
{
	if (item->kind != YAML_TREE_TEXT)
		return yaml_field_error(reader, item, "one value belongs here, not a %s",
					item->kind == YAML_TREE_LIST ? "list" : "mapping");
	if (!*item->text)
		return yaml_field_error(reader, item, "a value is missing");
	return 0;
}

/* Text, and words on it that some other function found. */
static int say_why(const struct yaml_reader *reader, const struct yaml_item *item, int code,
		   const struct err *why)
{
	if (code == -ENOMEM)
		return yaml_field_no_memory(reader);
	return yaml_field_error(reader, item, "%s", why->text);
}

int yaml_field_string(const struct yaml_reader *reader, const struct yaml_item *item, char **out)
{
	char *copy;
	int ret;

	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	if (yaml_text_has_control(item->text))
		return yaml_field_error(reader, item,
					"control characters and line ends are "
					"not allowed");
	if (item->text[strspn(item->text, " ")] == '\0')
		return yaml_field_error(reader, item, "a value is missing");
	copy = strdup(item->text);
	if (!copy)
		return yaml_field_no_memory(reader);
	*out = copy;
	return 0;
}

int yaml_field_bdf(const struct yaml_reader *reader, const struct yaml_item *item,
		   char out[static BDF_TEXT_SIZE])
{
	struct bdf bdf;
	int ret;

	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	if (bdf_parse(item->text, &bdf))
		return yaml_field_error(reader, item,
					"not a PCI function: DDDD:BB:DD.F, as in 0000:01:00.0");
	bdf_format(&bdf, out);
	return 0;
}

int yaml_field_real(const struct yaml_reader *reader, const struct yaml_item *item, double *out)
{
	struct err why;
	int ret;

	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	ret = yaml_number_real(item->text, out, &why);
	return ret ? say_why(reader, item, ret, &why) : 0;
}

static int read_string(const struct yaml_reader *reader, const struct yaml_field *field,
		       const struct yaml_item *item, void *at)
{
	(void)field;
	return yaml_field_string(reader, item, at);
}

static bool name_char(const struct yaml_field *field, const char *text, size_t i)
{
	const char c = text[i];

	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	/* So that no name is hidden, an option, or a directory above. */
	if (i == 0)
		return false;
	return strchr("._-", c) || (field->also && strchr(field->also, c));
}

static int read_name(const struct yaml_reader *reader, const struct yaml_field *field,
		     const struct yaml_item *item, void *at)
{
	int ret;

	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	for (size_t i = 0; item->text[i]; i++) {
		if (!name_char(field, item->text, i))
			return yaml_field_error(reader, item,
						"a name has only letters, digits and ._-%s, "
						"and begins with a letter or digit",
						field->also ? field->also : "");
	}
	if (strlen(item->text) > NAME_MAX_LENGTH)
		return yaml_field_error(reader, item, "a name has at most %d characters",
					NAME_MAX_LENGTH);
	return yaml_field_string(reader, item, at);
}

static int read_bdf(const struct yaml_reader *reader, const struct yaml_field *field,
		    const struct yaml_item *item, void *at)
{
	(void)field;
	return yaml_field_bdf(reader, item, at);
}

/* Rounded to whole units of 1 / scale, unless scale is 0. */
static int quantity(const struct yaml_reader *reader, const struct yaml_field *field,
		    const struct yaml_item *item, enum yaml_quantity which, double scale,
		    double *out)
{
	struct err why;
	double value;
	int ret;

	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	ret = yaml_number_quantity(item->text, which, &value, &why);
	if (ret)
		return say_why(reader, item, ret, &why);
	if (scale > 0)
		value = value < 0 ? value : round(value * scale);
	if (value < 0 || (value <= 0 && !(field->flags & YAML_ZERO_OK)))
		return yaml_field_error(reader, item, "%s must be %s", yaml_quantity_name(which),
					field->flags & YAML_ZERO_OK ? "0 or more" : "more than 0");
	/* Drops the sign of -0. */
	*out = fabs(value);
	return 0;
}

static int read_duration(const struct yaml_reader *reader, const struct yaml_field *field,
			 const struct yaml_item *item, void *at)
{
	double value;
	int ret;

	ret = quantity(reader, field, item, YAML_DURATION, 1e9, &value);
	if (!ret)
		*(int64_t *)at = (int64_t)value;
	return ret;
}

static int read_memory(const struct yaml_reader *reader, const struct yaml_field *field,
		       const struct yaml_item *item, void *at)
{
	double value;
	int ret;

	ret = quantity(reader, field, item, YAML_MEMORY, 1, &value);
	if (ret)
		return ret;
	if (value < field->min || value > field->max)
		return yaml_field_error(reader, item, "must be %u to %u MiB", field->min,
					field->max);
	*(unsigned *)at = (unsigned)value;
	return 0;
}

static int read_real_quantity(const struct yaml_reader *reader, const struct yaml_field *field,
			      const struct yaml_item *item, void *at)
{
	static const enum yaml_quantity which[] = {
		[YAML_TYPE_POWER] = YAML_POWER,	    [YAML_TYPE_VOLTAGE] = YAML_VOLTAGE,
		[YAML_TYPE_CURRENT] = YAML_CURRENT, [YAML_TYPE_RATE] = YAML_RATE,
		[YAML_TYPE_OHM] = YAML_OHM,	    [YAML_TYPE_PERCENT] = YAML_PERCENT,
	};

	return quantity(reader, field, item, which[field->type], 0, at);
}

static int count(const struct yaml_reader *reader, const struct yaml_item *item, uint64_t *out)
{
	struct err why;
	int ret;

	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	ret = yaml_number_count(item->text, out, &why);
	return ret ? say_why(reader, item, ret, &why) : 0;
}

static int read_count(const struct yaml_reader *reader, const struct yaml_field *field,
		      const struct yaml_item *item, void *at)
{
	uint64_t value;
	int ret;

	ret = count(reader, item, &value);
	if (ret)
		return ret;
	if (value < field->min || value > field->max)
		return yaml_field_error(reader, item, "must be %u to %u", field->min, field->max);
	*(unsigned *)at = (unsigned)value;
	return 0;
}

static int read_seed(const struct yaml_reader *reader, const struct yaml_field *field,
		     const struct yaml_item *item, void *at)
{
	(void)field;
	return count(reader, item, at);
}

static int read_real(const struct yaml_reader *reader, const struct yaml_field *field,
		     const struct yaml_item *item, void *at)
{
	double value;
	int ret;

	(void)field;
	ret = yaml_field_real(reader, item, &value);
	if (ret)
		return ret;
	if (fpclassify(value) == FP_ZERO)
		return yaml_field_error(reader, item, "must not be 0");
	*(double *)at = value;
	return 0;
}

static int read_bool(const struct yaml_reader *reader, const struct yaml_field *field,
		     const struct yaml_item *item, void *at)
{
	int ret;

	(void)field;
	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	if (strcmp(item->text, "true") != 0 && strcmp(item->text, "false") != 0)
		return yaml_field_error(reader, item, "must be true or false");
	*(bool *)at = item->text[0] == 't';
	return 0;
}

static int read_choice(const struct yaml_reader *reader, const struct yaml_field *field,
		       const struct yaml_item *item, void *at)
{
	const char *known[CHOICES_MAX];
	int ret;

	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	for (int i = 0; i < field->words->n; i++) {
		known[i] = field->words->name(i);
		if (strcmp(item->text, known[i]) == 0) {
			memcpy(at, &i, sizeof(i));
			return 0;
		}
	}
	return yaml_field_unknown(reader, item, "no such word", known, (size_t)field->words->n);
}

typedef int (*field_reader)(const struct yaml_reader *reader, const struct yaml_field *field,
			    const struct yaml_item *item, void *at);

static const field_reader field_readers[YAML_TYPE_COUNT_OF_TYPES] = {
	[YAML_TYPE_STRING] = read_string,
	[YAML_TYPE_NAME] = read_name,
	[YAML_TYPE_BDF] = read_bdf,
	[YAML_TYPE_DURATION] = read_duration,
	[YAML_TYPE_POWER] = read_real_quantity,
	[YAML_TYPE_VOLTAGE] = read_real_quantity,
	[YAML_TYPE_CURRENT] = read_real_quantity,
	[YAML_TYPE_RATE] = read_real_quantity,
	[YAML_TYPE_OHM] = read_real_quantity,
	[YAML_TYPE_PERCENT] = read_real_quantity,
	[YAML_TYPE_MEMORY] = read_memory,
	[YAML_TYPE_COUNT] = read_count,
	[YAML_TYPE_SEED] = read_seed,
	[YAML_TYPE_REAL] = read_real,
	[YAML_TYPE_BOOL] = read_bool,
	[YAML_TYPE_CHOICE] = read_choice,
};

int yaml_field_read(const struct yaml_reader *reader, const struct yaml_field *field,
		    const struct yaml_item *item, void *at)
{
	return field_readers[field->type](reader, field, item, at);
}
