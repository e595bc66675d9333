/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtual instrument on the network: SCPI over TCP on 127.0.0.1, several clients at a time. */
#ifndef COLDRIG_INSTRUMENT_H
#define COLDRIG_INSTRUMENT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "scpi.h"

#define INSTRUMENT_CLIENTS 8
#define INSTRUMENT_POLLFDS (1 + INSTRUMENT_CLIENTS)

struct instrument;

/* Listens on a free port. source is asked for each reading. Freed with instrument_free(). */
int instrument_new(scpi_source *source, void *context, struct instrument **out, struct err *err);
uint16_t instrument_port(const struct instrument *instrument);

/* A dead one still takes connections and commands, but says nothing: the nastier way to fail. */
void instrument_set_dead(struct instrument *instrument, bool dead);

/* An unplugged one has lost its connections, and closes each that is made. */
void instrument_set_unplugged(struct instrument *instrument, bool unplugged);

/* What to wait for; always INSTRUMENT_POLLFDS entries, unused ones with fd -1. Never blocks, and
 * neither does what follows. */
void instrument_pollfds(const struct instrument *instrument,
			struct pollfd fds[static INSTRUMENT_POLLFDS]);
void instrument_handle(struct instrument *instrument,
		       const struct pollfd fds[static INSTRUMENT_POLLFDS]);

void instrument_free(struct instrument *instrument);

#endif
