/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a YAML tree into structs, driven by tables: one row per key, one table per mapping. Every
 * complaint has its place. Fields are read in the order of the table, whatever the order of the
 * file, so that a later one may refer to an earlier one.
 */
#ifndef COLDRIG_YAML_SCHEMA_H
#define COLDRIG_YAML_SCHEMA_H

#include <stddef.h>

#include "yaml_field.h"
#include "yaml_tree.h"

/* Where a field is in its struct; of a list, and the count of it that is beside it. */
#define YAML_AT(type, member) .offset = offsetof(struct type, member)
#define YAML_LIST_AT(type, member)                                                                 \
	YAML_AT(type, member), .count_offset = offsetof(struct type, member##_n)

struct yaml_schema {
	const char *what; /* "a scenario" */
	size_t size;	  /* of the object */
	const struct yaml_field *fields;
	/* Defaults of an object of a list, which is all zero before; may be NULL. */
	void (*init)(const struct yaml_reader *reader, void *object);
	/* What no single field can tell; after all fields; may be NULL. */
	int (*check)(const struct yaml_reader *reader, const struct yaml_item *map, void *object);
};

/*
 * Fills object, whose memory is the caller's and whose defaults stand in it already. Strings and
 * lists are allocated and belong to the object at once: after a failure as after success it is the
 * caller that frees them; what was not reached is as it was. -EINVAL with place, -ENOMEM.
 */
int yaml_schema_read(const struct yaml_reader *reader, const struct yaml_schema *schema,
		     const struct yaml_item *map, void *object);

#endif
