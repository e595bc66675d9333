/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A serial line at a TCP port of 127.0.0.1, for one client at a time: a newer one takes the place
 * of the one before. What comes from the line is passed on in whole lines, as libsigrok needs it
 * over TCP, where it takes a part for all.
 */
#ifndef COLDRIG_LINEPORT_H
#define COLDRIG_LINEPORT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct lineport;

#define LINEPORT_POLLFDS 3

/* serial_fd, a socket that does not block, belongs to the lineport. Freed with lineport_free(). */
int lineport_new(int serial_fd, struct lineport **out, struct err *err);
void lineport_free(struct lineport *port);

uint16_t lineport_tcp_port(const struct lineport *port);

/* While dead it takes connections and bytes, and passes none on. Unplugged, it closes each
 * connection that is made. */
void lineport_set_faults(struct lineport *port, bool dead, bool unplugged);

/* Ends all connections, and takes no more. */
void lineport_hang_up(struct lineport *port);

void lineport_pollfds(const struct lineport *port, struct pollfd fds[static LINEPORT_POLLFDS]);

/* What the client has sent stays where it is until lineport_take(). */
void lineport_handle(struct lineport *port, const struct pollfd fds[static LINEPORT_POLLFDS]);

/* Has the client sent something that was not taken yet? */
bool lineport_is_asked(const struct lineport *port);

/* Hands what the client has sent to the line. */
void lineport_take(struct lineport *port);

#endif
