/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ktap.h"

#include <stdio.h>
#include <string.h>

void ktap_plan(size_t tests)
{
	printf("KTAP version 1\n1..%zu\n", tests);
	fflush(stdout);
}

void ktap_note(const char *name, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		printf("# %s: %.*s\n", name, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void say_pass(struct ktap *ktap, const char *name)
{
	ktap->passed++;
	printf("ok %zu %s\n", ktap->number, name);
}

static void say_skip(struct ktap *ktap, const char *name, const char *reason)
{
	ktap->skipped++;
	printf("ok %zu %s # SKIP %s\n", ktap->number, name, reason);
}

static void say_fail(struct ktap *ktap, const char *name, const char *reason, bool timeout)
{
	ktap->failed++;
	ktap_note(name, reason);
	printf("not ok %zu %s%s\n", ktap->number, name, timeout ? " # TIMEOUT" : "");
}

void ktap_result(struct ktap *ktap, const char *name, const struct child_result *result)
{
	ktap->number++;
	ktap_note(name, result->verdict.notes);
	if (result->timeout)
		say_fail(ktap, name, result->verdict.reason, true);
	else if (result->verdict.outcome == OUTCOME_PASS)
		say_pass(ktap, name);
	else if (result->verdict.outcome == OUTCOME_SKIP)
		say_skip(ktap, name, result->verdict.reason);
	else
		say_fail(ktap, name, result->verdict.reason, false);
	fflush(stdout);
}

void ktap_end(const struct ktap *ktap)
{
	printf("# Totals: pass:%zu fail:%zu xfail:0 xpass:0 skip:%zu error:0\n", ktap->passed,
	       ktap->failed, ktap->skipped);
	fflush(stdout);
}

void ktap_bail(const char *why)
{
	printf("Bail out! %s\n", why);
	fflush(stdout);
}
