/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual lab's own process, and what it and the caller's process say to each other over a
 * SOCK_SEQPACKET socket, one struct per packet. Both ends are one binary, so nothing is versioned.
 */
#ifndef COLDRIG_SERVER_H
#define COLDRIG_SERVER_H

#include "vlab.h"

enum server_word {
	SERVER_NOTHING,
	/* to the lab */
	SERVER_CYCLE, /* number: the cycle that begins; answered with SERVER_DONE */
	SERVER_SYNC,  /* tell all that the target has done so far; answered with SERVER_SYNCED */
	SERVER_RESET, /* pulse the reset line; answered with SERVER_SWITCHED */
	SERVER_POWER, /* number: 1 on, 0 off; answered with SERVER_SWITCHED */
	SERVER_DOWN,  /* end the emulator, then yourself */
	/* from the lab */
	SERVER_READY, /* number: the instrument's TCP port; the emulator runs */
	SERVER_DONE,  /* number: the cycle whose faults are in force */
	SERVER_SYNCED,
	SERVER_SWITCHED,
	SERVER_FORBIDDEN, /* access */
	SERVER_FAILED	  /* number: errno, text: why; there is no emulator, or no more */
};

struct server_message {
	enum server_word word;
	int number;
	char text[sizeof(((struct err *)0)->text)];
	struct forbidden_access access;
};

/* The lab's ends of the target's lines. */
struct server_lines {
	int agent;
	int console;
	int console_in; /* the other end of the console, to type on it */
};

/* Runs the lab until the other end of control says so or goes away. Returns what the process should
 * exit with. */
int server_run(const struct vlab_options *options, int control, const struct server_lines *lines);

#endif
