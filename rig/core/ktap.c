/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ktap.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *after(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* "3 name # SKIP why", after ok or not ok; false if it is not that. */
static bool parse_result(const char *text, struct ktap_line *out)
{
	const char *directive, *rest;
	char *end;
	size_t n;

	if (strtoul(text, &end, 10) == 0 || *end != ' ')
		return false;
	text = end + strspn(end, " ");
	n = strcspn(text, " #");
	if (n == 0)
		return false;
	snprintf(out->name, sizeof(out->name), "%.*s", (int)n, text);
	directive = strchr(text + n, '#');
	if (!directive)
		return true;
	directive += 1 + strspn(directive + 1, " ");
	rest = after(directive, "SKIP");
	if (rest)
		out->outcome = KTAP_SKIP;
	else
		rest = directive; /* TIMEOUT, for one: a word that says something */
	snprintf(out->text, sizeof(out->text), "%s", rest + strspn(rest, " "));
	return true;
}

void ktap_parse(const char *line, struct ktap_line *out)
{
	const char *rest;
	char *end;

	*out = (struct ktap_line){.kind = KTAP_OTHER};
	if ((rest = after(line, "1.."))) {
		out->planned = strtoul(rest, &end, 10);
		out->kind = end > rest && !*end ? KTAP_PLAN : KTAP_OTHER;
	} else if ((rest = after(line, "# "))) {
		snprintf(out->text, sizeof(out->text), "%s", rest);
		out->kind = KTAP_NOTE;
	} else if ((rest = after(line, "Bail out!"))) {
		snprintf(out->text, sizeof(out->text), "%s", rest + strspn(rest, " "));
		out->kind = KTAP_BAILOUT;
	} else if ((rest = after(line, "ok ")) && parse_result(rest, out)) {
		out->kind = KTAP_RESULT;
	} else if ((rest = after(line, "not ok ")) && parse_result(rest, out)) {
		if (out->outcome == KTAP_PASS)
			out->outcome = KTAP_FAIL;
		out->kind = KTAP_RESULT;
	}
}

const char *ktap_outcome_name(enum ktap_outcome outcome)
{
	static const char *const names[] = {
		[KTAP_PASS] = "pass", [KTAP_FAIL] = "fail", [KTAP_SKIP] = "skip"};

	return names[outcome];
}
