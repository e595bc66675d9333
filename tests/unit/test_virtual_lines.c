/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab's hands on its machine: the line that can be cut, and the debugger's packets. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdbstub.h"
#include "relay.h"
#include "unit.h"

static void packets_have_a_checksum(void)
{
	char out[16];

	CU_ASSERT_EQUAL(gdbstub_packet("g", out, sizeof(out)), 5);
	CU_ASSERT_STRING_EQUAL(out, "$g#67");
	CU_ASSERT_EQUAL(gdbstub_packet("OK", out, sizeof(out)), 6);
	CU_ASSERT_STRING_EQUAL(out, "$OK#9a");
	CU_ASSERT_EQUAL(gdbstub_packet("0123456789abcdef", out, sizeof(out)), 0);
}

static void a_packet_is_found_once_it_is_whole(void)
{
	static const char bytes[] = "+$OK#9a$g#67";
	char body[8];

	for (size_t n = 0; n < 7; n++)
		CU_ASSERT_EQUAL(gdbstub_parse(bytes, n, body, sizeof(body)), 0);
	CU_ASSERT_EQUAL(gdbstub_parse(bytes, sizeof(bytes) - 1, body, sizeof(body)), 7);
	CU_ASSERT_STRING_EQUAL(body, "OK");
	CU_ASSERT_EQUAL(gdbstub_parse("$OK#00", 6, body, sizeof(body)), 6);
	CU_ASSERT_STRING_EQUAL(body, "");
}

/* Two lines, and the relay between their near ends. */
struct wires {
	int a[2], b[2];
	struct relay relay;
};

static void lay(struct wires *w)
{
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, w->a), 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, w->b), 0);
	relay_init(&w->relay, w->a[1], w->b[1]);
}

static void turn(struct wires *w)
{
	struct pollfd fds[RELAY_POLLFDS];

	for (int i = 0; i < 3; i++) {
		relay_pollfds(&w->relay, fds);
		if (poll(fds, RELAY_POLLFDS, 0) > 0)
			relay_handle(&w->relay, fds);
	}
}

static void lift(struct wires *w)
{
	for (int i = 0; i < 2; i++) {
		close(w->a[i]);
		close(w->b[i]);
	}
}

static void expect(int fd, const char *text)
{
	char bytes[16] = "";
	ssize_t n = recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

	CU_ASSERT_EQUAL(n < 0 ? 0 : n, (ssize_t)strlen(text));
	CU_ASSERT_STRING_EQUAL(bytes, text);
}

static void bytes_pass_both_ways_and_are_lost_while_it_is_cut(void)
{
	struct wires w;

	lay(&w);
	CU_ASSERT_EQUAL(write(w.a[0], "one", 3), 3);
	CU_ASSERT_EQUAL(write(w.b[0], "two", 3), 3);
	turn(&w);
	expect(w.b[0], "one");
	expect(w.a[0], "two");
	relay_cut(&w.relay, true);
	CU_ASSERT_EQUAL(write(w.a[0], "lost", 4), 4);
	turn(&w);
	relay_cut(&w.relay, false);
	CU_ASSERT_EQUAL(write(w.a[0], "whole", 5), 5);
	turn(&w);
	expect(w.b[0], "whole");
	lift(&w);
}

static void an_end_that_is_gone_is_not_asked_any_more(void)
{
	struct pollfd fds[RELAY_POLLFDS];
	struct wires w;

	lay(&w);
	close(w.b[0]);
	turn(&w);
	relay_pollfds(&w.relay, fds);
	CU_ASSERT_EQUAL(fds[1].fd, -1);
	w.b[0] = dup(w.b[1]);
	lift(&w);
}

static const struct unit_case cases[] = {
	{"packets have a checksum", packets_have_a_checksum},
	{"a packet is found once it is whole", a_packet_is_found_once_it_is_whole},
	{"bytes pass both ways, and are lost while it is cut",
	 bytes_pass_both_ways_and_are_lost_while_it_is_cut},
	{"an end that is gone is not asked any more", an_end_that_is_gone_is_not_asked_any_more},
};

int main(void)
{
	return unit_run("virtual_lines", cases, UNIT_COUNT(cases));
}
