/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The agent's life: waits for a hello, serves one controller after the other, and puts the machine
 * back on every way out: bye, end of the stream, silence, a signal, a new hello.
 */
#ifndef COLDRIG_SESSION_H
#define COLDRIG_SESSION_H

struct session_config {
	int in, out;
	const char *root;    /* before /sys, /proc and /dev; "" on a real target */
	const char *version; /* told to the controller */
};

/*
 * Returns when the controller has said bye or closed its end (not on a terminal, which waits for
 * the next hello): 0; 1 when it sent garbage or not everything could be restored; 128 + the number
 * of the signal that ended it. SIGINT, SIGTERM and SIGHUP are blocked, SIGPIPE is ignored from then
 * on.
 */
int session_run(const struct session_config *config);

#endif
