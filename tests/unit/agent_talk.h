/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole agent but main(), in a child process, and requests to it. One at a time. */
#ifndef COLDRIG_AGENT_TALK_H
#define COLDRIG_AGENT_TALK_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "agent_fake.h"
#include "frame.h"
#include "msg.h"
#include "session.h"
#include "unit.h"

#define CARD	 "0000:01:00.0"
#define PORT	 "0000:00:05.0"
#define LIMIT_MS 5000

static struct {
	pid_t pid;
	int to, from;
	struct frame_reader reader;
} agent;

static inline void start_over(int in, int out, int to, int from)
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

static inline void start(void)
{
	int to[2], from[2];

	fake_new();
	fake_file("/proc/sys/kernel/random/boot_id", "some-boot");
	fake_must(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0, "pipe");
	start_over(to[0], from[1], to[1], from[0]);
}

static inline void send_text(const char *text)
{
	CU_ASSERT_EQUAL(frame_write(agent.to, text, strlen(text), 1000000000), 0);
}

/* The next message, to be freed; NULL at the end of the stream or after the limit. */
static inline struct msg *receive(void)
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

static inline struct msg *ask(const char *text)
{
	send_text(text);
	return receive();
}

static inline bool is_ok(struct msg *answer)
{
	bool ok = msg_get_bool(answer, "ok", false);

	msg_free(answer);
	return ok;
}

/* What the refusal says, "" for an answer; valid until the next call. */
static inline const char *refused(struct msg *answer, int code)
{
	static char text[256];
	const char *words = msg_get_str(answer, "error");

	snprintf(text, sizeof(text), "%s", words ? words : "");
	CU_ASSERT_EQUAL(msg_get_int(answer, "errno", 0), code);
	msg_free(answer);
	return text;
}

static inline bool hello(const char *quiet_ms)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "{\"id\":1,\"op\":\"hello\",\"proto\":2,\"nonce\":\"n\",\"quiet_limit_ms\":%s}",
		 quiet_ms);
	return is_ok(ask(text));
}

static inline bool claim(void)
{
	return is_ok(ask("{\"id\":2,\"op\":\"claim\",\"bdf\":\"" CARD "\"}"));
}

/* The exit status, 1000 + the signal for a death by one. */
static inline int end(void)
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
static inline void check_restored(void)
{
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "0");
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "power/control"), "on");
	fake_free();
}

static inline void check_claimed(void)
{
	CU_ASSERT_STRING_EQUAL(fake_attr_text(PORT, "d3cold_allowed"), "1");
}

#endif
