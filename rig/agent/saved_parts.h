/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a claim, for saved.c, which makes and restores it, and keep.c, which writes it down. */
#ifndef COLDRIG_SAVED_PARTS_H
#define COLDRIG_SAVED_PARTS_H

#include "device.h"
#include "saved.h"

#define SAVED_ATTRS 3

extern const char *const saved_attr_names[SAVED_ATTRS];

struct saved_node {
	struct bdf bdf;
	bool has[SAVED_ATTRS]; /* not every function has every attribute */
	char value[SAVED_ATTRS][DEVICE_TEXT_SIZE];
};

struct saved_function {
	struct saved_node node;
	char driver[DEVICE_TEXT_SIZE];	 /* "" without */
	char override[DEVICE_TEXT_SIZE]; /* "" without */
	long vfs;			 /* -1 without SR-IOV */
};

struct saved_claim {
	struct saved_function *functions;
	size_t functions_n;
	struct saved_node port;
	bool has_port;
};

#endif
