/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the emulator's trace lines say about the slots. Pure. */
#ifndef COLDRIG_HWTRACE_H
#define COLDRIG_HWTRACE_H

#include "board.h"
#include "lab.h"

enum hwtrace_kind {
	HWTRACE_NONE,	/* no trace line: the emulator has something to say */
	HWTRACE_PASSED, /* a trace line that means nothing here: a VF, a root port, config space */
	HWTRACE_DSTATE, /* the guest wrote a D-state to a function */
	HWTRACE_ACTIVITY, /* a driver works with a card */
	HWTRACE_LOOKED	  /* a driver reads a card's registers */
};

struct hwtrace_event {
	enum hwtrace_kind kind;
	unsigned slot, function, dstate; /* HWTRACE_DSTATE */
	enum lab_card
		card; /* of the last two: the line names no slot, so all with this card count */
};

#define HWTRACE_NAMES_MAX (3 + LAB_CARD_COUNT * (BOARD_ACTIVITY_MAX + 1))

/* The trace events to ask of the emulator for this lab; returns how many. */
size_t hwtrace_names(const struct lab_virtual *virt, const char *names[static HWTRACE_NAMES_MAX]);

/* One line without its line feed. */
struct hwtrace_event hwtrace_parse(const struct lab_virtual *virt, const char *line);

#endif
