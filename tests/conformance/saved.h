/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state of everything that the suite changes outside of itself, as it was found. */
#ifndef CONFORMANCE_SAVED_H
#define CONFORMANCE_SAVED_H

#include <stdbool.h>

#include "device.h"
#include "sysfs.h"

#define SAVED_MAX 64

struct saved_function {
	char bdf[BDF_SIZE];
	int group; /* -1: a port, of which only d3cold_allowed is changed */
	bool leave;
	char driver[SYSFS_TEXT_SIZE], driver_override[SYSFS_TEXT_SIZE];
	char control[SYSFS_TEXT_SIZE], wakeup[SYSFS_TEXT_SIZE];
	char d3cold_allowed[SYSFS_TEXT_SIZE];
};

struct saved {
	struct saved_function at[SAVED_MAX];
	size_t n;
	char idle, sriov; /* module parameters */
};

/* Adds the functions of a device and the ports above it, each once. False when there are too many.
 */
bool saved_add(struct saved *saved, const struct device *device);

void saved_add_params(struct saved *saved);

bool saved_has(const struct saved *saved, const char *bdf);

/* A group that something stuck in the kernel holds: touching its functions would hang too. */
void saved_leave_group(struct saved *saved, int group);

/*
 * Puts everything back, saying on stdout, as diagnostic lines, what could not be. Returns how much
 * that was.
 */
unsigned saved_restore(const struct saved *saved);

#endif
