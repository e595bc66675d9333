/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the lab's process, for server.c, which listens, and server_faults.c, which hurts. */
#ifndef COLDRIG_SERVER_PARTS_H
#define COLDRIG_SERVER_PARTS_H

#include "emulator.h"
#include "forbidden.h"
#include "labmeter.h"
#include "linebuf.h"
#include "physics.h"
#include "relay.h"
#include "server.h"
#include "truth.h"

#define TOUCHES_MAX (2 * FORBIDDEN_SLOTS_MAX)
#define ORDERS_MAX  8

/* What the emulator's monitor was asked last. */
enum asked { ASKED_NOTHING, ASKED_HELLO, ASKED_DEBUGGER, ASKED_ORDER, ASKED_TOUCH };

struct server {
	const struct vlab_options *options;
	const struct lab_virtual *virt;
	int control;
	const struct server_lines *lines;
	bool leaving;
	enum asked asked;
	bool greeted;			/* the monitor takes commands */
	enum server_word awaited;	/* to be said once all orders are carried out; 0: nothing */
	const char *orders[ORDERS_MAX]; /* commands that are due */
	size_t orders_n;
	bool given[LAB_FAULT_COUNT];   /* in this cycle */
	uint64_t touches[TOUCHES_MAX]; /* physical addresses, to be read by touch-while-off */
	size_t touches_n;
	uint32_t touched; /* in this cycle: a bit for each slot */
	uint32_t dark;	  /* slots that answer nothing: wake-fails */
	int64_t whole_ns; /* when the agent's line is whole again; 0: it is */
	struct forbidden forbidden;
	unsigned told;			/* accesses, since the cycle or a sync began */
	struct forbidden_access untold; /* the rest of them; times is 0 if there is none */
	int64_t now_ns;			/* of the event that is being handled */
	unsigned cycle;
	struct truth truth;
	struct physics *physics;
	struct labmeter meter;
	struct emulator emulator;
	struct relay relay; /* of the agent's line, where the lab may cut it */
	struct linebuf trace_lines, qmp_lines;
	char words[EMULATOR_WORDS_SIZE]; /* the emulator's last that were no trace */
};

/* Has the lab a fault of this kind, in whatever cycle? */
bool server_may_have(const struct server *s, enum lab_fault_kind kind);

/* Does any of its faults need the debugger's port? */
bool server_needs_debugger(const struct server *s);

/* Has the monitor carry a command out, after those that are due already. */
void server_order(struct server *s, const char *command);

/* Puts the faults of the present cycle into force, those of one moment once. */
void server_hurt(struct server *s);

/* ACPI has switched a slot's rail. */
void server_rail_switched(struct server *s, unsigned device);

/* A line of the trace that tells of an access to config space. */
void server_config_traced(struct server *s, const char *line);

/* The machine was reset: what was done to it is gone. */
void server_machine_reset(struct server *s);

/* What is due at a moment; and when that is, 0 for never. */
void server_tick(struct server *s);
int64_t server_next_tick_ns(const struct server *s);

#endif
