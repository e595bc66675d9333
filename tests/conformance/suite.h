/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tests one after the other, each on the device found for its role. */
#ifndef CONFORMANCE_SUITE_H
#define CONFORMANCE_SUITE_H

#include "options.h"

/* Name, role and what it proves of each test chosen, with tabs between. */
void suite_list(const struct options *options);

/* Finds, saves, runs, restores. The program's exit status. */
int suite_run(const struct options *options);

#endif
