/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The same thing over and over: whether a usage count, memory, or the device itself is lost on the
 * way. Its tests are a table of their own, with names that begin with "e-".
 */
#ifndef CONFORMANCE_ENDURANCE_H
#define CONFORMANCE_ENDURANCE_H

#include "test.h"

#define ENDURANCE_MIN 6
#define ENDURANCE_MAX 100000

extern const struct test tests_endurance[];

/* How often each of them does it; before the first test. */
void endurance_set_cycles(unsigned cycles);

#endif
