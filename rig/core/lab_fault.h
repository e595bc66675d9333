/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults of the virtual lab as data: which, where, and in which cycles. docs/virtual-lab.md. */
#ifndef COLDRIG_LAB_FAULT_H
#define COLDRIG_LAB_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lab_fault_kind {
	LAB_FAULT_RAIL_STUCK_ON,   /* ACPI switches the rail off, it stays on: the planted lie */
	LAB_FAULT_RAIL_CUT_EARLY,  /* the rail drops as soon as the device is in D3hot */
	LAB_FAULT_METER_DEAD,	   /* the instrument stops answering */
	LAB_FAULT_METER_UNPLUGGED, /* its connections break, and none can be made */
	LAB_FAULT_TARGET_HANG,	   /* the emulated machine stops */
	LAB_FAULT_TARGET_PANIC,	   /* its kernel panics */
	LAB_FAULT_SOFT_LOCKUP,	   /* all its CPUs spin in the kernel, interrupts on */
	LAB_FAULT_AGENT_KILLED,	   /* by SIGKILL, and started again */
	LAB_FAULT_TRANSPORT_CUT,   /* nothing passes either way for lasts_ns */
	LAB_FAULT_RESET_DEAD, /* the machine stops, and does not come back from a reset; power helps */
	LAB_FAULT_LINE_STUCK,	   /* the machine stops, and its reset line does nothing */
	LAB_FAULT_WAKE_FAILS,	   /* the device answers nothing once its rail is on again */
	LAB_FAULT_DEVICE_GONE,	   /* from the next power-on on the slot is empty */
	LAB_FAULT_TOUCH_WHILE_OFF, /* once a cycle somebody touches the device while its rail is off */
	LAB_FAULT_COUNT
};

#define LAB_FAULT_LASTS_NS INT64_C(6000000000) /* of a cut that does not say */

/* Cycles are counted over an arm from 1, in the order run; 0 is power-on. */
struct lab_fault {
	enum lab_fault_kind kind;
	unsigned slot; /* device number as in struct lab_slot; 0 where the kind has no slot */
	unsigned from_cycle;
	unsigned cycles; /* how many it is in force; 0: what lab_fault_cycles() says */
	unsigned every;	 /* and again each so many cycles; 0: not again */
	int64_t lasts_ns;
};

const char *lab_fault_name(enum lab_fault_kind kind);		 /* "rail-stuck-on", ... */
int lab_fault_parse(const char *name, enum lab_fault_kind *out); /* -EINVAL */

/* Is it of one slot? */
bool lab_fault_has_slot(enum lab_fault_kind kind);

/* Does it happen at one moment, so that it cannot be in force from power-on? */
bool lab_fault_is_event(enum lab_fault_kind kind);

/* How many cycles it lasts each time; 0: to the end of the arm. */
unsigned lab_fault_cycles(const struct lab_fault *fault);

bool lab_fault_is_in_force(const struct lab_fault *fault, unsigned cycle);

#endif
