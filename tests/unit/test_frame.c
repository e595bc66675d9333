/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frame.h"
#include "unit.h"

#define SECOND_NS 1000000000

/* Appends a whole frame to bytes; returns the new length. */
static size_t put(uint8_t *bytes, size_t at, const char *payload)
{
	size_t n = strlen(payload);

	frame_header(payload, (uint32_t)n, bytes + at);
	memcpy(bytes + at + FRAME_HEADER_SIZE, payload, n);
	return at + FRAME_HEADER_SIZE + n;
}

static void assert_next(struct frame_reader *reader, const char *payload)
{
	const char *got = "";
	size_t length = 0;

	CU_ASSERT_EQUAL_FATAL(frame_reader_next(reader, &got, &length), 1);
	CU_ASSERT_EQUAL(length, strlen(payload));
	CU_ASSERT_STRING_EQUAL(got, payload);
}

static int next_code(struct frame_reader *reader)
{
	const char *payload;
	size_t length;

	return frame_reader_next(reader, &payload, &length);
}

static void the_header_is_as_documented(void)
{
	uint8_t h[FRAME_HEADER_SIZE];

	frame_header("123456789", 9, h);
	/* CRC-32's check value. */
	CU_ASSERT_EQUAL(memcmp(h, "CRG\x01\x09\0\0\0\x26\x39\xf4\xcb", sizeof(h)), 0);
}

/* Reads what comes through a socket with a small buffer, in bits and pieces. */
static void a_large_and_an_empty_frame_come_through_a_socket(void)
{
	size_t n = FRAME_PAYLOAD_MAX, length = 0;
	char *large = malloc(n + 1), bytes[5000];
	struct frame_reader reader = {0};
	const char *payload = NULL;
	int fds[2], frames = 0;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	memset(large, 'x', n);
	large[n] = 0;
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0)
		_exit(frame_write(fds[1], large, n, 20LL * SECOND_NS) ||
		      frame_write(fds[1], "", 0, SECOND_NS));
	close(fds[1]);
	for (ssize_t got; (got = read(fds[0], bytes, sizeof(bytes))) > 0;) {
		CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes, (size_t)got), 0);
		while (frame_reader_next(&reader, &payload, &length) == 1) {
			CU_ASSERT_EQUAL(length, frames == 0 ? n : 0);
			CU_ASSERT_EQUAL(strcmp(payload, frames == 0 ? large : ""), 0);
			frames++;
		}
	}
	CU_ASSERT_EQUAL(frames, 2);
	waitpid(pid, NULL, 0);
	close(fds[0]);
	frame_reader_free(&reader);
	free(large);
}

static void frames_arrive_one_byte_at_a_time(void)
{
	struct frame_reader reader = {0};
	uint8_t bytes[200];
	size_t first = put(bytes, 0, "{\"a\":1}"), n = put(bytes, first, "{}");

	for (size_t i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes + i, 1), 0);
		if (i + 1 == first)
			assert_next(&reader, "{\"a\":1}");
		else if (i + 1 == n)
			assert_next(&reader, "{}");
		else
			CU_ASSERT_EQUAL(next_code(&reader), 0);
	}
	CU_ASSERT_EQUAL(frame_reader_pending(&reader), 0);
	frame_reader_free(&reader);
}

/* The NUL behind a payload hides the first byte of the next frame, which must come back. */
static void frames_that_come_together_are_all_intact(void)
{
	struct frame_reader reader = {0};
	uint8_t bytes[200];
	size_t n = put(bytes, 0, "one");

	n = put(bytes, n, "");
	n = put(bytes, n, "three");
	n = put(bytes, n, "four");
	/* The last byte comes while the first frame is handed out. */
	CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes, n - 1), 0);
	assert_next(&reader, "one");
	CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes + n - 1, 1), 0);
	assert_next(&reader, "");
	assert_next(&reader, "three");
	assert_next(&reader, "four");
	CU_ASSERT_EQUAL(next_code(&reader), 0);
	frame_reader_free(&reader);
}

static void bytes_that_are_no_frame_are_errors_without_hunting(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		int code;
	} rows[] = {
		{"C", 1, 0},
		{"x", 1, -EPROTO},
		{"CRX", 3, -EPROTO},
		{"CRG\x02", 4, -EPROTONOSUPPORT},
		{"CRG\x01\x01\x00\x10\x00____", 12, -EMSGSIZE},
		{"CRG\x01\xff\xff\xff\xff____", 12, -EMSGSIZE},
		{"CRG\x01\x00\x00\x10\x00____", 12, 0},
		{"CRG\x01\x02\x00\x00\x00____{}", 14, -EBADMSG},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct frame_reader reader = {0};

		CU_ASSERT_EQUAL(frame_reader_feed(&reader, rows[i].bytes, rows[i].n), 0);
		CU_ASSERT_EQUAL(next_code(&reader), rows[i].code);
		CU_ASSERT_EQUAL(next_code(&reader), rows[i].code);
		CU_ASSERT_EQUAL(reader.skipped, 0);
		frame_reader_free(&reader);
	}
}

static void every_flipped_bit_of_a_payload_is_noticed(void)
{
	uint8_t bytes[100];
	size_t n = put(bytes, 0, "{\"ok\":true}");

	for (size_t bit = 8 * 8; bit < 8 * n; bit++) {
		struct frame_reader reader = {0};

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes, n), 0);
		CU_ASSERT_EQUAL(next_code(&reader), -EBADMSG);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		frame_reader_free(&reader);
	}
}

static void hunting_finds_frames_between_boot_messages(void)
{
	static const char *const junk[] = {
		"",
		"[    0.1] Booting\r\n",
		"C",
		"CR",
		"CRG",
		"CRG\x02",
		"CCRCRGCRG\x03",
		/* Headers that look right but for length or checksum. */
		"CRG\x01\xff\xff\xff\xff____",
		"CRG\x01\x02\x01\x01\x7f____{}",
	};

	for (size_t i = 0; i < UNIT_COUNT(junk); i++) {
		struct frame_reader reader = {.hunt = true};
		size_t n = strlen(junk[i]);
		uint8_t bytes[300];

		memcpy(bytes, junk[i], n);
		n = put(bytes, n, "{\"id\":1}");
		memcpy(bytes + n, "#!", 2);
		n = put(bytes, n + 2, "{}");
		for (size_t j = 0; j < n; j++)
			CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes + j, 1), 0);
		assert_next(&reader, "{\"id\":1}");
		assert_next(&reader, "{}");
		CU_ASSERT_EQUAL(reader.skipped, strlen(junk[i]) + 2);
		frame_reader_free(&reader);
	}
}

static void hunting_skips_a_frame_with_a_wrong_checksum(void)
{
	struct frame_reader reader = {.hunt = true};
	uint8_t bytes[100];
	size_t bad = put(bytes, 0, "{\"bad\":0}"), n = put(bytes, bad, "{}");

	bytes[8] ^= 1;
	CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes, n), 0);
	assert_next(&reader, "{}");
	CU_ASSERT_EQUAL(reader.skipped, bad);
	frame_reader_free(&reader);
}

static void half_a_frame_is_pending(void)
{
	struct frame_reader reader = {0};
	uint8_t bytes[100];
	size_t n = put(bytes, 0, "{}"), m = put(bytes, n, "{\"more\":1}");

	CU_ASSERT_EQUAL(frame_reader_pending(&reader), 0);
	CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes, m - 3), 0);
	assert_next(&reader, "{}");
	CU_ASSERT_EQUAL(frame_reader_pending(&reader), m - n - 3);
	CU_ASSERT_EQUAL(next_code(&reader), 0);
	CU_ASSERT_EQUAL(frame_reader_pending(&reader), m - n - 3);
	frame_reader_free(&reader);
}

static void writing_to_a_full_pipe_ends_in_time(void)
{
	char payload[4096];
	int fds[2], r = 0;

	memset(payload, 'x', sizeof(payload));
	CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	for (int i = 0; i < 1000 && r == 0; i++)
		r = frame_write(fds[1], payload, sizeof(payload), SECOND_NS / 20);
	CU_ASSERT_EQUAL(r, -ETIMEDOUT);
	close(fds[0]);
	CU_ASSERT_EQUAL(frame_write(fds[1], "{}", 2, SECOND_NS), -EPIPE);
	close(fds[1]);
}

static void a_payload_over_the_limit_is_not_written(void)
{
	char *payload = calloc(1, FRAME_PAYLOAD_MAX + 1);

	CU_ASSERT_EQUAL(frame_write(-1, payload, FRAME_PAYLOAD_MAX + 1, SECOND_NS), -EMSGSIZE);
	CU_ASSERT_EQUAL(frame_write(-1, payload, 1, SECOND_NS), -EBADF);
	free(payload);
}

static const struct unit_case cases[] = {
	{"the header is as documented", the_header_is_as_documented},
	{"a large and an empty frame come through a socket",
	 a_large_and_an_empty_frame_come_through_a_socket},
	{"frames arrive one byte at a time", frames_arrive_one_byte_at_a_time},
	{"frames that come together are all intact", frames_that_come_together_are_all_intact},
	{"bytes that are no frame are errors without hunting",
	 bytes_that_are_no_frame_are_errors_without_hunting},
	{"every flipped bit of a payload is noticed", every_flipped_bit_of_a_payload_is_noticed},
	{"hunting finds frames between boot messages", hunting_finds_frames_between_boot_messages},
	{"hunting skips a frame with a wrong checksum",
	 hunting_skips_a_frame_with_a_wrong_checksum},
	{"half a frame is pending", half_a_frame_is_pending},
	{"writing to a full pipe ends in time", writing_to_a_full_pipe_ends_in_time},
	{"a payload over the limit is not written", a_payload_over_the_limit_is_not_written},
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return unit_run("frame", cases, UNIT_COUNT(cases));
}
