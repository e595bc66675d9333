/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A YAML text as a tree in which every key and value knows its place. A strict part of YAML: one
 * document, no anchors, aliases, tags or tabs, no key twice, keys are plain words, bounded depth.
 * Nothing is guessed about types: every scalar is text.
 */
#ifndef COLDRIG_YAML_TREE_H
#define COLDRIG_YAML_TREE_H

#include <stddef.h>

#include "err.h"
#include "yaml_text.h"

#define YAML_TREE_DEPTH_MAX   16
#define YAML_TREE_ENTRIES_MAX 1024 /* of one mapping or list */

enum yaml_tree_kind { YAML_TREE_TEXT, YAML_TREE_LIST, YAML_TREE_MAP };

struct yaml_item {
	enum yaml_tree_kind kind;
	struct yaml_place place;     /* of the value */
	struct yaml_place key_place; /* the value's own place where there is no key */
	char *key;		     /* NULL unless in a mapping */
	char *text;		     /* of YAML_TREE_TEXT, "" for none; else NULL */
	struct yaml_item *items;     /* of a list or mapping, in the file's order */
	size_t items_n;
};

struct yaml_tree {
	struct yaml_item root;
};

/*
 * -EINVAL with "PATH:LINE:COLUMN: what: why" for a text that is not such YAML; path is for messages
 * only. Freed with yaml_tree_free().
 */
int yaml_tree_parse(const char *path, const char *text, struct yaml_tree **out, struct err *err);

/* The value of a key; NULL if map is no mapping or has no such key. Belongs to the tree. */
const struct yaml_item *yaml_tree_get(const struct yaml_item *map, const char *key);

void yaml_tree_free(struct yaml_tree *tree);

#endif
