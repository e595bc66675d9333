/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void clear_line(struct progress *progress)
{
	if (progress->has_line)
		fputs("\r\033[K", stderr);
	progress->has_line = false;
}

void progress_init(struct progress *progress, size_t done, size_t total, bool is_quiet)
{
	*progress = (struct progress){
		.is_terminal = isatty(STDERR_FILENO) == 1,
		.is_quiet = is_quiet,
		.done = done,
		.total = total,
	};
}

void progress_say(struct progress *progress, const char *format, ...)
{
	va_list ap;

	if (progress->is_quiet)
		return;
	clear_line(progress);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void progress_step(struct progress *progress, const char *format, ...)
{
	va_list ap;

	if (progress->is_quiet || !progress->is_terminal)
		return;
	clear_line(progress);
	fprintf(stderr, "  %zu of %zu cycles  ", progress->done, progress->total);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fflush(stderr);
	progress->has_line = true;
}

/* Verdicts that a person wants to see at once: the witnesses disagree, or something broke. */
static bool is_remarkable(const struct outcome *o)
{
	return !o->skipped && (o->verdict == VERDICT_FALSE_CLAIM || o->verdict == VERDICT_SILENT ||
			       o->verdict == VERDICT_LOST || o->verdict == VERDICT_NO_EVIDENCE);
}

void progress_outcome(struct progress *progress, const struct plan *plan,
		      const struct lab_target *target, const struct outcome *outcome)
{
	progress->done++;
	if (!is_remarkable(outcome))
		return;
	progress_say(progress, "  %s %s cycle %u on %s: %s: %s%s%s", plan->arms[outcome->arm].name,
		     scenario_get(plan->scenarios[outcome->scenario].id)->name, outcome->number,
		     target->devices[outcome->device].bdf, verdict_name(outcome->verdict),
		     verdict_meaning(outcome->verdict), outcome->why[0] ? ": " : "", outcome->why);
}

void progress_end(struct progress *progress)
{
	clear_line(progress);
	fflush(stderr);
}
