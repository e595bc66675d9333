/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What slots draw, from what the emulated hardware does: events in, watts out. Pure: every time is
 * an argument (CLOCK_MONOTONIC, never going back), no clock is read, nothing is global.
 *
 * P(t) = off_w                        the rail is really off
 *        d3hot_w                      else, every function is in D3
 *        busy_w                       else, activity within the last PHYSICS_BUSY_NS
 *        idle_w                       else
 *      + inrush_w * exp(-(t - t_on) / inrush_tau)      the rail is on, since t_on
 *
 * and each reading adds Gaussian noise of noise_w. docs/virtual-lab.md has the prose.
 */
#ifndef COLDRIG_PHYSICS_H
#define COLDRIG_PHYSICS_H

#include <stdbool.h>
#include <stdint.h>

#include "lab.h"

#define PHYSICS_BUSY_NS INT64_C(20000000)

struct physics;

enum physics_what {
	PHYSICS_RAIL,	/* value: 1 on, 0 off, as it really is */
	PHYSICS_DSTATE, /* value: the most awake of the slot's functions, 0 to 3 */
	PHYSICS_FAULT /* value: enum lab_fault_kind, in force from now on; slot 0 if it has none */
};

/* One change of what is real. */
struct physics_change {
	int64_t t_ns;
	unsigned slot; /* device number */
	enum physics_what what;
	int value;
};

/* Called from within the functions below, which it must not call. */
typedef void physics_observer(const struct physics_change *change, void *context);

/*
 * Power-on at t_ns: all rails on, all functions in D0, faults of cycle 0 in force; all of which the
 * observer (may be NULL) is told. virt outlives the physics. NULL when out of memory.
 */
struct physics *physics_new(const struct lab_virtual *virt, int64_t t_ns,
			    physics_observer *observer, void *context);
void physics_free(struct physics *physics);

/* ACPI switches a rail. Slots that the lab does not have are passed over, here and below. */
void physics_rail(struct physics *physics, unsigned device, bool on, int64_t t_ns);

/* The guest wrote a D-state, 0 to 3, to a function. */
void physics_dstate(struct physics *physics, unsigned device, unsigned function, unsigned dstate,
		    int64_t t_ns);

/* A driver works with the slot's device. */
void physics_activity(struct physics *physics, unsigned device, int64_t t_ns);

/* Cycle n of the arm begins. */
void physics_cycle(struct physics *physics, unsigned n, int64_t t_ns);

/* The machine was reset: switches back on, functions in D0. */
void physics_reset(struct physics *physics, int64_t t_ns);

/* The machine is gone, and its supplies with it. */
void physics_power_off(struct physics *physics, int64_t t_ns);

/* It is back, as after a reset. */
void physics_power_on(struct physics *physics, int64_t t_ns);

/* What a slot draws, without noise. 0 for a slot that is not there. Here and below t_ns may lie in the
 * past: some seconds of it are remembered. */
double physics_power_w(const struct physics *physics, unsigned device, int64_t t_ns);

/* The same as a meter reads it. Each reading takes the next value of the slot's noise. */
double physics_read_w(struct physics *physics, unsigned device, int64_t t_ns);

bool physics_rail_is_on(const struct physics *physics, unsigned device);

/* What ACPI last asked for, whatever is so. */
bool physics_is_switched_on(const struct physics *physics, unsigned device);

/* Was the slot without its card at power-on? Then nothing in it draws power. */
bool physics_is_empty(const struct physics *physics, unsigned device);

/* Is a fault of this kind in force on the slot? */
bool physics_slot_has_fault(const struct physics *physics, enum lab_fault_kind kind,
			    unsigned device);

/* Is a fault of this kind in force, on whatever slot? */
bool physics_has_fault(const struct physics *physics, enum lab_fault_kind kind);

#endif
