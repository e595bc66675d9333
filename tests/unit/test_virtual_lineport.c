/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lineport.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static struct lineport *port;
static int serial; /* the far end of the line */

static void start(void)
{
	struct err err;
	int fds[2];

	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	serial = fds[1];
	CU_ASSERT_EQUAL_FATAL(lineport_new(fds[0], &port, &err), 0);
}

static void end(void)
{
	lineport_free(port);
	close(serial);
}

/* Until nothing happens for a while. */
static void turn_without(void)
{
	struct pollfd fds[LINEPORT_POLLFDS];

	for (;;) {
		lineport_pollfds(port, fds);
		if (poll(fds, LINEPORT_POLLFDS, 30) <= 0)
			return;
		lineport_handle(port, fds);
	}
}

static void turn(void)
{
	do {
		turn_without();
		lineport_take(port);
	} while (lineport_is_asked(port));
	turn_without();
}

static int client(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(lineport_tcp_port(port)),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	turn();
	return fd;
}

/* What is there to be read, as a string. */
static const char *heard(int fd)
{
	static char text[8192];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void say(int fd, const char *text)
{
	CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	turn();
}

static void a_question_waits_until_it_is_taken(void)
{
	int fd;

	start();
	fd = client();
	CU_ASSERT_FALSE(lineport_is_asked(port));
	CU_ASSERT_EQUAL(send(fd, "MEAS?\n", 6, MSG_NOSIGNAL), 6);
	turn_without();
	CU_ASSERT_TRUE(lineport_is_asked(port));
	CU_ASSERT_STRING_EQUAL(heard(serial), "");
	lineport_take(port);
	CU_ASSERT_FALSE(lineport_is_asked(port));
	CU_ASSERT_STRING_EQUAL(heard(serial), "MEAS?\n");
	close(fd);
	end();
}

static void an_answer_in_pieces_arrives_whole(void)
{
	int fd;

	start();
	fd = client();
	say(fd, "MEAS?\n");
	CU_ASSERT_STRING_EQUAL(heard(serial), "MEAS?\n");
	say(serial, "8");
	say(serial, ".2");
	CU_ASSERT_STRING_EQUAL(heard(fd), "");
	say(serial, "0\n");
	CU_ASSERT_STRING_EQUAL(heard(fd), "8.20\n");
	close(fd);
	end();
}

static void a_newer_client_takes_the_line_and_begins_a_new_command(void)
{
	int first, second;

	start();
	first = client();
	say(first, "half a comm");
	second = client();
	say(second, "*IDN?\n");
	CU_ASSERT_STRING_EQUAL(heard(serial), "half a comm\n*IDN?\n");
	say(serial, "me\n");
	CU_ASSERT_STRING_EQUAL(heard(second), "me\n");
	CU_ASSERT_STRING_EQUAL(heard(first), "");
	close(first);
	close(second);
	end();
}

static void a_dead_line_takes_all_and_gives_nothing(void)
{
	int fd;

	start();
	lineport_set_faults(port, true, false);
	fd = client();
	say(fd, "*IDN?\n");
	CU_ASSERT_STRING_EQUAL(heard(serial), "");
	say(serial, "ghost\n");
	CU_ASSERT_STRING_EQUAL(heard(fd), "");
	lineport_set_faults(port, false, false);
	say(fd, "*IDN?\n");
	CU_ASSERT_STRING_EQUAL(heard(serial), "*IDN?\n");
	close(fd);
	end();
}

static void answers_to_nobody_are_gone(void)
{
	int fd;

	start();
	say(serial, "old\n");
	fd = client();
	CU_ASSERT_STRING_EQUAL(heard(fd), "");
	close(fd);
	turn();
	say(serial, "old\n");
	fd = client();
	say(serial, "new\n");
	CU_ASSERT_STRING_EQUAL(heard(fd), "new\n");
	close(fd);
	end();
}

static void after_hanging_up_nobody_is_there(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd, other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	start();
	fd = client();
	lineport_hang_up(port);
	turn();
	CU_ASSERT_EQUAL(recv(fd, &byte, 1, 0), 0);
	address.sin_port = htons(lineport_tcp_port(port));
	CU_ASSERT_EQUAL(connect(other, (struct sockaddr *)&address, sizeof(address)), -1);
	close(fd);
	close(other);
	end();
}

static const struct unit_case cases[] = {
	{"a question waits until it is taken", a_question_waits_until_it_is_taken},
	{"an answer in pieces arrives whole", an_answer_in_pieces_arrives_whole},
	{"a newer client takes the line and begins a new command",
	 a_newer_client_takes_the_line_and_begins_a_new_command},
	{"a dead line takes all and gives nothing", a_dead_line_takes_all_and_gives_nothing},
	{"answers to nobody are gone", answers_to_nobody_are_gone},
	{"after hanging up nobody is there", after_hanging_up_nobody_is_there},
};

int main(void)
{
	return unit_run("virtual_lineport", cases, UNIT_COUNT(cases));
}
