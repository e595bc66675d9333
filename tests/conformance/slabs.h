/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Objects in use of each slab cache of the kernel, to the object. Of a slab that a CPU keeps for
 * itself the kernel counts all objects as in use; so what CPUs keep is taken from them first. And
 * all that this needs is opened before: to open a file takes objects, and a whole slab with each.
 */
#ifndef CONFORMANCE_SLABS_H
#define CONFORMANCE_SLABS_H

#include <stddef.h>

#define SLABS_MAX 384

struct slabs {
	int shrink[SLABS_MAX]; /* an attribute of each cache */
	size_t n;
	int info; /* -1 when the kernel counts no objects: then none are */
};

/* As root. Ends the test when the files cannot be opened. They are closed when the process ends. */
void slabs_open(struct slabs *slabs);

/* Takes from each cache the slabs that it only keeps in case they are needed. */
void slabs_shrink(const struct slabs *slabs);

/* Calls each() with the name of each cache and how many of its objects are in use. */
void slabs_count(const struct slabs *slabs,
		 void (*each)(void *context, const char *name, double objects), void *context);

#endif
