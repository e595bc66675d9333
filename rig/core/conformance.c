/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conformance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conformance_free(struct conformance *c)
{
	free(c->tests);
	*c = (struct conformance){0};
}

void conformance_begin(struct conformance *c)
{
	conformance_free(c);
	c->begun = true;
}

/* The note "NAME: why" that stands above a result tells why it failed. */
static const char *reason(const struct conformance *c, const struct ktap_line *line)
{
	size_t n = strlen(line->name);

	if (line->text[0])
		return line->text;
	if (strncmp(c->note, line->name, n) == 0 && strncmp(c->note + n, ": ", 2) == 0)
		return c->note + n + 2;
	return "";
}

static int add(struct conformance *c, const struct ktap_line *line)
{
	struct conformance_test *grown = realloc(c->tests, (c->tests_n + 1) * sizeof(*grown));
	struct conformance_test *test;

	if (!grown)
		return -ENOMEM;
	c->tests = grown;
	test = &c->tests[c->tests_n++];
	*test = (struct conformance_test){.outcome = line->outcome};
	memcpy(test->name, line->name, sizeof(test->name));
	if (line->outcome != KTAP_PASS)
		snprintf(test->why, sizeof(test->why), "%s", reason(c, line));
	c->note[0] = '\0';
	return 0;
}

/* The first of several notes of one name is the reason, the others tell what was seen on the way. */
static void keep_note(struct conformance *c, const char *note)
{
	size_t n = strcspn(note, ":");

	if (strncmp(c->note, note, n) != 0 || c->note[n] != ':')
		snprintf(c->note, sizeof(c->note), "%s", note);
}

int conformance_take(struct conformance *c, const char *text)
{
	struct ktap_line line;

	ktap_parse(text, &line);
	if (line.kind == KTAP_RESULT)
		return add(c, &line);
	if (line.kind == KTAP_PLAN)
		c->planned = line.planned;
	else if (line.kind == KTAP_NOTE)
		keep_note(c, line.text);
	else if (line.kind == KTAP_BAILOUT)
		memcpy(c->why, line.text, sizeof(c->why));
	return 0;
}

void conformance_end(struct conformance *c, int status, const char *why)
{
	c->ended = status == 0 || status == 1;
	if (why)
		snprintf(c->why, sizeof(c->why), "%s", why);
	else if (!c->ended && !c->why[0])
		snprintf(c->why, sizeof(c->why), "it ended with status %d", status);
	else if (c->ended && c->tests_n < c->planned && !c->why[0])
		snprintf(c->why, sizeof(c->why), "%zu of %zu tests have a result", c->tests_n,
			 c->planned);
}

bool conformance_is_complete(const struct conformance *c)
{
	return c->ended && c->planned && c->tests_n == c->planned;
}

size_t conformance_count(const struct conformance *c, enum ktap_outcome outcome)
{
	size_t n = 0;

	for (size_t i = 0; i < c->tests_n; i++)
		n += c->tests[i].outcome == outcome;
	return n;
}

const struct conformance_test *conformance_find(const struct conformance *c, const char *name)
{
	for (size_t i = 0; i < c->tests_n; i++) {
		if (strcmp(c->tests[i].name, name) == 0)
			return &c->tests[i];
	}
	return NULL;
}
