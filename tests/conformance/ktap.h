/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernel TAP version 1, see Documentation/dev-tools/ktap.rst of the kernel. */
#ifndef CONFORMANCE_KTAP_H
#define CONFORMANCE_KTAP_H

#include <stddef.h>

#include "child.h"

struct ktap {
	size_t number, passed, failed, skipped;
};

void ktap_plan(size_t tests);

/* A line of its own for each line of text, above the result it belongs to. */
void ktap_note(const char *name, const char *text);

void ktap_result(struct ktap *ktap, const char *name, const struct child_result *result);

/* The sum, as a diagnostic line. */
void ktap_end(const struct ktap *ktap);

/* The suite cannot go on. */
void ktap_bail(const char *why);

#endif
