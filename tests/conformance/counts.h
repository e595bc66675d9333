/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel has in use, as often as it is sampled: objects of each of its slab caches, memory,
 * open files, interrupts.
 */
#ifndef CONFORMANCE_COUNTS_H
#define CONFORMANCE_COUNTS_H

#include <stddef.h>

#include "growth.h"
#include "slabs.h"

#define COUNTS_SAMPLES_MAX GROWTH_SAMPLES_MAX
#define COUNTS_MAX	   384
#define COUNTS_NAME_SIZE   40

struct count {
	char name[COUNTS_NAME_SIZE];
	const char *unit;
	double limit_per_cycle; /* growth beyond it is a leak */
	double at[COUNTS_SAMPLES_MAX];
	size_t samples_n; /* one that is not in all samples came or went meanwhile */
};

struct counts {
	struct count all[COUNTS_MAX];
	size_t n;
	double cycle[COUNTS_SAMPLES_MAX];
	size_t samples_n;
	struct slabs slabs;
};

/* Before the first sample, and before what may be lost. */
void counts_start(struct counts *counts);

/*
 * Lets go of what the kernel only keeps in case it is needed again (dentries, inodes, empty slabs),
 * so that what is left is in use, and counts. Takes a second or so. At most COUNTS_SAMPLES_MAX
 * times.
 */
void counts_sample(struct counts *counts, double cycle);

/*
 * Notes what grew most, and ends the test if anything grew beyond its limit; after five samples
 * or more.
 */
void counts_expect_no_growth(const struct counts *counts);

#endif
