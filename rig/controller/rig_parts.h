/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a rig, for its files: rig_up.c starts and ends it, rig_greet.c finds the agent, rig_hear.c takes in
 * what comes, rig_meters.c has the meters, rig.c asks.
 */
#ifndef COLDRIG_RIG_PARTS_H
#define COLDRIG_RIG_PARTS_H

#include <poll.h>

#include "meter_keep.h"
#include "peer.h"
#include "rig.h"
#include "tap.h"
#include "target_lines.h"
#include "transport.h"
#include "vlab.h"

#define MS_NS		 1000000LL
#define METER_SILENCE_NS (2000 * MS_NS)
#define PUMP_SLICE_NS	 (100 * MS_NS) /* the longest sleep: signals and the lab's end are noticed */

struct rig_meter {
	struct meter_keep *meter;
	bool is_lost;		    /* for now */
	bool is_over;		    /* it will not come back */
	size_t channels_n, known_n; /* asked for, and of those whose unit is known */
	int64_t last_t_ns;	    /* of its latest reading */
	struct meter_sample *buffer;
	size_t buffered;
};

struct rig {
	struct rig_options o;
	struct lab faulty; /* the lab with the plan's faults as well; for the vlab, freed with it */
	struct vlab *vlab;
	struct target_lines *lines; /* to its buttons and supply; NULL: nothing is wired */
	struct tap *tap;	    /* the target's console; NULL: it has none */
	struct transport *transport;
	struct peer peer;
	bool greeted; /* the agent has something to restore */
	bool reboots; /* a real target: it runs a kernel that its owner did not start */
	char *from_dir, *kexec_dir; /* of the cache, where a virtual target boots by kexec */
	struct msg *hello, *how;    /* as rig_hello() and rig_how() */
	bool is_lost;
	bool recovering;		 /* the target's silence is no news */
	bool is_deaf;			 /* the line is not listened to */
	int64_t heard_ns, beat_every_ns; /* of the agent; every 0: it sends no heartbeats */
	struct console_event panic;	 /* what the console said; text is "" while it said none */
	struct console_event asleep;	 /* the same of a device that did not wake */
	bool suite_ended;
	struct msg *devices;
	struct rig_meter *meters; /* as many as the lab has; meter is NULL where it is not used */
	int64_t next_flush_ns;
};

#define BUFFER_SAMPLES 4096

/* Opens the meters that the target's rails use. */
int rig_open_meters(struct rig *rig, struct err *err);

/* Takes in what a meter has sent. */
int rig_take_readings(struct rig *rig, size_t i, struct err *err);

/* Has every meter that works told the units of all of its channels? */
bool rig_meters_known(const struct rig *rig);

/* The longest of the lab's limits until a meter is ready; 0: none is said. */
int64_t rig_meters_start_ns(const struct rig *rig);

/* The descriptors of the meters, to be polled; of[] says whose each is. Returns how many. */
size_t rig_meter_fds(const struct rig *rig, struct pollfd fds[static LAB_METERS_MAX],
		     size_t of[static LAB_METERS_MAX]);

/* Puts what has been read into the run file. */
int rig_flush_meters(struct rig *rig, struct err *err);

/* Has every meter that works sent a reading of this time or later? */
bool rig_meters_reach(const struct rig *rig, int64_t t_ns);

/* The first greeting of an arm: over the line if it is open, else by connecting. *hello is the answer, a refusal
 * included. */
int rig_greet(struct rig *rig, struct msg **hello, struct err *err);

/* Sleeps until something comes, at most until a moment, and takes it in; *answer is the answer to
 * the request id, if that is among it. */
int rig_pump(struct rig *rig, int64_t until_ns, int64_t id, struct msg **answer, struct err *err);

/* Waits for the answer to a request that was sent. -ETIMEDOUT. */
int rig_await(struct rig *rig, int64_t id, int64_t deadline_ns, struct msg **answer,
	      struct err *err);

/* Sends a request and waits for its answer, refusals included. */
int rig_ask_within(struct rig *rig, struct msg *request, int64_t limit_ns, struct msg **answer,
		   struct err *err);

/* Remembers that the target is lost, if this code means that; returns it. */
int rig_note_lost(struct rig *rig, int r);

/* Takes in what the console has said. */
int rig_take_console(struct rig *rig, struct err *err);

void rig_set_interrupted(bool is);

#endif
