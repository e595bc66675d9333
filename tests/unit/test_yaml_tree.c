/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "yaml_tree.h"
#include "yaml_words.h"

static void check_place(struct yaml_place place, size_t line, size_t column)
{
	CU_ASSERT_EQUAL(place.line, line);
	CU_ASSERT_EQUAL(place.column, column);
}

static void keys_and_values_know_their_place(void)
{
	static const char text[] = "# words\n"
				   "a: one\n"
				   "list:\n"
				   "  - {b: \"two words\", c: 3}\n"
				   "  - four\n"
				   "\xc3\xbc: x\n"
				   "empty:\n";
	const struct yaml_item *item;
	struct yaml_tree *tree = NULL;

	CU_ASSERT_EQUAL_FATAL(yaml_tree_parse("t", text, &tree, NULL), 0);
	CU_ASSERT_EQUAL(tree->root.kind, YAML_TREE_MAP);
	CU_ASSERT_EQUAL(tree->root.items_n, 4);
	check_place(tree->root.place, 2, 1);

	item = yaml_tree_get(&tree->root, "a");
	CU_ASSERT_STRING_EQUAL(item->text, "one");
	check_place(item->key_place, 2, 1);
	check_place(item->place, 2, 4);

	item = yaml_tree_get(&tree->root, "list");
	CU_ASSERT_EQUAL(item->kind, YAML_TREE_LIST);
	CU_ASSERT_EQUAL_FATAL(item->items_n, 2);
	CU_ASSERT_STRING_EQUAL(item->items[1].text, "four");
	CU_ASSERT_PTR_NULL(item->items[1].key);
	check_place(item->items[1].place, 5, 5);
	item = yaml_tree_get(&item->items[0], "c");
	CU_ASSERT_STRING_EQUAL(item->text, "3");
	check_place(item->key_place, 4, 22);

	check_place(yaml_tree_get(&tree->root, "\xc3\xbc")->place, 6, 4);
	CU_ASSERT_STRING_EQUAL(yaml_tree_get(&tree->root, "empty")->text, "");
	CU_ASSERT_PTR_NULL(yaml_tree_get(&tree->root, "none"));
	CU_ASSERT_PTR_NULL(yaml_tree_get(item, "none"));
	yaml_tree_free(tree);
}

static void what_is_not_our_yaml_is_refused_with_its_place(void)
{
	static const struct {
		const char *text;
		const char *error;
	} rows[] = {
		{"", "t:1:1: the file is empty"},
		{"# only words\n", "t:2:1: the file is empty"},
		{"a: 1\nb: 2\na: 3\n", "t:3:1: key \"a\" given twice, first in line 1"},
		{"x: {a: 1, a: 2}\n", "t:1:11: key \"a\" given twice"},
		{"a: &x 1\n", "t:1:4: an alias or anchor"},
		{"a: &x [1]\n", "t:1:4: an alias or anchor"},
		{"a: &x {b: 1}\n", "t:1:4: an alias or anchor"},
		{"a: *x\n", "t:1:4: an alias or anchor"},
		{"&x a: 1\n", "t:1:1: an alias or anchor"},
		{"a: !!int 1\n", "t:1:4: a tag"},
		{"a: !x {b: 1}\n", "t:1:4: a tag"},
		{"a: 1\n---\nb: 2\n", "t:2:1: a second document"},
		{"a:\n\t- 1\n", "t:2:1: a tab"},
		{"a: 1 # \xc3\xbc\tx\n", "t:1:9: a tab"},
		{"a: [1, 2\nb: 3\n", "t:2:2: "},
		{"a: 'x\n", "found unexpected end of stream"},
		{"a: b: c\n", "t:1:5: mapping values are not allowed"},
		{"? [1, 2]\n: 3\n", "t:1:3: a key must be a word"},
		{"[1]: 3\n", "a key must be a word"},
		{": 3\n", "t:1:1: did not find expected key, while parsing a block mapping"},
		{"a: \"x\\0y\"\n", "t:1:4: a NUL character"},
		{"\"x\\0y\": 1\n", "t:1:1: a NUL character"},
		{"a: 1\nb: \xff\n", "t:2:4: "},
		{"a: 1\nb: \x01\n", "t:2:4: control characters are not allowed"},
		{"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n", "t:1:17: nested more than 16 deep"},
		{"a: @x\n", "t:1:4: "},
		{"%FOO\n", "t:1:"},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct yaml_tree *tree = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(yaml_tree_parse("t", rows[i].text, &tree, &err), -22);
		CU_ASSERT_PTR_NULL(tree);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].error));
		if (!strstr(err.text, rows[i].error))
			printf("\nrow %zu: %s\n", i, err.text);
	}
}

static void sixteen_deep_is_allowed(void)
{
	struct yaml_tree *tree = NULL;

	CU_ASSERT_EQUAL(yaml_tree_parse("t", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", &tree, NULL), 0);
	yaml_tree_free(tree);
	yaml_tree_free(NULL);
}

static void check_large(size_t size, const char *unit, const char *error)
{
	char *text = malloc(size + strlen(unit) + 1);
	struct yaml_tree *tree = NULL;
	struct err err = {""};
	size_t n = 0;

	while (n < size) {
		strcpy(text + n, unit);
		n += strlen(unit);
	}
	CU_ASSERT_EQUAL(yaml_tree_parse("t", text, &tree, &err), -22);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, error));
	if (!strstr(err.text, error))
		printf("\n%s\n", err.text);
	free(text);
}

static void what_is_too_large_is_refused_soon(void)
{
	check_large(YAML_TEXT_MAX + 1, "a", "t: larger than 1048576 bytes");
	check_large(YAML_TEXT_MAX - 8, "- 1\n", "t:1025:3: more than 1024 entries");
	check_large(YAML_TEXT_MAX - 8, "[", "t:1:17: nested more than 16 deep");
	check_large(YAML_TEXT_MAX - 8, "{a: ", "t:1:65: nested more than 16 deep");
	check_large(YAML_TEXT_MAX - 8, "a: \"", "t:1:");
}

static void quoting_keeps_terminals_safe(void)
{
	char out[YAML_TEXT_QUOTE_SIZE];

	CU_ASSERT_STRING_EQUAL(yaml_text_quote("plain", out), "\"plain\"");
	CU_ASSERT_STRING_EQUAL(yaml_text_quote("\x1b[31m\n", out), "\"?[31m?\"");
	CU_ASSERT_STRING_EQUAL(yaml_text_quote("", out), "\"\"");
	yaml_text_quote("0123456789012345678901234567890123456789012345678901234567890123456789",
			out);
	CU_ASSERT_STRING_EQUAL(out + strlen(out) - 5, "4...\"");
	/* Two-byte characters that do not end where the room ends. */
	yaml_text_quote("x\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
			"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
			"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
			"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
			out);
	CU_ASSERT_STRING_EQUAL(out + strlen(out) - 6, "\xc3\xbc...\"");
	CU_ASSERT(yaml_text_has_control("a\x7f"));
	CU_ASSERT(yaml_text_has_control("a\xc2\x9b"));
	CU_ASSERT(!yaml_text_has_control("\xc3\xbc \xc2\xb5s"));
}

static void slips_of_the_pen_are_found(void)
{
	static const char *const known[] = {"cycles", "devices", "dwell", "settle"};
	char hint[YAML_WORDS_SIZE];

	CU_ASSERT_STRING_EQUAL(yaml_words_nearest("dwel", known, 4), "dwell");
	CU_ASSERT_STRING_EQUAL(yaml_words_nearest("deviecs", known, 4), "devices");
	CU_ASSERT_PTR_NULL(yaml_words_nearest("colour", known, 4));
	CU_ASSERT_PTR_NULL(yaml_words_nearest("x", known, 0));
	CU_ASSERT_PTR_NULL(
		yaml_words_nearest("a-word-that-is-much-longer-than-all-words-of-ours", known, 4));
	CU_ASSERT_STRING_EQUAL(yaml_words_hint("dwel", known, 4, hint),
			       "; did you mean \"dwell\"? known: cycles, devices, dwell, settle");
	CU_ASSERT_STRING_EQUAL(yaml_words_hint("colour", known, 2, hint),
			       "; known: cycles, devices");
	CU_ASSERT_STRING_EQUAL(yaml_words_hint("colour", known, 0, hint), "");
}

static const struct unit_case cases[] = {
	{"keys and values know their place", keys_and_values_know_their_place},
	{"what is not our YAML is refused with its place",
	 what_is_not_our_yaml_is_refused_with_its_place},
	{"sixteen deep is allowed", sixteen_deep_is_allowed},
	{"what is too large is refused soon", what_is_too_large_is_refused_soon},
	{"quoting keeps terminals safe", quoting_keeps_terminals_safe},
	{"slips of the pen are found", slips_of_the_pen_are_found},
};

int main(void)
{
	return unit_run("yaml_tree", cases, UNIT_COUNT(cases));
}
