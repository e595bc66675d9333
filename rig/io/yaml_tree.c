/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "yaml_tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

struct builder {
	yaml_parser_t parser;
	const char *path;
	const char *text;
	struct err *err;
};

static const char alias_words[] = "an alias or anchor: write it out in each place";
static const char tag_words[] = "a tag: types follow from the keys here";

static struct yaml_place place_of(yaml_mark_t mark)
{
	return (struct yaml_place){mark.line + 1, mark.column + 1};
}

static int no_memory(struct builder *b)
{
	return err_set(b->err, -ENOMEM, "%s: %s", b->path, strerror(ENOMEM));
}

static int parser_error(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	const char *problem = p->problem ? p->problem : "this is no YAML";

	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(b);
	if (p->error == YAML_READER_ERROR)
		return yaml_text_error(b->path, yaml_text_place(b->text, p->problem_offset), b->err,
				       "%s", problem);
	if (p->context)
		return yaml_text_error(b->path, place_of(p->problem_mark), b->err,
				       "%s, %s that begins at %zu:%zu", problem, p->context,
				       p->context_mark.line + 1, p->context_mark.column + 1);
	return yaml_text_error(b->path, place_of(p->problem_mark), b->err, "%s", problem);
}

/* What no event of ours may have. */
static int check_event(struct builder *b, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		anchor = event->data.alias.anchor;
		break;
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor || tag)
		return yaml_text_error(b->path, place_of(event->start_mark), b->err, "%s",
				       anchor ? alias_words : tag_words);
	return 0;
}

/* On success the event is deleted by the caller, on failure there is none. */
static int next_event(struct builder *b, yaml_event_t *event)
{
	int ret;

	if (!yaml_parser_parse(&b->parser, event))
		return parser_error(b);
	ret = check_event(b, event);
	if (ret)
		yaml_event_delete(event);
	return ret;
}

static int expect_event(struct builder *b, yaml_event_type_t type, const char *words)
{
	yaml_event_t event;
	int ret = next_event(b, &event);

	if (ret)
		return ret;
	if (event.type != type)
		ret = yaml_text_error(b->path, place_of(event.start_mark), b->err, "%s", words);
	yaml_event_delete(&event);
	return ret;
}

static int take_text(struct builder *b, const yaml_event_t *event, char **out)
{
	const char *value = (const char *)event->data.scalar.value;

	if (strlen(value) != event->data.scalar.length)
		return yaml_text_error(b->path, place_of(event->start_mark), b->err,
				       "a NUL character");
	*out = strdup(value);
	return *out ? 0 : no_memory(b);
}

static int take_key(struct builder *b, const struct yaml_item *map, const yaml_event_t *event,
		    struct yaml_item *item)
{
	const struct yaml_item *first;
	char quoted[YAML_TEXT_QUOTE_SIZE];
	int ret;

	item->key_place = place_of(event->start_mark);
	if (event->type != YAML_SCALAR_EVENT || event->data.scalar.length == 0)
		return yaml_text_error(b->path, item->key_place, b->err, "a key must be a word");
	ret = take_text(b, event, &item->key);
	if (ret)
		return ret;
	/* The new item is not counted in map yet. */
	first = yaml_tree_get(map, item->key);
	if (first)
		return yaml_text_error(b->path, item->key_place, b->err,
				       "key %s given twice, first in line %zu",
				       yaml_text_quote(item->key, quoted), first->key_place.line);
	return 0;
}

static void free_item(struct yaml_item *item)
{
	for (size_t i = 0; i < item->items_n; i++)
		free_item(&item->items[i]);
	free(item->items);
	free(item->key);
	free(item->text);
}

/* Makes room for one more, and clears it; it counts when the caller raises items_n. */
static int grow(struct builder *b, struct yaml_item *parent, struct yaml_place place)
{
	const size_t n = parent->items_n;
	struct yaml_item *items;

	if (n == YAML_TREE_ENTRIES_MAX)
		return yaml_text_error(b->path, place, b->err, "more than %d entries",
				       YAML_TREE_ENTRIES_MAX);
	/* A power of two is where the last room ended. */
	if ((n & (n - 1)) == 0) {
		items = realloc(parent->items, (n ? 2 * n : 1) * sizeof(*items));
		if (!items)
			return no_memory(b);
		parent->items = items;
	}
	memset(&parent->items[n], 0, sizeof(parent->items[n]));
	return 0;
}

static int build_value(struct builder *b, const yaml_event_t *event, int depth,
		       struct yaml_item *item);

/* One entry, of which event is the first: the key in a mapping, the value in a list. */
static int build_entry(struct builder *b, const yaml_event_t *event, int depth,
		       struct yaml_item *parent)
{
	struct yaml_item item = {0};
	yaml_event_t value;
	int ret;

	ret = grow(b, parent, place_of(event->start_mark));
	if (ret)
		return ret;
	if (parent->kind == YAML_TREE_LIST) {
		ret = build_value(b, event, depth + 1, &item);
	} else {
		ret = take_key(b, parent, event, &item);
		if (!ret)
			ret = next_event(b, &value);
		if (!ret) {
			ret = build_value(b, &value, depth + 1, &item);
			yaml_event_delete(&value);
		}
	}
	/* Counted on failure too: so it is freed with the tree. */
	parent->items[parent->items_n++] = item;
	return ret;
}

static int build_entries(struct builder *b, yaml_event_type_t end, int depth,
			 struct yaml_item *parent)
{
	yaml_event_t event;
	bool ended = false;
	int ret = 0;

	if (depth == YAML_TREE_DEPTH_MAX)
		return yaml_text_error(b->path, parent->place, b->err, "nested more than %d deep",
				       YAML_TREE_DEPTH_MAX);
	while (!ret && !ended) {
		ret = next_event(b, &event);
		if (ret)
			break;
		ended = event.type == end;
		if (!ended)
			ret = build_entry(b, &event, depth, parent);
		yaml_event_delete(&event);
	}
	return ret;
}

static int build_value(struct builder *b, const yaml_event_t *event, int depth,
		       struct yaml_item *item)
{
	item->place = place_of(event->start_mark);
	if (!item->key)
		item->key_place = item->place;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		item->kind = YAML_TREE_TEXT;
		return take_text(b, event, &item->text);
	case YAML_SEQUENCE_START_EVENT:
		item->kind = YAML_TREE_LIST;
		return build_entries(b, YAML_SEQUENCE_END_EVENT, depth, item);
	case YAML_MAPPING_START_EVENT:
		item->kind = YAML_TREE_MAP;
		return build_entries(b, YAML_MAPPING_END_EVENT, depth, item);
	default:
		return yaml_text_error(b->path, item->place, b->err, "a value is missing");
	}
}

static int build_document(struct builder *b, struct yaml_tree *tree)
{
	yaml_event_t event;
	int ret;

	ret = expect_event(b, YAML_STREAM_START_EVENT, "this is no YAML");
	if (!ret)
		ret = expect_event(b, YAML_DOCUMENT_START_EVENT, "the file is empty");
	if (!ret)
		ret = next_event(b, &event);
	if (ret)
		return ret;
	ret = build_value(b, &event, 0, &tree->root);
	yaml_event_delete(&event);
	if (!ret)
		ret = expect_event(b, YAML_DOCUMENT_END_EVENT, "the document does not end here");
	if (!ret)
		ret = expect_event(b, YAML_STREAM_END_EVENT, "a second document: one to a file");
	return ret;
}

int yaml_tree_parse(const char *path, const char *text, struct yaml_tree **out, struct err *err)
{
	struct builder b = {.path = path, .text = text, .err = err};
	struct yaml_tree *tree;
	int ret;

	ret = yaml_text_check(path, text, err);
	if (ret)
		return ret;
	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return no_memory(&b);
	if (!yaml_parser_initialize(&b.parser)) {
		free(tree);
		return no_memory(&b);
	}
	/* Else it guesses UTF-16 from the first bytes. */
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, strlen(text));
	ret = build_document(&b, tree);
	yaml_parser_delete(&b.parser);
	if (ret) {
		yaml_tree_free(tree);
		return ret;
	}
	*out = tree;
	return 0;
}

const struct yaml_item *yaml_tree_get(const struct yaml_item *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_TREE_MAP && i < map->items_n; i++) {
		if (strcmp(map->items[i].key, key) == 0)
			return &map->items[i];
	}
	return NULL;
}

void yaml_tree_free(struct yaml_tree *tree)
{
	if (!tree)
		return;
	free_item(&tree->root);
	free(tree);
}
