/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands before a meter while it is looked for. In test_meter_keep.c libsigrok is behind it. */
#include <errno.h>

#include "meter_front.h"
#include "scpi_server.h"
#include "unit.h"

static struct meter_front *start(const struct scpi_server *server)
{
	struct meter_front *front = NULL;
	char spec[128];

	scpi_server_spec(server, "", spec);
	CU_ASSERT_EQUAL_FATAL(meter_front_start(strchr(spec, '=') + 1, NULL, &front), 0);
	return front;
}

static int connect_to(const struct meter_front *front)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)atoi(strrchr(meter_front_conn(front), '/') + 1));
	CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* What one read gives after a question. */
static ssize_t ask(int fd, char text[static 128])
{
	struct timeval limit = {.tv_sec = 5};
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (send(fd, "*IDN?\n", 6, MSG_NOSIGNAL) < 0)
		return -1;
	n = recv(fd, text, 127, 0);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

static void one_read_is_a_whole_answer(enum scpi_line line)
{
	struct scpi_server server = {.identity = scpi_dp832, .line = line, .fault = SCPI_SPLIT};
	struct meter_front *front;
	int scan, driver, meter = -1;
	char text[128];

	scpi_server_launch(&server);
	front = start(&server);
	CU_ASSERT_EQUAL(meter_front_framing(front),
			line == SCPI_RIGOL ? FRAMING_LENGTH : FRAMING_LINES);
	scan = connect_to(front);
	ask(scan, text);
	CU_ASSERT_STRING_EQUAL(text, "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16\n");
	close(scan);

	/* Opened again; from here on the meter's own descriptor goes without it. */
	driver = connect_to(front);
	CU_ASSERT_EQUAL(meter_front_take(front, &meter), driver);
	CU_ASSERT_EQUAL(ask(meter, text), line == SCPI_RIGOL ? 24 : 22); /* half of it */
	CU_ASSERT_EQUAL(server.shared->connections, 2);
	close(meter);
	close(driver);
	scpi_server_stop(&server);
}

static void on_raw_tcp(void)
{
	one_read_is_a_whole_answer(SCPI_TCP);
}

static void on_rigols_tcp(void)
{
	one_read_is_a_whole_answer(SCPI_RIGOL);
}

static void what_was_said_last_reaches_the_meter(void)
{
	struct scpi_server server;
	struct meter_front *front;
	int driver, meter = -1;

	scpi_server_start(&server, SCPI_GOOD, 0);
	front = start(&server);
	driver = connect_to(front);
	scpi_write(driver, "SYST:LOCAL\n", 11);
	CU_ASSERT_EQUAL(meter_front_take(front, &meter), driver);
	for (int i = 0; i < 1000 && !server.shared->local; i++)
		usleep(1000);
	CU_ASSERT_TRUE(server.shared->local);
	close(meter);
	close(driver);
	scpi_server_stop(&server);
}

static void nobody_else_is_served(void)
{
	struct scpi_server server;
	struct meter_front *front;
	int driver, meter = -1, status = -1;
	char text[128];
	pid_t stranger;

	scpi_server_start(&server, SCPI_GOOD, 0);
	front = start(&server);
	stranger = fork();
	if (stranger == 0)
		_exit(ask(connect_to(front), text) > 0 ? 1 : 0);
	waitpid(stranger, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
	driver = connect_to(front);
	CU_ASSERT(ask(driver, text) > 0);
	CU_ASSERT_EQUAL(server.shared->connections, 1);
	CU_ASSERT_EQUAL(meter_front_take(front, &meter), driver);
	close(meter);
	close(driver);
	scpi_server_stop(&server);
}

static void a_port_that_cannot_be_is_refused(void)
{
	static const char *const others[] = {"tcp-raw/host/0", "tcp-raw/host/65536",
					     "tcp-rigol/host/99999"};
	struct meter_front *front = NULL;

	for (size_t i = 0; i < UNIT_COUNT(others); i++)
		CU_ASSERT_EQUAL(meter_front_start(others[i], NULL, &front), -ERANGE);
	CU_ASSERT_PTR_NULL(front);
}

static void other_connections_are_left_alone(void)
{
	static const char *const others[] = {
		"/dev/ttyUSB0", "tcp-raw/host",	  "tcp-raw/host/5025x", "tcp-raw//5025",
		"vxi/host",	"tcp-rigol/host", "tcp-ip/host/5555"};
	struct meter_front *front = NULL;

	for (size_t i = 0; i < UNIT_COUNT(others); i++)
		CU_ASSERT_EQUAL(meter_front_start(others[i], NULL, &front), -EINVAL);
	CU_ASSERT_PTR_NULL(front);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"one read is a whole answer", on_raw_tcp},
		{"tcp-rigol: one read is a whole answer, and a line", on_rigols_tcp},
		{"what was said last reaches the meter", what_was_said_last_reaches_the_meter},
		{"nobody else is served", nobody_else_is_served},
		{"a port that cannot be is refused", a_port_that_cannot_be_is_refused},
		{"other connections are left alone", other_connections_are_left_alone},
	};

	return unit_run("meter_front", cases, UNIT_COUNT(cases));
}
