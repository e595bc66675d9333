/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One key of a mapping: its row in a table, and how its value is read if that is one word. */
#ifndef COLDRIG_YAML_FIELD_H
#define COLDRIG_YAML_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "yaml_tree.h"

enum yaml_type {
	YAML_TYPE_STRING,   /* char *: one line, not empty, no control characters */
	YAML_TYPE_NAME,	    /* char *: letters, digits, . _ -; good as a part of a file's name */
	YAML_TYPE_BDF,	    /* char [BDF_TEXT_SIZE], in the kernel's form */
	YAML_TYPE_DURATION, /* int64_t, ns */
	YAML_TYPE_POWER,    /* double, W */
	YAML_TYPE_VOLTAGE,  /* double, V */
	YAML_TYPE_CURRENT,  /* double, A */
	YAML_TYPE_RATE,	    /* double, Hz */
	YAML_TYPE_PERCENT,  /* double, a fraction */
	YAML_TYPE_MEMORY,   /* unsigned, MiB, within [min, max] */
	YAML_TYPE_COUNT,    /* unsigned, within [min, max] */
	YAML_TYPE_SEED,	    /* uint64_t, any */
	YAML_TYPE_REAL,	    /* double, not 0 */
	YAML_TYPE_BOOL,	    /* bool: true or false */
	YAML_TYPE_CHOICE,   /* an enum or int: the index of the word */
	YAML_TYPE_MAP,	    /* a struct of the field's schema */
	YAML_TYPE_LIST,	    /* a pointer to, and a count of, structs of the field's schema */
	YAML_TYPE_CUSTOM,   /* whatever read() makes of it */
	YAML_TYPE_COUNT_OF_TYPES
};

#define YAML_REQUIRED 1u
#define YAML_ZERO_OK  2u /* a quantity may be 0; negative it never is */
#define YAML_UNIQUE   4u /* no two structs of the same list have the same text here */

#define YAML_LIST_MAX 256 /* entries, where the field sets no max */

struct yaml_schema;

/* What every function here is handed through. */
struct yaml_reader {
	const char *path; /* for messages */
	void *user;	  /* the loader's own */
	struct err *err;
};

/* The words of YAML_TYPE_CHOICE: name(0) to name(n - 1). */
struct yaml_words {
	const char *(*name)(int i);
	int n;
};

struct yaml_field {
	const char *key; /* NULL ends a table */
	enum yaml_type type;
	unsigned flags;
	size_t offset;	     /* in the object */
	size_t count_offset; /* YAML_TYPE_LIST: of the size_t */
	unsigned min, max;   /* of a count or memory; YAML_TYPE_LIST: of the number of entries */
	const char *also;    /* YAML_TYPE_NAME: further characters, not at the start; may be NULL */
	const struct yaml_words *words;	  /* YAML_TYPE_CHOICE */
	const struct yaml_schema *schema; /* YAML_TYPE_MAP, YAML_TYPE_LIST */
	/* YAML_TYPE_CUSTOM */
	int (*read)(const struct yaml_reader *reader, const struct yaml_item *item, void *object);
};

/*
 * Reads a value of any type but YAML_TYPE_MAP, _LIST and _CUSTOM to at, which is the object plus
 * the field's offset. -EINVAL with place, -ENOMEM; at is untouched then.
 */
int yaml_field_read(const struct yaml_reader *reader, const struct yaml_field *field,
		    const struct yaml_item *item, void *at);

/* "PATH:LINE:COLUMN: KEY: "TEXT": WORDS", key and text where the item has them. -EINVAL. */
int yaml_field_error(const struct yaml_reader *reader, const struct yaml_item *item,
		     const char *format, ...) __attribute__((format(printf, 3, 4)));

/* For read(): the scalar types one at a time. */
int yaml_field_string(const struct yaml_reader *reader, const struct yaml_item *item, char **out);
int yaml_field_bdf(const struct yaml_reader *reader, const struct yaml_item *item,
		   char out[static BDF_TEXT_SIZE]);
int yaml_field_real(const struct yaml_reader *reader, const struct yaml_item *item, double *out);

/* -EINVAL with place unless the item is text and not empty. */
int yaml_field_want_text(const struct yaml_reader *reader, const struct yaml_item *item);

/* -EINVAL for an item whose text is none of the known words: the complaint (as in "no such meter"),
 * the word most likely meant, and all of them. */
int yaml_field_unknown(const struct yaml_reader *reader, const struct yaml_item *item,
		       const char *complaint, const char *const *known, size_t n);

/* -ENOMEM with words. */
int yaml_field_no_memory(const struct yaml_reader *reader);

#endif
