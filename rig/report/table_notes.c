/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "table_notes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "incidents_report.h"

#define CYCLES_TOLD 5 /* by their numbers; the rest are counted */

struct note {
	char *where, *what;
	unsigned cycle; /* 0: not about one */
	bool is_told;
};

struct notes {
	struct note *items;
	size_t n, room;
};

static void add(struct notes *notes, unsigned cycle, char *where, char *what)
{
	if (notes->n == notes->room) {
		size_t room = notes->room ? 2 * notes->room : 16;
		struct note *grown = reallocarray(notes->items, room, sizeof(*grown));

		if (!grown)
			abort();
		notes->items = grown;
		notes->room = room;
	}
	notes->items[notes->n++] = (struct note){.where = where, .what = what, .cycle = cycle};
}

__attribute__((format(printf, 1, 2))) static char *text(const char *format, ...)
{
	va_list args;
	char *made;

	va_start(args, format);
	if (vasprintf(&made, format, args) < 0)
		abort();
	va_end(args);
	return made;
}

static void add_of_arms(const struct report *report, struct notes *notes)
{
	for (size_t i = 0; i < report->notes_n; i++)
		add(notes, 0, text("%s", report->plan->arms[report->notes[i].arm].name),
		    text("%s", report->notes[i].text));
}

static void add_of_cycle(const struct report *report, const struct outcome *o, const char *kind,
			 const char *said, struct notes *notes)
{
	add(notes, o->number,
	    text("%s, %s", report->plan->arms[o->arm].name,
		 scenario_get(report->plan->scenarios[o->scenario].id)->name),
	    text(" on %s: %s: %s", report->target->devices[o->device].bdf, kind, said));
}

static void add_of_consoles(const struct report *report, struct notes *notes)
{
	for (size_t i = 0; i < report->incidents->console_n; i++) {
		const struct incidents_console *c = &report->incidents->console[i];
		const struct outcome *o = incidents_find_outcome(report, c->cycle);

		if (o)
			add_of_cycle(report, o, "console", c->event.text, notes);
		else
			add(notes, 0, text("%s", report->plan->arms[c->arm].name),
			    text("console: %s", c->event.text));
	}
}

/* Is this the first outcome that tells of this device being unfit for this scenario? */
static bool is_first_skip(const struct report *report, size_t index)
{
	const struct outcome *o = &report->outcomes[index];

	for (size_t i = 0; i < index; i++) {
		const struct outcome *earlier = &report->outcomes[i];

		if (earlier->skipped && earlier->device == o->device &&
		    earlier->scenario == o->scenario)
			return false;
	}
	return true;
}

static void add_of_outcomes(const struct report *report, struct notes *notes)
{
	for (size_t i = 0; i < report->outcomes_n; i++) {
		const struct outcome *o = &report->outcomes[i];

		if (o->skipped && is_first_skip(report, i))
			add(notes, 0,
			    text("%s skipped on %s",
				 scenario_get(report->plan->scenarios[o->scenario].id)->name,
				 report->target->devices[o->device].bdf),
			    text("%s", o->why));
		else if (!o->skipped && o->why[0])
			add_of_cycle(report, o, verdict_name(o->verdict), o->why, notes);
	}
}

static bool is_same(const struct note *a, const struct note *b)
{
	return !a->cycle == !b->cycle && strcmp(a->where, b->where) == 0 &&
	       strcmp(a->what, b->what) == 0;
}

/* "cycle 2", "cycles 2, 4 and 6", "cycles 1, 2, 3, 4, 5 and 70 more" */
static void print_cycles(const struct note *const *same, size_t n, FILE *out)
{
	size_t told = n <= CYCLES_TOLD + 1 ? n : CYCLES_TOLD;

	fprintf(out, " cycle%s %u", n > 1 ? "s" : "", same[0]->cycle);
	for (size_t i = 1; i < told; i++)
		fprintf(out, "%s%u", i == n - 1 ? " and " : ", ", same[i]->cycle);
	if (told < n)
		fprintf(out, " and %zu more", n - told);
}

static void print_same(const struct note *const *same, size_t n, FILE *out)
{
	fprintf(out, "  %s", same[0]->where);
	if (same[0]->cycle) {
		print_cycles(same, n, out);
		fprintf(out, "%s\n", same[0]->what);
	} else if (n > 1) {
		fprintf(out, ": %s (%zu times)\n", same[0]->what, n);
	} else {
		fprintf(out, ": %s\n", same[0]->what);
	}
}

/* The note of this index with all later ones that say the same. */
static void print_from(struct notes *notes, size_t index, const struct note **same, FILE *out)
{
	size_t n = 0;

	for (size_t i = index; i < notes->n; i++) {
		struct note *note = &notes->items[i];

		if (note->is_told || !is_same(note, &notes->items[index]))
			continue;
		note->is_told = true;
		same[n++] = note;
	}
	if (n)
		print_same(same, n, out);
}

void table_notes_print(const struct report *report, FILE *out)
{
	struct notes notes = {0};
	const struct note **same;

	add_of_arms(report, &notes);
	add_of_consoles(report, &notes);
	add_of_outcomes(report, &notes);
	if (notes.n == 0)
		return;
	same = calloc(notes.n, sizeof(const struct note *));
	if (!same)
		abort();
	fputs("\nNotes\n", out);
	for (size_t i = 0; i < notes.n; i++)
		print_from(&notes, i, same, out);
	for (size_t i = 0; i < notes.n; i++) {
		free(notes.items[i].where);
		free(notes.items[i].what);
	}
	free(same);
	free(notes.items);
}
