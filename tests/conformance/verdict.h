/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a test says. A test runs in a child process; fail(), skip() and a check() that does not hold
 * end that process, and the kernel closes what it had open. What lies outside of the process (VFs,
 * bindings, attributes) is put right by baseline() before the next test, and by the keeper.
 */
#ifndef CONFORMANCE_VERDICT_H
#define CONFORMANCE_VERDICT_H

#include <stdbool.h>

enum outcome {
	OUTCOME_NONE, /* nothing said: killed, or crashed */
	OUTCOME_PASS,
	OUTCOME_FAIL,
	OUTCOME_SKIP,
};

/* Lives in memory shared with the parent, so that it is there after a crash too. */
struct verdict {
	enum outcome outcome;
	char reason[256];
	char notes[4096]; /* lines */
};

/* To be called once in the child, before anything else of this file. */
void verdict_use(struct verdict *verdict);

_Noreturn void pass(void);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A diagnostic line, shown above the result. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
