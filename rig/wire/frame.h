/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames: how messages travel between controller and agent over any byte stream. docs/wire.md.
 *
 *   bytes 0-2   "CRG"
 *   byte  3     FRAME_VERSION
 *   bytes 4-7   payload length, little-endian, at most FRAME_PAYLOAD_MAX
 *   bytes 8-11  CRC-32 (zlib's) of the payload, little-endian
 *   then the payload: one JSON object in UTF-8
 *
 * A reader may be told to hunt: it then skips bytes until a whole valid frame begins, as is needed
 * on a serial line that carried boot messages. Without it, anything but a frame is an error.
 */
#ifndef COLDRIG_FRAME_H
#define COLDRIG_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_VERSION	  1
#define FRAME_HEADER_SIZE 12
#define FRAME_PAYLOAD_MAX (1u << 20)

/* Writes the header for a payload. */
void frame_header(const void *payload, uint32_t length, uint8_t header[static FRAME_HEADER_SIZE]);

/* Collects bytes into frames. Zero-initialised is empty; frame_reader_free() releases the buffer. */
struct frame_reader {
	uint8_t *buffer;
	size_t used, size;
	size_t taken; /* bytes of the frame handed out last */
	bool hunt;
	size_t skipped; /* bytes thrown away while hunting */
};

/* Appends bytes as they came. -ENOMEM. */
int frame_reader_feed(struct frame_reader *reader, const void *bytes, size_t n);

/*
 * The next whole frame: 1 with *payload (NUL-terminated, valid until the next call on this reader)
 * and *length; 0 if more bytes are needed; -EPROTO if the bytes are not a frame, -EPROTONOSUPPORT
 * for another version, -EBADMSG for a wrong checksum, -EMSGSIZE for a length over the limit. While
 * hunting these errors skip on instead.
 */
int frame_reader_next(struct frame_reader *reader, const char **payload, size_t *length);

/* Bytes of an unfinished frame that are waiting. */
size_t frame_reader_pending(const struct frame_reader *reader);

void frame_reader_free(struct frame_reader *reader);

/* Writes one whole frame to a file descriptor, within limit_ns. -EPIPE, -ETIMEDOUT, -errno. */
int frame_write(int fd, const char *payload, size_t length, int64_t limit_ns);

#endif
