/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the agent answers. */
#include "agent_talk.h"
#include "ops.h"

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
};

int main(void)
{
	return unit_run("agent_ops", cases, UNIT_COUNT(cases));
}
