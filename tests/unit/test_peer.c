/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"
#include "unit.h"

/* A peer on one end of a socket; the test plays the agent on the other. */
struct wire {
	struct transport *transport;
	struct peer peer;
	int near, far;
};

static void connect_peer(struct wire *w, bool is_serial)
{
	int fds[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	w->near = fds[0];
	w->far = fds[1];
	CU_ASSERT_EQUAL_FATAL(transport_wrap(w->near, is_serial, &w->transport), 0);
	peer_init(&w->peer, w->transport);
}

static void end_peer(struct wire *w)
{
	peer_end(&w->peer);
	transport_close(w->transport);
	close(w->near);
	if (w->far >= 0)
		close(w->far);
}

static void agent_says(struct wire *w, const void *bytes, size_t n)
{
	CU_ASSERT_EQUAL(write(w->far, bytes, n), (ssize_t)n);
	CU_ASSERT_EQUAL(peer_receive(&w->peer, NULL), 0);
}

static void agent_frames(struct wire *w, const char *payload)
{
	CU_ASSERT_EQUAL(frame_write(w->far, payload, strlen(payload), 1000000000), 0);
	CU_ASSERT_EQUAL(peer_receive(&w->peer, NULL), 0);
}

static void requests_carry_ascending_ids(void)
{
	struct wire w;
	struct frame_reader reader = {0};
	const char *payload = NULL;
	size_t length;
	char bytes[500];

	connect_peer(&w, false);
	for (int64_t id = 1; id <= 2; id++) {
		struct msg *request = msg_object();
		ssize_t n;

		msg_set_str(request, "op", "ping");
		CU_ASSERT_EQUAL(peer_send(&w.peer, request, NULL), id);
		n = read(w.far, bytes, sizeof(bytes));
		CU_ASSERT_FATAL(n > 0);
		CU_ASSERT_EQUAL(frame_reader_feed(&reader, bytes, (size_t)n), 0);
		CU_ASSERT_EQUAL_FATAL(frame_reader_next(&reader, &payload, &length), 1);
		CU_ASSERT_STRING_EQUAL(payload, id == 1 ? "{\"op\":\"ping\",\"id\":1}"
							: "{\"op\":\"ping\",\"id\":2}");
	}
	CU_ASSERT(w.peer.last_sent_ns > 0);
	frame_reader_free(&reader);
	end_peer(&w);
}

static void messages_come_one_by_one(void)
{
	struct wire w;
	struct msg *m = NULL;

	connect_peer(&w, false);
	CU_ASSERT_EQUAL(peer_receive(&w.peer, NULL), 0);
	CU_ASSERT_EQUAL(peer_next(&w.peer, &m, NULL), 0);
	agent_frames(&w, "{\"id\":1}");
	agent_frames(&w, "{\"event\":\"rpm\"}");
	CU_ASSERT_EQUAL_FATAL(peer_next(&w.peer, &m, NULL), 1);
	CU_ASSERT_EQUAL(msg_get_int(m, "id", 0), 1);
	msg_free(m);
	CU_ASSERT_EQUAL_FATAL(peer_next(&w.peer, &m, NULL), 1);
	CU_ASSERT_STRING_EQUAL(msg_get_str(m, "event"), "rpm");
	msg_free(m);
	CU_ASSERT_EQUAL(peer_next(&w.peer, &m, NULL), 0);
	end_peer(&w);
}

static void what_is_no_frame_is_quoted(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		int code;
		const char *why, *quoted;
	} rows[] = {
		{"sh: coldrig-agent: not found\n", 29, -EPROTO, "wrong magic",
		 "\"sh: coldrig-agent: not f\""},
		{"\x1b[0m\"\xff", 6, -EPROTO, "wrong magic", "\"\\x1b[0m\\x22\\xff\""},
		{"CRG\x09", 4, -EPROTO, "another version", "\"CRG\\x09\""},
		{"CRG\x01\x02\0\0\0abcd{}", 14, -EPROTO, "wrong checksum", "abcd{}\""},
		{"CRG\x01\xff\xff\xff\xff....", 12, -EPROTO, "too long", "\\xff....\""},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct msg *m = NULL;
		struct err err = {""};
		struct wire w;

		connect_peer(&w, false);
		agent_says(&w, rows[i].bytes, rows[i].n);
		CU_ASSERT_EQUAL(peer_next(&w.peer, &m, &err), rows[i].code);
		CU_ASSERT_PTR_NULL(m);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].why));
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].quoted));
		end_peer(&w);
	}
}

static void a_frame_that_is_no_message_is_refused(void)
{
	static const char *const rows[] = {"", "{", "[]", "null", "{\"a\":\"\xff\"}"};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct msg *m = NULL;
		struct err err = {""};
		struct wire w;

		connect_peer(&w, false);
		agent_frames(&w, rows[i]);
		CU_ASSERT_EQUAL(peer_next(&w.peer, &m, &err), -EPROTO);
		CU_ASSERT_PTR_NULL(m);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no message"));
		end_peer(&w);
	}
}

static void an_agent_that_ends_in_the_middle_of_a_frame_is_told_apart(void)
{
	struct msg *m = NULL;
	struct err err = {""};
	struct wire w;

	connect_peer(&w, false);
	agent_says(&w, "CRG\x01\x20\0\0\0abcd{\"id", 16);
	CU_ASSERT_EQUAL(peer_next(&w.peer, &m, &err), 0);
	close(w.far);
	w.far = -1;
	CU_ASSERT_EQUAL(peer_receive(&w.peer, &err), -EPIPE);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "the agent ended in the middle of a frame (16 bytes of it came)");
	end_peer(&w);
}

static void an_agent_that_ends_between_frames_is_gone(void)
{
	struct msg *m = NULL;
	struct err err = {""};
	struct wire w;

	connect_peer(&w, false);
	agent_frames(&w, "{}");
	CU_ASSERT_EQUAL(peer_next(&w.peer, &m, NULL), 1);
	msg_free(m);
	close(w.far);
	w.far = -1;
	CU_ASSERT_EQUAL(peer_receive(&w.peer, &err), -EPIPE);
	CU_ASSERT_STRING_EQUAL(err.text, "the agent ended the connection");
	CU_ASSERT_EQUAL(peer_send(&w.peer, msg_object(), &err), -EPIPE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "ended the connection"));
	end_peer(&w);
}

static void a_serial_line_is_hunted_until_frames_are_expected(void)
{
	struct msg *m = NULL;
	struct err err = {""};
	struct wire w;

	connect_peer(&w, true);
	agent_says(&w, "[ 0.0] CRG Linux\r\n", 18);
	CU_ASSERT_EQUAL(peer_next(&w.peer, &m, &err), 0);
	agent_frames(&w, "{\"id\":7}");
	CU_ASSERT_EQUAL_FATAL(peer_next(&w.peer, &m, &err), 1);
	CU_ASSERT_EQUAL(msg_get_int(m, "id", 0), 7);
	msg_free(m);
	peer_expect_frames(&w.peer);
	agent_says(&w, "Oops", 4);
	CU_ASSERT_EQUAL(peer_next(&w.peer, &m, &err), -EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"Oops\""));
	end_peer(&w);
}

static const struct unit_case cases[] = {
	{"requests carry ascending ids", requests_carry_ascending_ids},
	{"messages come one by one", messages_come_one_by_one},
	{"what is no frame is quoted", what_is_no_frame_is_quoted},
	{"a frame that is no message is refused", a_frame_that_is_no_message_is_refused},
	{"an agent that ends in the middle of a frame is told apart",
	 an_agent_that_ends_in_the_middle_of_a_frame_is_told_apart},
	{"an agent that ends between frames is gone", an_agent_that_ends_between_frames_is_gone},
	{"a serial line is hunted until frames are expected",
	 a_serial_line_is_hunted_until_frames_are_expected},
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return unit_run("peer", cases, UNIT_COUNT(cases));
}
