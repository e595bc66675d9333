/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds accesses to a device whose rail is off, that is between _OFF and _ON, in what the emulator
 * writes to its stderr. Pure.
 *
 * The order is the emulator's own: the byte that _ON or _OFF writes and the line of an access go
 * through one pipe, each written before the guest's instruction ends (qemu.c). Whatever lies on the
 * slot's bus counts, virtual functions and empty places too: all of it is behind a dead link.
 *
 * Memory: a function in D3 decodes none, so an access to it ends in the window of its port and is
 * told as an invalid one; a function in D0 is told by its card's own trace events. The latter name
 * no slot: they count if all slots with such a card are off. Accesses to I/O ports are not seen.
 */
#ifndef COLDRIG_FORBIDDEN_H
#define COLDRIG_FORBIDDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "bdf.h"
#include "lab.h"

enum forbidden_kind {
	FORBIDDEN_CONFIG_READ,
	FORBIDDEN_CONFIG_WRITE,
	FORBIDDEN_MEMORY_READ,
	FORBIDDEN_MEMORY_WRITE,
	FORBIDDEN_KIND_COUNT
};

struct forbidden_access {
	int64_t t_ns;	  /* CLOCK_MONOTONIC, when it was read; 0 until somebody sets it */
	unsigned slot;	  /* device number */
	unsigned times;	  /* 1; more where several are told as one */
	struct bdf which; /* the function, or the first of the slot where the trace names none */
	enum forbidden_kind kind;
	uint64_t address; /* offset into config space; physical; 0 if the trace tells none */
};

#define FORBIDDEN_SLOTS_MAX 8

struct forbidden {
	const struct lab_virtual *virt; /* outlives this */
	uint32_t ecam;			/* where config space is mapped; 0: not yet */
	struct forbidden_slot {
		bool off;
		uint16_t base, limit;		  /* the port's registers: memory window */
		uint16_t fetch_base, fetch_limit; /* prefetchable window */
		uint32_t fetch_base_high, fetch_limit_high;
	} slots[FORBIDDEN_SLOTS_MAX]; /* as in virt */
};

const char *forbidden_kind_name(enum forbidden_kind kind); /* "config-read", ... */

/* Power-on: all rails are on. */
void forbidden_init(struct forbidden *forbidden, const struct lab_virtual *virt);

/* Takes the rail bytes at the head of a line; returns the rest. */
char *forbidden_take_rails(struct forbidden *forbidden, char *line);

/* Takes the rest of the line; true and *out if it tells of a forbidden access. */
bool forbidden_take(struct forbidden *forbidden, const char *line, struct forbidden_access *out);

/* Physical addresses of a slot's first function: config space, and the first byte of its port's
 * memory window. False while the firmware has not set them. */
bool forbidden_addresses(const struct forbidden *forbidden, unsigned device, uint64_t *config,
			 uint64_t *memory);

#endif
