/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole agent but main(), in a child process, over pipes and over a terminal. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "agent_fake.h"
#include "frame.h"
#include "msg.h"
#include "ops.h"
#include "unit.h"

#define CARD	 "0000:01:00.0"
#define PORT	 "0000:00:05.0"
#define LIMIT_MS 5000

static struct {
	pid_t pid;
	int to, from;
	struct frame_reader reader;
} agent;

static void start_over(int in, int out, int to, int from)
{
	agent.to = to;
	agent.from = from;
	agent.reader = (struct frame_reader){0};
	fflush(NULL);
	agent.pid = fork();
	fake_must(agent.pid >= 0, "fork");
	if (agent.pid == 0) {
		struct session_config config = {
			.in = in, .out = out, .root = fake_root, .version = "test"};

		close(to);
		if (from != to)
			close(from);
		_exit(session_run(&config));
	}
	close(in);
	if (out != in)
		close(out);
}

static void start(void)
{
	int to[2], from[2];

	fake_new();
	fake_file("/proc/sys/kernel/random/boot_id", "some-boot");
	fake_must(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0, "pipe");
	start_over(to[0], from[1], to[1], from[0]);
}

static void send_text(const char *text)
{
	CU_ASSERT_EQUAL(frame_write(agent.to, text, strlen(text), 1000000000), 0);
}

/* The next message, to be freed; NULL at the end of the stream or after the limit. */
static struct msg *receive(void)
{
	struct pollfd p = {.fd = agent.from, .events = POLLIN};
	const char *payload;
	struct msg *msg;
	size_t length;
	char bytes[512];
	ssize_t n;

	while (frame_reader_next(&agent.reader, &payload, &length) == 0) {
		if (poll(&p, 1, LIMIT_MS) <= 0)
			return NULL;
		n = read(agent.from, bytes, sizeof(bytes));
		if (n <= 0)
			return NULL;
		frame_reader_feed(&agent.reader, bytes, (size_t)n);
	}
	return msg_parse(payload, length, &msg, NULL) == 0 ? msg : NULL;
}

static struct msg *ask(const char *text)
{
	send_text(text);
	return receive();
}

static bool is_ok(struct msg *answer)
{
	bool ok = msg_get_bool(answer, "ok", false);

	msg_free(answer);
	return ok;
}

/* What the refusal says, "" for an answer; valid until the next call. */
static const char *refused(struct msg *answer, int code)
{
	static char text[256];
	const char *words = msg_get_str(answer, "error");

	snprintf(text, sizeof(text), "%s", words ? words : "");
	CU_ASSERT_EQUAL(msg_get_int(answer, "errno", 0), code);
	msg_free(answer);
	return text;
}

static bool hello(const char *quiet_ms)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "{\"id\":1,\"op\":\"hello\",\"proto\":2,\"nonce\":\"n\",\"quiet_limit_ms\":%s}",
		 quiet_ms);
	return is_ok(ask(text));
}

static bool claim(void)
{
	return is_ok(ask("{\"id\":2,\"op\":\"claim\",\"bdf\":\"" CARD "\"}"));
}

/* The exit status, 1000 + the signal for a death by one. */
static int end(void)
{
	int status;

	close(agent.to);
	if (agent.from != agent.to)
		close(agent.from);
	frame_reader_free(&agent.reader);
	waitpid(agent.pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* A way out has put the port back once the agent has ended. */
static void check_restored(void)
{
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "power/control"), "on");
	fake_free();
}

static void check_claimed(void)
{
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "1");
}

static void hello_tells_who_is_there_and_echoes_the_nonce(void)
{
	struct msg *answer;

	start();
	answer = ask("{\"id\":7,\"op\":\"hello\",\"proto\":2,\"nonce\":\"abc\","
		     "\"quiet_limit_ms\":5000}");
	CU_ASSERT_EQUAL(msg_get_int(answer, "id", 0), 7);
	CU_ASSERT_EQUAL(msg_get_int(answer, "proto", 0), 2);
	CU_ASSERT_STRING_EQUAL(msg_get_str(answer, "nonce"), "abc");
	CU_ASSERT_STRING_EQUAL(msg_get_str(answer, "agent"), "test");
	CU_ASSERT_STRING_EQUAL(msg_get_str(answer, "boot_id"), "some-boot");
	CU_ASSERT_TRUE(msg_get_int(answer, "t1_ns", 0) >= msg_get_int(answer, "t0_ns", 0));
	CU_ASSERT_TRUE(msg_get_int(answer, "t0_ns", 0) > 0);
	msg_free(answer);
	CU_ASSERT_EQUAL(end(), 0);
	fake_free();
}

static void another_protocol_is_refused(void)
{
	start();
	CU_ASSERT_STRING_EQUAL(refused(ask("{\"id\":1,\"op\":\"hello\",\"proto\":3,\"nonce\":\"n\","
					   "\"quiet_limit_ms\":5000}"),
				       EPROTONOSUPPORT),
			       "hello: proto 3: this agent speaks 2");
	CU_ASSERT_FALSE(is_ok(ask("{\"id\":2,\"op\":\"ping\"}")));
	CU_ASSERT_EQUAL(end(), 0);
	fake_free();
}

static void a_request_before_hello_is_refused(void)
{
	start();
	CU_ASSERT_STRING_EQUAL(refused(ask("{\"id\":1,\"op\":\"list\"}"), EPROTO),
			       "list: no session: say hello first");
	end();
	fake_free();
}

static void requests_that_are_wrong_are_refused_with_words(void)
{
	static const struct {
		const char *request, *words;
		int code;
	} wrong[] = {
		{"{\"id\":3,\"op\":\"dance\"}", "dance: op dance: not known", EINVAL},
		{"{\"id\":3}", "request: op: missing, or not text", EINVAL},
		{"{\"id\":3,\"op\":\"claim\"}", "claim: bdf: missing, or not text", EINVAL},
		{"{\"id\":3,\"op\":\"claim\",\"bdf\":\"1:0.0\"}",
		 "claim 1:0.0: bdf 1:0.0: not DDDD:BB:DD.F", EINVAL},
		{"{\"id\":3,\"op\":\"state\",\"bdf\":\"0000:09:00.0\"}",
		 "state 0000:09:00.0: there is no such device", ENODEV},
		{"{\"id\":3,\"op\":\"bind\",\"bdf\":\"" CARD "\"}",
		 "bind " CARD ": its slot is not claimed", EPERM},
		{"{\"id\":3,\"op\":\"claim\",\"bdf\":\"" PORT "\"}",
		 "claim " PORT
		 ": the machine needs it: it is a bridge, others are reached through it",
		 EBUSY},
		{"{\"id\":3,\"op\":\"unwatch\",\"bdf\":\"" CARD "\"}",
		 "unwatch " CARD ": it was not watched", ENOENT},
		{"{\"id\":3,\"op\":\"reboot\"}", "reboot: this kernel was not booted by an agent",
		 EPERM},
		{"{\"id\":3,\"op\":\"kexec-boot\"}", "kexec-boot: no kernel is loaded to boot",
		 ENOEXEC},
		{"{\"id\":3,\"op\":\"kexec-load\",\"image\":\"/i\",\"kind\":\"x\"}",
		 "kexec-load: kind x: not boot or crash", EINVAL},
		{"{\"id\":3,\"op\":\"put\",\"name\":\"image\",\"size\":1}",
		 "put: crc32: missing, or not a whole number", EINVAL},
		{"{\"id\":3,\"op\":\"data\",\"at\":0,\"data\":\"x\"}", "data: data: not base64",
		 EINVAL},
		{"{\"id\":3,\"op\":\"data\",\"at\":0,\"data\":\"\"}",
		 "data: no file is being received", ENOENT},
		{"{\"id\":3,\"op\":\"dead-log\",\"at\":0}",
		 "dead-log: this is no crash kernel: there is no /proc/vmcore", ENOENT},
	};

	start();
	CU_ASSERT_TRUE(hello("5000"));
	for (size_t i = 0; i < UNIT_COUNT(wrong); i++)
		CU_ASSERT_STRING_EQUAL(refused(ask(wrong[i].request), wrong[i].code),
				       wrong[i].words);
	CU_ASSERT_EQUAL(end(), 0);
	fake_free();
}

static void only_a_few_attributes_can_be_set_and_only_to_their_words(void)
{
	start();
	hello("5000");
	claim();
	CU_ASSERT_TRUE(is_ok(ask("{\"id\":3,\"op\":\"set\",\"bdf\":\"" CARD
				 "\",\"attr\":\"power/control\",\"value\":\"auto\"}")));
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "power/control"), "auto");
	CU_ASSERT_FALSE(is_ok(ask("{\"id\":3,\"op\":\"set\",\"bdf\":\"" CARD
				  "\",\"attr\":\"power/control\",\"value\":\"off\"}")));
	CU_ASSERT_FALSE(is_ok(ask("{\"id\":3,\"op\":\"set\",\"bdf\":\"" CARD
				  "\",\"attr\":\"driver_override\",\"value\":\"1\"}")));
	CU_ASSERT_FALSE(is_ok(
		ask("{\"id\":3,\"op\":\"set\",\"bdf\":\"" CARD "\",\"attr\":\"d3cold_allowed\"}")));
	end();
	CU_ASSERT_STRING_EQUAL(fake_attr_text(CARD, "power/control"), "on");
	check_restored();
}

static void state_tells_of_the_function_its_siblings_and_port(void)
{
	struct msg *answer;
	const struct msg *port, *siblings;

	start();
	fake_attr(CARD, "power_state", "D3cold");
	fake_attr(PORT, "firmware_node/real_power_state", "D3cold");
	hello("5000");
	answer = ask("{\"id\":3,\"op\":\"state\",\"bdf\":\"" CARD "\"}");
	port = msg_get(answer, "port");
	siblings = msg_get(answer, "siblings");
	CU_ASSERT_STRING_EQUAL(msg_get_str(answer, "power_state"), "D3cold");
	CU_ASSERT_STRING_EQUAL(msg_get_str(answer, "driver"), "gpu");
	CU_ASSERT_TRUE(msg_is_null(msg_get(answer, "acpi")));
	CU_ASSERT_STRING_EQUAL(msg_get_str(port, "bdf"), PORT);
	CU_ASSERT_STRING_EQUAL(msg_get_str(port, "acpi"), "D3cold");
	CU_ASSERT_EQUAL(msg_count(siblings), 1);
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg_at(siblings, 0), "bdf"), "0000:01:00.1");
	msg_free(answer);
	end();
	fake_free();
}

static void list_tells_of_every_device_and_who_is_needed(void)
{
	struct msg *answer;
	const struct msg *devices, *card;

	start();
	hello("5000");
	answer = ask("{\"id\":3,\"op\":\"list\"}");
	devices = msg_get(answer, "devices");
	card = msg_at(devices, 2);
	CU_ASSERT_EQUAL(msg_count(devices), 5);
	CU_ASSERT_STRING_EQUAL(msg_get_str(card, "bdf"), CARD);
	CU_ASSERT_STRING_EQUAL(msg_get_str(card, "port"), PORT);
	CU_ASSERT_EQUAL(msg_get_int(card, "iommu_group", -1), 5);
	CU_ASSERT_EQUAL(msg_count(msg_get(card, "group")), 2);
	CU_ASSERT_TRUE(msg_is_null(msg_get(card, "needed")));
	CU_ASSERT_PTR_NOT_NULL(msg_get_str(msg_at(devices, 0), "needed"));
	msg_free(answer);
	end();
	fake_free();
}

static void events_come_before_the_answer_of_the_next_request(void)
{
	struct msg *msg;

	start();
	hello("5000");
	msg = ask("{\"id\":3,\"op\":\"watch\",\"bdf\":\"" CARD "\"}");
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg, "witness"), "poll");
	CU_ASSERT_PTR_NOT_NULL(msg_get_str(msg, "why"));
	msg_free(msg);
	fake_attr(CARD, "power/runtime_status", "suspended");
	msg = ask("{\"id\":4,\"op\":\"ping\"}");
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg, "event"), "rpm");
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg, "what"), "suspended");
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg, "bdf"), CARD);
	CU_ASSERT_TRUE(msg_get_int(msg, "error_ns", 0) > 0);
	msg_free(msg);
	CU_ASSERT_TRUE(is_ok(receive()));
	end();
	fake_free();
}

/* "state" waits while the device is on its way, which makes time for something to happen. */
static void events_of_an_operation_come_before_its_answer(void)
{
	struct msg *msg;

	start();
	hello("5000");
	fake_attr(CARD, "power/runtime_status", "active");
	msg_free(ask("{\"id\":3,\"op\":\"watch\",\"bdf\":\"" CARD "\"}"));
	fake_attr(CARD, "power/runtime_status", "suspending");
	send_text("{\"id\":4,\"op\":\"state\",\"bdf\":\"" CARD "\"}");
	usleep(50000);
	fake_attr(CARD, "power/runtime_status", "suspended");
	msg = receive();
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg, "what"), "suspended");
	msg_free(msg);
	msg = receive();
	CU_ASSERT_STRING_EQUAL(msg_get_str(msg, "runtime_status"), "suspended");
	msg_free(msg);
	end();
	fake_free();
}

static void bye_restores_and_ends(void)
{
	start();
	hello("5000");
	claim();
	check_claimed();
	CU_ASSERT_TRUE(is_ok(ask("{\"id\":3,\"op\":\"bye\"}")));
	CU_ASSERT_PTR_NULL(receive());
	CU_ASSERT_EQUAL(end(), 0);
	check_restored();
}

static void release_restores_at_once(void)
{
	start();
	hello("5000");
	claim();
	CU_ASSERT_TRUE(is_ok(ask("{\"id\":3,\"op\":\"release\",\"bdf\":\"" CARD "\"}")));
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	end();
	check_restored();
}

static void the_end_of_the_stream_restores(void)
{
	start();
	hello("5000");
	claim();
	check_claimed();
	CU_ASSERT_EQUAL(end(), 0);
	check_restored();
}

static void a_reader_that_is_gone_restores(void)
{
	start();
	hello("60000");
	claim();
	check_claimed();
	close(agent.from);
	agent.from = agent.to;
	send_text("{\"id\":3,\"op\":\"ping\"}");
	CU_ASSERT_EQUAL(end(), 1);
	check_restored();
}

static void silence_restores_and_ends_the_session(void)
{
	start();
	hello("100");
	claim();
	check_claimed();
	usleep(400000);
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	CU_ASSERT_FALSE(is_ok(ask("{\"id\":3,\"op\":\"ping\"}")));
	CU_ASSERT_TRUE(hello("5000"));
	end();
	check_restored();
}

static void each_signal_restores(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < UNIT_COUNT(signals); i++) {
		start();
		hello("5000");
		claim();
		check_claimed();
		kill(agent.pid, signals[i]);
		CU_ASSERT_PTR_NULL(receive());
		CU_ASSERT_EQUAL(end(), 128 + signals[i]);
		check_restored();
	}
}

static void a_new_hello_restores_what_the_old_session_left(void)
{
	start();
	hello("5000");
	claim();
	check_claimed();
	CU_ASSERT_TRUE(hello("5000"));
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	end();
	check_restored();
}

static void garbage_on_a_pipe_restores_and_fails(void)
{
	start();
	hello("5000");
	claim();
	CU_ASSERT_EQUAL(write(agent.to, "what is this", 12), 12);
	CU_ASSERT_PTR_NULL(receive());
	CU_ASSERT_EQUAL(end(), 1);
	check_restored();
}

static void half_a_frame_and_then_nothing_restores(void)
{
	start();
	hello("5000");
	claim();
	CU_ASSERT_EQUAL(write(agent.to, "CRG\1\377\0", 6), 6);
	CU_ASSERT_EQUAL(end(), 0);
	check_restored();
}

static void a_terminal_is_set_raw_its_noise_skipped_and_it_outlives_a_bye(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	fake_new();
	fake_must(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "pty");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	fake_must(slave >= 0, "pty");
	start_over(slave, slave, master, master);
	agent.reader.hunt = true; /* until the agent is there, the terminal echoes */
	usleep(200000);
	CU_ASSERT_TRUE(write(agent.to, "\nlogin: CR\r\n", 12) == 12);
	CU_ASSERT_TRUE(hello("5000"));
	CU_ASSERT_TRUE(claim());
	CU_ASSERT_TRUE(write(agent.to, "[ 12.3] kernel says\n", 20) == 20);
	CU_ASSERT_TRUE(is_ok(ask("{\"id\":3,\"op\":\"bye\"}")));
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	CU_ASSERT_TRUE(hello("5000"));
	CU_ASSERT_TRUE(claim());
	kill(agent.pid, SIGTERM);
	CU_ASSERT_EQUAL(end(), 128 + SIGTERM);
	check_restored();
}

/* Bytes of the hex dump on the page; how many. */
static size_t example(uint8_t *bytes, size_t size)
{
	FILE *page = fopen(COLDRIG_SOURCE_DIR "/docs/wire.md", "r");
	char line[512];
	unsigned at, used = 0;
	size_t n = 0;

	fake_must(page, "docs/wire.md");
	while (fgets(line, sizeof(line), page)) {
		const char *text = line + 10;
		unsigned byte;
		int read;

		if (sscanf(line, "%8x  ", &at) != 1 || at != n || line[8] != ' ' || line[9] != ' ')
			continue;
		for (used = 0; used < 16 && n < size && sscanf(text, " %2x%n", &byte, &read) == 1;
		     used++, text += read)
			bytes[n++] = (uint8_t)byte;
	}
	fclose(page);
	return n;
}

static void the_example_of_the_page_is_a_hello_that_is_answered(void)
{
	uint8_t bytes[256];
	size_t n = example(bytes, sizeof(bytes));
	struct msg *answer;

	start();
	CU_ASSERT_TRUE_FATAL(n > FRAME_HEADER_SIZE);
	CU_ASSERT_EQUAL(write(agent.to, bytes, n), (ssize_t)n);
	answer = receive();
	CU_ASSERT_TRUE(msg_get_bool(answer, "ok", false));
	CU_ASSERT_STRING_EQUAL(msg_get_str(answer, "nonce"), "5f2a");
	msg_free(answer);
	end();
	fake_free();
}

static void every_operation_is_on_the_page(void)
{
	struct host here = {.root = ""};
	char *page, row[32];

	CU_ASSERT_EQUAL_FATAL(host_read(&here, COLDRIG_SOURCE_DIR "/docs/wire.md", &page), 0);
	for (size_t i = 0; ops_name(i); i++) {
		snprintf(row, sizeof(row), "\n| `%s` |", ops_name(i));
		CU_ASSERT_PTR_NOT_NULL(strstr(page, row));
	}
	free(page);
}

static const struct unit_case cases[] = {
	{"the example of docs/wire.md is a hello that is answered",
	 the_example_of_the_page_is_a_hello_that_is_answered},
	{"every operation is in docs/wire.md", every_operation_is_on_the_page},
	{"hello tells who is there and echoes the nonce",
	 hello_tells_who_is_there_and_echoes_the_nonce},
	{"another protocol is refused", another_protocol_is_refused},
	{"a request before hello is refused", a_request_before_hello_is_refused},
	{"requests that are wrong are refused with words",
	 requests_that_are_wrong_are_refused_with_words},
	{"only a few attributes can be set, and only to their words",
	 only_a_few_attributes_can_be_set_and_only_to_their_words},
	{"state tells of the function, its siblings and port",
	 state_tells_of_the_function_its_siblings_and_port},
	{"list tells of every device and who is needed",
	 list_tells_of_every_device_and_who_is_needed},
	{"events come before the answer of the next request",
	 events_come_before_the_answer_of_the_next_request},
	{"events of an operation come before its answer",
	 events_of_an_operation_come_before_its_answer},
	{"bye restores and ends", bye_restores_and_ends},
	{"release restores at once", release_restores_at_once},
	{"the end of the stream restores", the_end_of_the_stream_restores},
	{"a reader that is gone restores", a_reader_that_is_gone_restores},
	{"silence restores and ends the session", silence_restores_and_ends_the_session},
	{"each signal restores", each_signal_restores},
	{"a new hello restores what the old session left",
	 a_new_hello_restores_what_the_old_session_left},
	{"garbage on a pipe restores and fails", garbage_on_a_pipe_restores_and_fails},
	{"half a frame and then nothing restores", half_a_frame_and_then_nothing_restores},
	{"a terminal is set raw, its noise skipped, and it outlives a bye",
	 a_terminal_is_set_raw_its_noise_skipped_and_it_outlives_a_bye},
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return unit_run("agent session", cases, UNIT_COUNT(cases));
}
