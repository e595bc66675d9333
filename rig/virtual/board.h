/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The emulated board: which card is made of what, and where it sits. Pure. */
#ifndef COLDRIG_BOARD_H
#define COLDRIG_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "lab.h"

#define BOARD_FUNCTIONS_MAX 8
#define BOARD_ACTIVITY_MAX  2
#define BOARD_RAIL_PORT	    0x7a0 /* where the ACPI tables write 0x80 | (device << 1) | on */

struct board_card {
	unsigned functions;	    /* of the slot's device; VFs do not count */
	const char *const *options; /* of the emulator, up to a NULL; '@' stands for the slot */
	/* Trace events that tell that a driver works with it. */
	const char *activity[BOARD_ACTIVITY_MAX]; /* up to a NULL, or all */
	const char *looked; /* trace event that tells that its registers are read; may be NULL */
};

const struct board_card *board_card(enum lab_card card);

/* What a byte that ACPI wrote to BOARD_RAIL_PORT says; false if it is none. No such byte begins a
 * line of text, be it ASCII or UTF-8. */
bool board_rail_byte(unsigned char byte, unsigned *device, bool *on);

/* NULL where no slot has the number. */
const struct lab_slot *board_slot(const struct lab_virtual *virt, unsigned device);

/*
 * The bus below a slot's root port: firmware numbers buses in the order of the ports, and a kernel
 * keeps its numbers. -ENODEV for a slot that is not there.
 */
int board_bus(const struct lab_virtual *virt, unsigned device, uint8_t *bus);

/* The slot on a bus, NULL for any other bus. */
const struct lab_slot *board_slot_on_bus(const struct lab_virtual *virt, unsigned bus);

#endif
