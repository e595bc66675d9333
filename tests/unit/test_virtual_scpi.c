/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scpi.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "instrument.h"
#include "unit.h"

static double source(unsigned channel, enum scpi_quantity quantity, void *context)
{
	(void)context;
	return 10.0 * channel + (quantity == SCPI_POWER	    ? 0.12346
				 : quantity == SCPI_VOLTAGE ? 2
							    : 3);
}

/* The answer without its line feed, "" for none; valid until the next call. */
static const char *ask(struct scpi *s, const char *line)
{
	static char reply[SCPI_REPLY_SIZE];
	char copy[512];
	size_t n;

	snprintf(copy, sizeof(copy), "%s", line);
	n = scpi_handle(s, copy, reply);
	CU_ASSERT_EQUAL(n, strlen(reply));
	if (n > 0) {
		CU_ASSERT_EQUAL(reply[n - 1], '\n');
		reply[n - 1] = '\0';
	}
	return reply;
}

static struct scpi fresh(void)
{
	struct scpi s;

	scpi_init(&s, source, NULL);
	return s;
}

static void it_says_that_it_is_a_dp832(void)
{
	struct scpi s = fresh();

	CU_ASSERT_STRING_EQUAL(ask(&s, "*IDN?"), "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16");
	CU_ASSERT_STRING_EQUAL(ask(&s, "*idn?"), "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16");
	CU_ASSERT_STRING_EQUAL(ask(&s, "*OPC?"), "1");
}

static void the_selected_channel_is_measured(void)
{
	struct scpi s = fresh();

	CU_ASSERT_STRING_EQUAL(ask(&s, ":MEAS:POWE?"), "10.1235");
	CU_ASSERT_STRING_EQUAL(ask(&s, ":INST:NSEL 3"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, ":INST:NSEL?"), "3");
	CU_ASSERT_STRING_EQUAL(ask(&s, ":MEAS:POWE?"), "30.1235");
	CU_ASSERT_STRING_EQUAL(ask(&s, ":MEAS:VOLT?"), "32.0000");
	CU_ASSERT_STRING_EQUAL(ask(&s, ":MEAS:CURR?"), "33.0000");
	CU_ASSERT_STRING_EQUAL(ask(&s, "MEAS:POWE? CH2"), "20.1235");
	CU_ASSERT_STRING_EQUAL(ask(&s, "INST?"), "CH3");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "0,\"No error\"");
}

static void short_and_long_forms_are_understood_in_any_case(void)
{
	struct scpi s = fresh();

	CU_ASSERT_STRING_EQUAL(ask(&s, "measure:power?"), "10.1235");
	CU_ASSERT_STRING_EQUAL(ask(&s, "  :Meas:Powe?  "), "10.1235");
	CU_ASSERT_STRING_EQUAL(ask(&s, "INSTrument:NSELect 2;:MEASure:VOLTage?;:MEAS:CURR?"),
			       "22.0000;23.0000");
	/* Neither the short nor the long form. */
	CU_ASSERT_STRING_EQUAL(ask(&s, "MEASU:POWE?"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "-113,\"Undefined header\"");
}

static void what_libsigrok_sends_at_open_is_understood(void)
{
	struct scpi s = fresh();

	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:REMOTE"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:BEEP:STAT?"), "OFF");
	CU_ASSERT_STRING_EQUAL(ask(&s, ":OUTP?"), "ON");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:LOCAL"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "0,\"No error\"");
}

static void what_is_not_understood_is_queued_and_not_answered(void)
{
	struct scpi s = fresh();

	CU_ASSERT_STRING_EQUAL(ask(&s, "MEAS:TEMP?"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, "INST:NSEL 4"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, "INST:NSEL two"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, "OUTP OFF"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "-113,\"Undefined header\"");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "-222,\"Data out of range\"");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "-104,\"Data type error\"");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "-221,\"Settings conflict\"");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "0,\"No error\"");
	CU_ASSERT_STRING_EQUAL(ask(&s, ""), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, ";;:"), "");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "0,\"No error\"");
}

static void the_error_queue_overflows_at_its_end(void)
{
	struct scpi s = fresh();

	for (int i = 0; i < 20; i++)
		ask(&s, "X");
	for (int i = 0; i < SCPI_ERRORS_KEPT - 1; i++)
		CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "-113,\"Undefined header\"");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "-350,\"Queue overflow\"");
	CU_ASSERT_STRING_EQUAL(ask(&s, "SYST:ERR?"), "0,\"No error\"");
}

static void a_long_chain_of_queries_keeps_to_the_reply_size(void)
{
	struct scpi s = fresh();
	char line[512] = "";

	for (int i = 0; i < 30; i++)
		strcat(line, "*IDN?;");
	CU_ASSERT_TRUE(strlen(ask(&s, line)) < SCPI_REPLY_SIZE);
}

static int connect_to(const struct instrument *instrument)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(instrument_port(instrument)),
				      .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Lets the instrument work until it has nothing more to do. */
static void turn(struct instrument *instrument)
{
	struct pollfd fds[INSTRUMENT_POLLFDS];

	for (;;) {
		instrument_pollfds(instrument, fds);
		if (poll(fds, INSTRUMENT_POLLFDS, 20) <= 0)
			return;
		instrument_handle(instrument, fds);
	}
}

static void expect_reply(int fd, const char *text)
{
	char bytes[256];
	ssize_t n = recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

	bytes[n < 0 ? 0 : n] = '\0';
	CU_ASSERT_STRING_EQUAL(bytes, text);
}

static void clients_do_not_disturb_each_other(void)
{
	struct instrument *instrument;
	int a, b;

	CU_ASSERT_EQUAL_FATAL(instrument_new(source, NULL, &instrument, NULL), 0);
	a = connect_to(instrument);
	b = connect_to(instrument);
	turn(instrument);
	send(a, ":INST:NSEL 2\n", 13, 0);
	send(b, ":MEAS", 5, 0);
	turn(instrument);
	send(a, ":MEAS:POWE?\n", 12, 0);
	send(b, ":POWE?\n", 7, 0);
	turn(instrument);
	expect_reply(a, "20.1235\n");
	expect_reply(b, "10.1235\n");
	close(a);
	turn(instrument);
	send(b, "*OPC?\n", 6, 0);
	turn(instrument);
	expect_reply(b, "1\n");
	close(b);
	instrument_free(instrument);
}

static void a_dead_instrument_takes_everything_and_says_nothing(void)
{
	struct instrument *instrument;
	int a;

	CU_ASSERT_EQUAL_FATAL(instrument_new(source, NULL, &instrument, NULL), 0);
	instrument_set_dead(instrument, true);
	a = connect_to(instrument);
	turn(instrument);
	CU_ASSERT_EQUAL(send(a, "*IDN?\n", 6, MSG_NOSIGNAL), 6);
	turn(instrument);
	CU_ASSERT_TRUE(recv(a, &(char){0}, 1, MSG_DONTWAIT) < 0);
	close(a);
	instrument_free(instrument);
}

static void a_client_that_never_reads_does_not_stall_others(void)
{
	struct instrument *instrument;
	int greedy, polite;
	char many[6000];

	for (size_t i = 0; i < sizeof(many); i += 6)
		memcpy(many + i, "*IDN?\n", 6);
	CU_ASSERT_EQUAL_FATAL(instrument_new(source, NULL, &instrument, NULL), 0);
	greedy = connect_to(instrument);
	polite = connect_to(instrument);
	turn(instrument);
	for (int i = 0; i < 3000; i++) {
		if (send(greedy, many, sizeof(many), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
		turn(instrument);
	}
	send(polite, "*OPC?\n", 6, 0);
	turn(instrument);
	expect_reply(polite, "1\n");
	close(greedy);
	close(polite);
	instrument_free(instrument);
}

static void a_crowd_pushes_out_the_client_that_was_quiet_for_longest(void)
{
	struct instrument *instrument;
	int fds[INSTRUMENT_CLIENTS + 1];

	CU_ASSERT_EQUAL_FATAL(instrument_new(source, NULL, &instrument, NULL), 0);
	for (int i = 0; i < INSTRUMENT_CLIENTS; i++) {
		fds[i] = connect_to(instrument);
		turn(instrument);
	}
	send(fds[0], "*OPC?\n", 6, 0);
	turn(instrument);
	expect_reply(fds[0], "1\n");
	fds[INSTRUMENT_CLIENTS] = connect_to(instrument);
	turn(instrument);
	CU_ASSERT_EQUAL(recv(fds[1], &(char){0}, 1, MSG_DONTWAIT), 0);
	send(fds[INSTRUMENT_CLIENTS], "*OPC?\n", 6, 0);
	turn(instrument);
	expect_reply(fds[INSTRUMENT_CLIENTS], "1\n");
	for (int i = 0; i <= INSTRUMENT_CLIENTS; i++)
		close(fds[i]);
	instrument_free(instrument);
}

static const struct unit_case cases[] = {
	{"it says that it is a DP832", it_says_that_it_is_a_dp832},
	{"the selected channel is measured", the_selected_channel_is_measured},
	{"short and long forms are understood in any case",
	 short_and_long_forms_are_understood_in_any_case},
	{"what libsigrok sends at open is understood", what_libsigrok_sends_at_open_is_understood},
	{"what is not understood is queued and not answered",
	 what_is_not_understood_is_queued_and_not_answered},
	{"the error queue overflows at its end", the_error_queue_overflows_at_its_end},
	{"a long chain of queries keeps to the reply's size",
	 a_long_chain_of_queries_keeps_to_the_reply_size},
	{"clients do not disturb each other", clients_do_not_disturb_each_other},
	{"a dead instrument takes everything and says nothing",
	 a_dead_instrument_takes_everything_and_says_nothing},
	{"a client that never reads does not stall others",
	 a_client_that_never_reads_does_not_stall_others},
	{"a crowd pushes out the client that was quiet for longest",
	 a_crowd_pushes_out_the_client_that_was_quiet_for_longest},
};

int main(void)
{
	return unit_run("virtual scpi", cases, UNIT_COUNT(cases));
}
