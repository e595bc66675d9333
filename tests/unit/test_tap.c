/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

/* A console whose far end is the test's. */
struct bench {
	int far;
	struct tap *tap;
	char log[32];
	int near;
	struct console_event event; /* the last one */
	int events, fails_with;
};

static struct bench ready(const char *break_text)
{
	struct bench b = {.log = "/tmp/coldrig-tap-XXXXXX"};
	struct tap_options options = {.break_text = break_text, .log_path = b.log};
	int fds[2], fd = mkstemp(b.log);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	close(fd);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	b.near = fds[0];
	b.far = fds[1];
	CU_ASSERT_EQUAL_FATAL(transport_wrap(b.near, false, &options.transport), 0);
	CU_ASSERT_EQUAL_FATAL(tap_open(&options, &b.tap, NULL), 0);
	return b;
}

static void end(struct bench *b)
{
	tap_close(b->tap);
	unlink(b->log);
	close(b->near);
	if (b->far >= 0)
		close(b->far);
}

static int on_event(const struct console_event *event, void *context, struct err *err)
{
	struct bench *b = context;

	(void)err;
	b->event = *event;
	b->events++;
	return b->fails_with;
}

static void say(struct bench *b, const char *text)
{
	CU_ASSERT_EQUAL(write(b->far, text, strlen(text)), (ssize_t)strlen(text));
}

/* How often the log has a text. */
static int logged(const struct bench *b, const char *text)
{
	char line[256];
	FILE *file = fopen(b->log, "r");
	int n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while (fgets(line, sizeof(line), file))
		n += strstr(line, text) != NULL;
	fclose(file);
	return n;
}

static void lines_are_kept_with_their_time_and_known(void)
{
	struct bench b = ready(NULL);

	CU_ASSERT_EQUAL(tap_heard_ns(b.tap), 0);
	say(&b, "hello\r\n[ 1.0] Kernel panic - not");
	CU_ASSERT_EQUAL(tap_take(b.tap, on_event, &b, NULL), 0);
	CU_ASSERT_EQUAL(b.events, 0);
	say(&b, " syncing: x\n");
	CU_ASSERT_EQUAL(tap_take(b.tap, on_event, &b, NULL), 0);
	CU_ASSERT_EQUAL(b.events, 1);
	CU_ASSERT_EQUAL(b.event.kind, CONSOLE_PANIC);
	CU_ASSERT_TRUE(b.event.t_ns > 0 && b.event.t_ns <= tap_heard_ns(b.tap));
	CU_ASSERT_EQUAL(logged(&b, " hello\n"), 1);
	CU_ASSERT_EQUAL(logged(&b, " [ 1.0] Kernel panic - not syncing: x\n"), 1);
	end(&b);
}

static void a_console_that_ends_says_so_once_and_is_not_waited_for(void)
{
	struct bench b = ready(NULL);

	close(b.far);
	b.far = -1;
	CU_ASSERT_EQUAL(tap_take(b.tap, on_event, &b, NULL), 0);
	CU_ASSERT_EQUAL(tap_take(b.tap, on_event, &b, NULL), 0);
	CU_ASSERT_EQUAL(tap_fd(b.tap), -1);
	CU_ASSERT_EQUAL(logged(&b, "the console ended"), 1);
	end(&b);
}

static void what_the_receiver_says_is_the_answer(void)
{
	struct bench b = ready(NULL);

	b.fails_with = -ENOSPC;
	say(&b, "BUG: x\n");
	CU_ASSERT_EQUAL(tap_take(b.tap, on_event, &b, NULL), -ENOSPC);
	end(&b);
}

static void a_key_follows_a_break_where_there_is_one(void)
{
	struct bench with = ready("\xff\xf3"), without = ready(NULL);
	char bytes[8] = "";

	CU_ASSERT_TRUE(tap_can_sysrq(with.tap));
	CU_ASSERT_EQUAL(tap_sysrq(with.tap, 'b'), 0);
	CU_ASSERT_EQUAL(read(with.far, bytes, sizeof(bytes)), 3);
	CU_ASSERT_EQUAL(memcmp(bytes,
			       "\xff\xf3"
			       "b",
			       3),
			0);
	CU_ASSERT_FALSE(tap_can_sysrq(without.tap));
	CU_ASSERT_EQUAL(tap_sysrq(without.tap, 'b'), -ENOTTY);
	end(&with);
	end(&without);
}

static const struct unit_case cases[] = {
	{"lines are kept with their time, and known", lines_are_kept_with_their_time_and_known},
	{"a console that ends says so once, and is not waited for",
	 a_console_that_ends_says_so_once_and_is_not_waited_for},
	{"what the receiver says is the answer", what_the_receiver_says_is_the_answer},
	{"a key follows a break where there is one", a_key_follows_a_break_where_there_is_one},
};

int main(void)
{
	return unit_run("tap", cases, UNIT_COUNT(cases));
}
