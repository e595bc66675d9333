/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "line_backend.h"
#include "unit.h"

#define MS	   INT64_C(1000000)
#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

static char sh[] = "/bin/sh", c[] = "-c";

static void *open_command(const struct lab_command *command)
{
	const struct lab_line line = {.kind = LAB_LINE_COMMAND, .command = *command};
	void *state = NULL;

	CU_ASSERT_EQUAL_FATAL(line_command_backend.open(&line, &state, NULL), 0);
	return state;
}

/* What a query that prints a text is taken for: 1, 0, or negative errno. */
static int ask(char *script, struct err *err)
{
	const struct lab_command command = {.query = WORDS(sh, c, script), .limit_ns = 5000 * MS};
	void *state = open_command(&command);
	bool active = false;
	int r = line_command_backend.read(state, &active, err);

	line_command_backend.close(state);
	return r < 0 ? r : active;
}

static void queries_are_understood(void)
{
	static const struct {
		const char *script;
		int wanted;
	} rows[] = {
		{"echo on", 1},
		{"echo 'Chassis Power is off'", 0},
		{"echo 'INTEGER: 1'", 1},
		{"echo 'INTEGER: off(0)'", 0},
		{"printf 'warning\\n OFF \\n\\n'", 0},
		{"echo on >&2", 1},
		{"echo maybe", -EBADMSG},
		{"true", -EBADMSG},
		{"head -c 100000 /dev/zero | tr '\\0' x; echo; echo on", 1},
		{"echo on; exit 1", -EIO},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		CU_ASSERT_EQUAL(ask((char *)rows[i].script, NULL), rows[i].wanted);
}

static void words_go_to_the_program_as_they_are(void)
{
	char test[] = "/usr/bin/test", x[] = "a b;$(c)", is[] = "=";
	struct lab_command command = {
		.on = WORDS(test, x, is, x), .off = WORDS(test, x, is, c), .limit_ns = 5000 * MS};
	void *state = open_command(&command);
	char text[LINE_TEXT_SIZE];
	struct err err = {""};
	bool active;

	CU_ASSERT_EQUAL(line_command_backend.set(state, true, &err), 0);
	CU_ASSERT_EQUAL(line_command_backend.set(state, false, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "/usr/bin/test: ended with status 1: it said nothing");
	CU_ASSERT_EQUAL(line_command_backend.read(state, &active, &err), -ENODATA);
	CU_ASSERT_EQUAL(line_command_backend.cycle(state, &err), -ENOTSUP);
	line_command_backend.describe(state, text);
	CU_ASSERT_STRING_EQUAL(text, "commands: on off");
	line_command_backend.close(state);
}

static void what_goes_wrong_is_told_in_its_words(void)
{
	struct err err = {""};
	char nowhere[] = "/nonexistent/pdu";
	struct lab_command command = {.on = WORDS(nowhere), .limit_ns = 5000 * MS};
	void *state = open_command(&command);

	CU_ASSERT_EQUAL(line_command_backend.set(state, true, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "/nonexistent/pdu: No such file or directory: cannot be "
					 "run: install it, or write its path");
	line_command_backend.close(state);

	CU_ASSERT_EQUAL(ask((char *)"echo first; echo 'no route to PDU' >&2; exit 3", &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "/bin/sh: ended with status 3: no route to PDU");
	CU_ASSERT_EQUAL(ask((char *)"kill -9 $$", &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "/bin/sh: ended by Killed");
	CU_ASSERT_EQUAL(ask((char *)"printf 'a\\033[2Jb'", &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "'a?[2Jb'"));
}

/* With all that it has started. */
static void one_that_hangs_is_ended_at_its_limit(void)
{
	char path[] = "/tmp/coldrig-test-XXXXXX", script[128];
	struct lab_command command = {.on = WORDS(sh, c, script), .limit_ns = 200 * MS};
	struct timespec begin, end;
	struct err err = {""};
	int fd = mkstemp(path);
	void *state;

	CU_ASSERT_FATAL(fd >= 0);
	snprintf(script, sizeof(script), "(sleep 3; echo x >%s) & sleep 60", path);
	state = open_command(&command);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	CU_ASSERT_EQUAL(line_command_backend.set(state, true, &err), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CU_ASSERT_STRING_EQUAL(err.text, "/bin/sh: not done after 0.2 s: killed; see its limit in "
					 "the lab file");
	CU_ASSERT(end.tv_sec - begin.tv_sec < 30);
	line_command_backend.close(state);
	nanosleep(&(struct timespec){.tv_sec = 4}, NULL);
	CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	unlink(path);
}

static void who_leaves_something_behind_is_not_waited_for(void)
{
	struct lab_command command = {.on = WORDS(sh, c, (char *)"sleep 30 & echo started"),
				      .limit_ns = 20000 * MS};
	void *state = open_command(&command);
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	CU_ASSERT_EQUAL(line_command_backend.set(state, true, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CU_ASSERT(end.tv_sec - begin.tv_sec < 15);
	line_command_backend.close(state);
}

static const struct unit_case cases[] = {
	{"queries are understood", queries_are_understood},
	{"words go to the program as they are", words_go_to_the_program_as_they_are},
	{"what goes wrong is told in its words", what_goes_wrong_is_told_in_its_words},
	{"one that hangs is ended at its limit", one_that_hangs_is_ended_at_its_limit},
	{"who leaves something behind is not waited for",
	 who_leaves_something_behind_is_not_waited_for},
};

int main(void)
{
	return unit_run("line command", cases, UNIT_COUNT(cases));
}
