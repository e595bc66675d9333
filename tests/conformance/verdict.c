/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct verdict *said;

void verdict_use(struct verdict *verdict)
{
	said = verdict;
}

static _Noreturn void end(enum outcome outcome, const char *format, va_list ap)
{
	vsnprintf(said->reason, sizeof(said->reason), format, ap);
	said->outcome = outcome;
	_exit(0);
}

void pass(void)
{
	said->outcome = OUTCOME_PASS;
	_exit(0);
}

void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	end(OUTCOME_FAIL, format, ap);
}

void skip(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	end(OUTCOME_SKIP, format, ap);
}

void check(bool holds, const char *format, ...)
{
	va_list ap;

	if (holds)
		return;
	va_start(ap, format);
	end(OUTCOME_FAIL, format, ap);
}

void note(const char *format, ...)
{
	size_t n = strlen(said->notes), left = sizeof(said->notes) - n;
	va_list ap;
	int added;

	va_start(ap, format);
	added = vsnprintf(said->notes + n, left, format, ap);
	va_end(ap);
	if (added > 0 && (size_t)added + 1 < left)
		strcat(said->notes, "\n");
}
