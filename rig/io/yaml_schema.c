/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yaml_schema.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "yaml_words.h"

#define KEYS_MAX 32 /* of one schema */

static const struct yaml_item *same_before(const struct yaml_item *list, size_t n, const char *key)
{
	const struct yaml_item *item = yaml_tree_get(&list->items[n], key), *other;

	for (size_t i = 0; item && i < n; i++) {
		other = yaml_tree_get(&list->items[i], key);
		/* Without case: BDFs are the same then, and so are names to some file systems. */
		if (other && strcasecmp(item->text, other->text) == 0)
			return other;
	}
	return NULL;
}

static int check_unique(const struct yaml_reader *reader, const struct yaml_schema *schema,
			const struct yaml_item *list, size_t n)
{
	const struct yaml_item *first;

	for (const struct yaml_field *field = schema->fields; field->key; field++) {
		first = field->flags & YAML_UNIQUE ? same_before(list, n, field->key) : NULL;
		if (first)
			return yaml_field_error(reader, yaml_tree_get(&list->items[n], field->key),
						"given twice, first in line %zu",
						first->place.line);
	}
	return 0;
}

static int read_elements(const struct yaml_reader *reader, const struct yaml_schema *schema,
			 const struct yaml_item *list, char *elements)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < list->items_n; i++) {
		void *element = elements + i * schema->size;

		if (schema->init)
			schema->init(reader, element);
		ret = yaml_schema_read(reader, schema, &list->items[i], element);
		if (!ret)
			ret = check_unique(reader, schema, list, i);
	}
	return ret;
}

static int read_list(const struct yaml_reader *reader, const struct yaml_field *field,
		     const struct yaml_item *item, void *object)
{
	const size_t max = field->max ? field->max : YAML_LIST_MAX;
	void *elements;

	if (item->kind == YAML_TREE_TEXT && !*item->text)
		return yaml_field_error(reader, item, "a value is missing");
	if (item->kind != YAML_TREE_LIST)
		return yaml_field_error(reader, item, "must be a list");
	if (item->items_n < field->min || item->items_n > max)
		return yaml_field_error(reader, item, "must have %u to %zu entries, not %zu",
					field->min, max, item->items_n);
	if (!item->items_n)
		return 0;
	elements = calloc(item->items_n, field->schema->size);
	if (!elements)
		return yaml_field_no_memory(reader);
	/* Hung in before it is filled, so that the owner frees it if that fails. */
	memcpy((char *)object + field->offset, &elements, sizeof(elements));
	memcpy((char *)object + field->count_offset, &item->items_n, sizeof(item->items_n));
	return read_elements(reader, field->schema, item, elements);
}

static int read_field(const struct yaml_reader *reader, const struct yaml_field *field,
		      const struct yaml_item *item, void *object)
{
	void *at = (char *)object + field->offset;

	switch (field->type) {
	case YAML_TYPE_CUSTOM:
		return field->read(reader, item, object);
	case YAML_TYPE_LIST:
		return read_list(reader, field, item, object);
	case YAML_TYPE_MAP:
		return yaml_schema_read(reader, field->schema, item, at);
	default:
		return yaml_field_read(reader, field, item, at);
	}
}

static size_t list_keys(const struct yaml_schema *schema, const char *known[static KEYS_MAX])
{
	size_t n = 0;

	while (n < KEYS_MAX && schema->fields[n].key) {
		known[n] = schema->fields[n].key;
		n++;
	}
	return n;
}

static int check_key(const struct yaml_reader *reader, const struct yaml_schema *schema,
		     const struct yaml_item *item)
{
	char hint[YAML_WORDS_SIZE], quoted[YAML_TEXT_QUOTE_SIZE];
	const char *known[KEYS_MAX];
	const size_t n = list_keys(schema, known);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(item->key, known[i]) == 0)
			return 0;
	}
	return yaml_text_error(reader->path, item->key_place, reader->err, "unknown key %s in %s%s",
			       yaml_text_quote(item->key, quoted), schema->what,
			       yaml_words_hint(item->key, known, n, hint));
}

static int check_keys(const struct yaml_reader *reader, const struct yaml_schema *schema,
		      const struct yaml_item *map)
{
	const struct yaml_field *field;
	int ret = 0;

	for (size_t i = 0; !ret && i < map->items_n; i++)
		ret = check_key(reader, schema, &map->items[i]);
	if (ret)
		return ret;
	for (field = schema->fields; field->key; field++) {
		if ((field->flags & YAML_REQUIRED) && !yaml_tree_get(map, field->key))
			return yaml_text_error(reader->path, map->place, reader->err,
					       "missing key \"%s\" in %s", field->key,
					       schema->what);
	}
	return 0;
}

int yaml_schema_read(const struct yaml_reader *reader, const struct yaml_schema *schema,
		     const struct yaml_item *map, void *object)
{
	const struct yaml_item *item;
	int ret;

	if (map->kind != YAML_TREE_MAP)
		return yaml_field_error(reader, map, "%s is a mapping of keys to values",
					schema->what);
	ret = check_keys(reader, schema, map);
	for (const struct yaml_field *field = schema->fields; !ret && field->key; field++) {
		item = yaml_tree_get(map, field->key);
		if (item)
			ret = read_field(reader, field, item, object);
	}
	if (!ret && schema->check)
		ret = schema->check(reader, map, object);
	return ret;
}
