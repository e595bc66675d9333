/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The controller's end of a conversation with an agent (wire/protocol.h): frames in, messages out.
 * It never waits; rig.h does. */
#ifndef COLDRIG_PEER_H
#define COLDRIG_PEER_H

#include <stdint.h>

#include "err.h"
#include "frame.h"
#include "msg.h"
#include "transport.h"

struct peer {
	struct transport *transport; /* borrowed */
	struct frame_reader reader;
	int64_t last_id;
	int64_t last_sent_ns; /* CLOCK_MONOTONIC */
};

/* On a serial line whatever came before the first frame is skipped. */
void peer_init(struct peer *peer, struct transport *transport);
void peer_end(struct peer *peer);

/* Sends a request with the next id, which is returned; takes the request over. -EPIPE: the agent is
 * gone; -ETIMEDOUT: it takes nothing any more. */
int64_t peer_send(struct peer *peer, struct msg *request, struct err *err);

/* From the first answer on, anything but a frame is an error. */
void peer_expect_frames(struct peer *peer);

/* Reads what has come. -EPIPE at the end of the stream, with what was left unfinished. */
int peer_receive(struct peer *peer, struct err *err);

/* The next message: 1 and *out (freed with msg_free()), 0 if none is complete. -EPROTO with the
 * first bytes of what came instead of a frame. */
int peer_next(struct peer *peer, struct msg **out, struct err *err);

#endif
