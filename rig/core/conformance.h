/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a conformance suite found on the kernel of one arm, gathered line by line. Pure. */
#ifndef COLDRIG_CONFORMANCE_H
#define COLDRIG_CONFORMANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "ktap.h"

struct conformance_test {
	char name[KTAP_NAME_SIZE];
	enum ktap_outcome outcome;
	char why[KTAP_TEXT_SIZE]; /* "" for one that passed */
};

/* Zeroed is a suite that was not run; freed with conformance_free(). */
struct conformance {
	bool begun;
	bool ended;		  /* all that it has to say was said, and it ended by itself */
	size_t planned;		  /* 0: it did not say */
	char why[KTAP_TEXT_SIZE]; /* begun, but not complete: the reason, "" while it runs */
	struct conformance_test *tests;
	size_t tests_n;
	char note[KTAP_TEXT_SIZE]; /* of those above the next result, the first of its name */
};

/* Begins anew: what an interrupted try had found is dropped. */
void conformance_begin(struct conformance *c);

/* Takes the next line of KTAP. -ENOMEM. */
int conformance_take(struct conformance *c, const char *line);

/* The suite's exit status as a shell has it, or -1 with the reason why there is none. */
void conformance_end(struct conformance *c, int status, const char *why);

/* Ended, with a result for every test that was planned? */
bool conformance_is_complete(const struct conformance *c);

size_t conformance_count(const struct conformance *c, enum ktap_outcome outcome);

/* NULL if it has no result. */
const struct conformance_test *conformance_find(const struct conformance *c, const char *name);

void conformance_free(struct conformance *c);

#endif
