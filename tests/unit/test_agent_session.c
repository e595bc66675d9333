/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How sessions begin and end, over pipes and over a terminal. */
#include "agent_talk.h"

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

static const struct unit_case cases[] = {
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
	return unit_run("agent_session", cases, UNIT_COUNT(cases));
}
