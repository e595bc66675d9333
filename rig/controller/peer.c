/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"

#define SEND_LIMIT_NS 3000000000

static const char ended[] = "the agent ended the connection";

void peer_init(struct peer *peer, struct transport *transport)
{
	*peer = (struct peer){.transport = transport};
	peer->reader.hunt = transport_is_serial(transport);
}

void peer_end(struct peer *peer)
{
	frame_reader_free(&peer->reader);
	peer->transport = NULL;
}

/* An agent that takes nothing any more may have said why, or half of it, before it ended. */
static int last_words(struct peer *peer, struct err *err)
{
	struct msg *unasked;
	size_t before;
	int r, said;

	do {
		before = peer->reader.used;
		r = peer_receive(peer, err);
	} while (r == 0 && peer->reader.used > before);
	said = peer_next(peer, &unasked, err);
	if (said > 0)
		msg_free(unasked);
	if (said < 0)
		return said;
	return r < 0 ? r : err_set(err, -EPIPE, "%s", ended);
}

int64_t peer_send(struct peer *peer, struct msg *request, struct err *err)
{
	char *text;
	int r;

	msg_set_int(request, "id", ++peer->last_id);
	text = msg_dump(request);
	msg_free(request);
	r = frame_write(transport_write_fd(peer->transport), text, strlen(text), SEND_LIMIT_NS);
	free(text);
	if (r == -ETIMEDOUT)
		return err_set(err, r, "the agent takes nothing any more");
	if (r < 0)
		return last_words(peer, err);
	peer->last_sent_ns = journal_now_ns();
	return peer->last_id;
}

void peer_expect_frames(struct peer *peer)
{
	peer->reader.hunt = false;
}

int peer_receive(struct peer *peer, struct err *err)
{
	char bytes[65536];
	ssize_t n = read(transport_read_fd(peer->transport), bytes, sizeof(bytes));

	if (n > 0)
		return frame_reader_feed(&peer->reader, bytes, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != EIO && errno != ECONNRESET)
		return err_set(err, -EPIPE, "cannot read from the agent: %s", strerror(errno));
	if (frame_reader_pending(&peer->reader))
		return err_set(err, -EPIPE,
			       "the agent ended in the middle of a frame (%zu bytes of it came)",
			       frame_reader_pending(&peer->reader));
	return err_set(err, -EPIPE, "%s", ended);
}

/* What came instead of a frame, fit for a message. */
static void quote(const struct frame_reader *reader, char *out, size_t size)
{
	size_t n = reader->used < 24 ? reader->used : 24, at = 0;

	for (size_t i = 0; i < n && at + 5 < size; i++) {
		unsigned char c = reader->buffer[i];

		at += (size_t)snprintf(out + at, size - at,
				       isprint(c) && c != '"' ? "%c" : "\\x%02x", c);
	}
	out[at] = 0;
}

int peer_next(struct peer *peer, struct msg **out, struct err *err)
{
	const char *payload;
	char quoted[128];
	struct err why = {""};
	size_t length;
	int r = frame_reader_next(&peer->reader, &payload, &length);

	if (r == 0)
		return 0;
	if (r < 0) {
		quote(&peer->reader, quoted, sizeof(quoted));
		return err_set(err, -EPROTO,
			       "the agent sent something that is not a frame (%s): \"%s\"",
			       r == -EBADMSG	       ? "wrong checksum"
			       : r == -EMSGSIZE	       ? "too long"
			       : r == -EPROTONOSUPPORT ? "another version of the protocol"
						       : "wrong magic",
			       quoted);
	}
	r = msg_parse(payload, length, out, &why);
	if (r < 0)
		return err_set(err, -EPROTO, "the agent sent a frame that is no message: %s",
			       why.text);
	return 1;
}
