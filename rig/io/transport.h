/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A byte stream to an agent, from a lab file's transport:
 *
 *   exec:COMMAND   a shell command whose stdin and stdout are the agent's ("exec:ssh root@box
 *                  coldrig-agent"); its stderr stays the controller's
 *   unix:PATH      a stream socket
 *   tcp:HOST:PORT  a TCP connection; there is no protection: for a lab's own wire only
 *   serial:PATH    a terminal device, set raw at 115200 8N1 and restored afterwards
 *
 * File descriptors are non-blocking.
 */
#ifndef COLDRIG_TRANSPORT_H
#define COLDRIG_TRANSPORT_H

#include <stdbool.h>

#include "err.h"

struct transport;

/* Does this begin with a known kind? For checking lab files. "virtual" is not a transport. */
bool transport_is_known(const char *spec);

int transport_open(const char *spec, struct transport **out, struct err *err);

/* Wraps a stream that somebody else owns and closes. */
int transport_wrap(int fd, bool is_serial, struct transport **out);

int transport_read_fd(const struct transport *transport);
int transport_write_fd(const struct transport *transport);

/* Bytes of something else (boot messages) may come before the first frame. */
bool transport_is_serial(const struct transport *transport);

/* Sends a break, of at least 0.25 s. -ENOTTY where it is no serial line. */
int transport_break(const struct transport *transport);

/* Closes; a command gets EOF, then 2 s, then SIGKILL. */
void transport_close(struct transport *transport);

#endif
