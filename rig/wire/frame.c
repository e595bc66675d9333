/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "frame.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "pack.h"

static const uint8_t magic[3] = {'C', 'R', 'G'};

static void put_le32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_le32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

void frame_header(const void *payload, uint32_t length, uint8_t header[static FRAME_HEADER_SIZE])
{
	memcpy(header, magic, sizeof(magic));
	header[3] = FRAME_VERSION;
	put_le32(header + 4, length);
	put_le32(header + 8, pack_crc32(payload, length));
}

/* Drops the frame handed out last; what follows it moves to the front. */
static void drop(struct frame_reader *reader, size_t n)
{
	reader->used -= n;
	memmove(reader->buffer, reader->buffer + n, reader->used);
}

static void drop_taken(struct frame_reader *reader)
{
	if (reader->taken) {
		/* The byte behind the payload was overwritten by a NUL and is kept in the last byte. */
		reader->buffer[reader->taken] = reader->buffer[reader->size - 1];
		drop(reader, reader->taken);
		reader->taken = 0;
	}
}

int frame_reader_feed(struct frame_reader *reader, const void *bytes, size_t n)
{
	size_t want;

	drop_taken(reader);
	want = reader->used + n + 2; /* a NUL behind a payload, and the byte that it hides */
	if (want > reader->size) {
		uint8_t *grown = realloc(reader->buffer, want * 2);

		if (!grown)
			return -ENOMEM;
		reader->buffer = grown;
		reader->size = want * 2;
	}
	memcpy(reader->buffer + reader->used, bytes, n);
	reader->used += n;
	return 0;
}

/* 1 and the length if a whole frame stands at the front, 0 if it may yet come, else why not. */
static int look(const struct frame_reader *reader, uint32_t *length)
{
	const uint8_t *b = reader->buffer;
	size_t n = reader->used < sizeof(magic) ? reader->used : sizeof(magic);

	if (n && memcmp(b, magic, n) != 0)
		return -EPROTO;
	if (reader->used > 3 && b[3] != FRAME_VERSION)
		return -EPROTONOSUPPORT;
	if (reader->used < FRAME_HEADER_SIZE)
		return 0;
	*length = get_le32(b + 4);
	if (*length > FRAME_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (reader->used < FRAME_HEADER_SIZE + (size_t)*length)
		return 0;
	if (pack_crc32(b + FRAME_HEADER_SIZE, *length) != get_le32(b + 8))
		return -EBADMSG;
	return 1;
}

int frame_reader_next(struct frame_reader *reader, const char **payload, size_t *length)
{
	uint32_t n = 0;
	int r;

	drop_taken(reader);
	while ((r = look(reader, &n)) < 0 && reader->hunt && reader->used) {
		/* On to the next byte that may begin a frame. */
		const uint8_t *c = reader->used > 1
					   ? memchr(reader->buffer + 1, magic[0], reader->used - 1)
					   : NULL;
		size_t skip = c ? (size_t)(c - reader->buffer) : reader->used;

		drop(reader, skip);
		reader->skipped += skip;
	}
	if (r <= 0)
		return r;
	reader->taken = FRAME_HEADER_SIZE + (size_t)n;
	reader->buffer[reader->size - 1] = reader->buffer[reader->taken];
	reader->buffer[reader->taken] = 0;
	*payload = (const char *)reader->buffer + FRAME_HEADER_SIZE;
	*length = n;
	return 1;
}

size_t frame_reader_pending(const struct frame_reader *reader)
{
	return reader->used - reader->taken;
}

void frame_reader_free(struct frame_reader *reader)
{
	free(reader->buffer);
	*reader = (struct frame_reader){0};
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Waits until fd takes bytes; -ETIMEDOUT past the deadline. */
static int wait_writable(int fd, int64_t deadline_ns)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int64_t left_ms = (deadline_ns - now_ns() + 999999) / 1000000;
	int r;

	if (left_ms <= 0)
		return -ETIMEDOUT;
	r = poll(&p, 1, left_ms > 1000 ? 1000 : (int)left_ms);
	return r < 0 && errno != EINTR ? -errno : 0;
}

int frame_write(int fd, const char *payload, size_t length, int64_t limit_ns)
{
	int64_t deadline_ns = now_ns() + limit_ns;
	uint8_t header[FRAME_HEADER_SIZE];
	struct iovec iov[2] = {{header, sizeof(header)}, {(void *)(uintptr_t)payload, length}};
	struct iovec *at = iov;

	if (length > FRAME_PAYLOAD_MAX)
		return -EMSGSIZE;
	frame_header(payload, (uint32_t)length, header);
	while (at < iov + 2) {
		ssize_t n = writev(fd, at, (int)(iov + 2 - at));
		int r;

		if (n < 0 && errno == EAGAIN) {
			r = wait_writable(fd, deadline_ns);
			if (r < 0)
				return r;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; at < iov + 2 && (size_t)n >= at->iov_len; at++)
			n -= (ssize_t)at->iov_len;
		if (at < iov + 2) {
			at->iov_base = (char *)at->iov_base + n;
			at->iov_len -= (size_t)n;
		}
	}
	return 0;
}
