/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guardian and its parent, with lines that are files. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lines.h"
#include "unit.h"

#define MS INT64_C(1000000)

static char dir[] = "/tmp/coldrig-test-XXXXXX";

static char *path_of(const char *name)
{
	static char paths[4][64];
	static int n;
	char *path = paths[n++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static struct lab_line fake(char *path, enum lab_safe safe)
{
	return (struct lab_line){.kind = LAB_LINE_FAKE, .file = path, .safe = safe};
}

static struct lines *open_fakes(const struct lab_line *wires, size_t n)
{
	struct line_options options[LINES_MAX];
	struct lines *lines = NULL;
	struct err err = {""};

	for (size_t i = 0; i < n; i++)
		options[i] = (struct line_options){&wires[i], "lab.yaml:1:2: lines: reset"};
	CU_ASSERT_EQUAL_FATAL(lines_open(options, n, &lines, &err), 0);
	return lines;
}

/* The levels that a fake was given, as a string of 0 and 1. */
static const char *levels(const char *path)
{
	static char text[64];
	FILE *file = fopen(path, "re");
	long long t;
	char level;
	size_t n = 0;

	while (file && n < sizeof(text) - 1 && fscanf(file, "%lld %c", &t, &level) == 2)
		text[n++] = level;
	text[n] = '\0';
	if (file)
		fclose(file);
	return text;
}

/* Until it has as many as wanted, at most 5 s: somebody else writes it. */
static const char *await_levels(const char *path, size_t wanted)
{
	const struct timespec pause = {.tv_nsec = 5 * MS};

	for (int i = 0; i < 1000 && strlen(levels(path)) < wanted; i++)
		nanosleep(&pause, NULL);
	return levels(path);
}

static void what_is_set_is_read_and_ends_safe(void)
{
	char *path = path_of("set");
	struct lab_line wire = fake(path, LAB_SAFE_OFF);
	struct lines *lines = open_fakes(&wire, 1);
	bool active = true;

	CU_ASSERT_STRING_EQUAL(lines_text(lines, 0), path);
	CU_ASSERT_EQUAL(lines_read(lines, 0, &active, NULL), 0);
	CU_ASSERT_FALSE(active);
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, NULL), 0);
	CU_ASSERT_EQUAL(lines_read(lines, 0, &active, NULL), 0);
	CU_ASSERT_TRUE(active);
	CU_ASSERT_STRING_EQUAL(levels(path), "1");
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(path), "10");
	lines_close(NULL);
}

static void what_was_never_driven_is_left_as_found(void)
{
	char *path = path_of("found");
	struct lab_line wires[] = {fake(path, LAB_SAFE_ON), fake(path_of("other"), LAB_SAFE_ON)};
	struct lines *lines = open_fakes(wires, 2);
	bool active;

	CU_ASSERT_EQUAL(lines_read(lines, 0, &active, NULL), 0);
	CU_ASSERT_EQUAL(lines_set(lines, 1, false, NULL), 0);
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(path), "");
	CU_ASSERT_STRING_EQUAL(levels(wires[1].file), "01");
}

static void what_shall_be_kept_is_kept(void)
{
	char *path = path_of("kept");
	struct lab_line wire = fake(path, LAB_SAFE_ON);
	struct lines *lines = open_fakes(&wire, 1);

	CU_ASSERT_EQUAL(lines_set(lines, 0, false, NULL), 0);
	CU_ASSERT_EQUAL(lines_keep(lines, 0, NULL), 0);
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(path), "0");
}

static void a_pulse_holds_and_lets_go(void)
{
	struct lab_line wires[] = {fake(path_of("pulse"), LAB_SAFE_OFF),
				   fake(path_of("free"), LAB_SAFE_OFF)};
	struct lines *lines = open_fakes(wires, 2);
	struct line_event event;
	uint32_t request = 0;
	struct err err = {""};
	bool active = false;
	struct timespec begin, end;

	CU_ASSERT_EQUAL(lines_begin(lines, 0, LINE_PULSE, true, 300 * MS, &request, NULL), 0);
	/* The other line is served meanwhile, this one only read. */
	CU_ASSERT_EQUAL(lines_set(lines, 1, true, NULL), 0);
	CU_ASSERT_EQUAL(lines_read(lines, 0, &active, NULL), 0);
	CU_ASSERT_TRUE(active);
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, &err), -EBUSY);
	CU_ASSERT_STRING_EQUAL(err.text, "lab.yaml:1:2: lines: reset: a pulse is under way");
	while (!lines_next(lines, &event)) {
		struct pollfd p = {.fd = lines_fd(lines), .events = POLLIN};

		CU_ASSERT_EQUAL_FATAL(poll(&p, 1, 5000), 1);
	}
	CU_ASSERT_EQUAL(event.kind, LINE_DONE);
	CU_ASSERT_EQUAL(event.request, request);
	CU_ASSERT_EQUAL(event.code, 0);
	CU_ASSERT_FALSE(event.active);
	CU_ASSERT_STRING_EQUAL(levels(wires[0].file), "10");

	clock_gettime(CLOCK_MONOTONIC, &begin);
	CU_ASSERT_EQUAL(lines_pulse(lines, 0, false, 100 * MS, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	CU_ASSERT((end.tv_sec - begin.tv_sec) * 1000 * MS + end.tv_nsec - begin.tv_nsec >=
		  100 * MS);
	CU_ASSERT_STRING_EQUAL(levels(wires[0].file), "1001");
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(wires[0].file), "10010");
}

static void a_close_within_a_pulse_lets_go(void)
{
	struct lab_line wire = fake(path_of("cut"), LAB_SAFE_OFF);
	struct lines *lines = open_fakes(&wire, 1);
	uint32_t request;

	CU_ASSERT_EQUAL(lines_begin(lines, 0, LINE_PULSE, true, 60000 * MS, &request, NULL), 0);
	CU_ASSERT_STRING_EQUAL(await_levels(wire.file, 1), "1");
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(wire.file), "10");
}

/* A process that has lines, has driven them, and is ended from outside by a signal. */
static void end_holder(struct lab_line *wires, size_t n, int number)
{
	int ready[2];
	char byte;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct lines *lines = open_fakes(wires, n);

		for (size_t i = 0; i < n; i++)
			lines_set(lines, i, wires[i].safe == LAB_SAFE_OFF, NULL);
		(void)!write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	kill(pid, number);
	waitpid(pid, NULL, 0);
	close(ready[0]);
}

static void whatever_kills_the_parent_lines_end_safe(void)
{
	static const int signals[] = {SIGKILL, SIGINT, SIGHUP, SIGTERM, SIGQUIT};

	for (size_t i = 0; i < UNIT_COUNT(signals); i++) {
		char names[2][16];
		struct lab_line wires[2];

		snprintf(names[0], sizeof(names[0]), "off%zu", i);
		snprintf(names[1], sizeof(names[1]), "on%zu", i);
		wires[0] = fake(path_of(names[0]), LAB_SAFE_OFF);
		wires[1] = fake(path_of(names[1]), LAB_SAFE_ON);
		end_holder(wires, 2, signals[i]);
		CU_ASSERT_STRING_EQUAL(await_levels(wires[0].file, 2), "10");
		CU_ASSERT_STRING_EQUAL(await_levels(wires[1].file, 2), "01");
	}
}

static void a_wire_of_two_lines_is_opened_once(void)
{
	char *path = path_of("shared");
	struct lab_line wires[] = {fake(path, LAB_SAFE_OFF), fake(path, LAB_SAFE_OFF)};
	struct lines *lines = open_fakes(wires, 2);
	bool active = false;

	CU_ASSERT_EQUAL(lines_set(lines, 0, true, NULL), 0);
	CU_ASSERT_EQUAL(lines_read(lines, 1, &active, NULL), 0);
	CU_ASSERT_TRUE(active);
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(path), "10");
}

static bool next_edge(struct lines *lines, struct line_event *event)
{
	for (int i = 0; i < 100; i++) {
		struct pollfd p = {.fd = lines_fd(lines), .events = POLLIN};

		if (lines_next(lines, event))
			return event->kind == LINE_EDGE;
		poll(&p, 1, 50);
	}
	return false;
}

static void edges_of_a_recording_come_with_their_times(void)
{
	struct lab_line wire = {.kind = LAB_LINE_REPLAY, .file = path_of("record")};
	FILE *file = fopen(wire.file, "we");
	struct line_event event[3];
	struct lines *lines;
	struct err err = {""};

	fputs("7000000000 1\n7400000000 0\n7800000000 1\n", file);
	fclose(file);
	lines = open_fakes(&wire, 1);
	CU_ASSERT_EQUAL(lines_watch(lines, 0, NULL), 0);
	for (size_t i = 0; i < UNIT_COUNT(event); i++) {
		CU_ASSERT_FATAL(next_edge(lines, &event[i]));
		CU_ASSERT_EQUAL(event[i].active, i != 1);
	}
	/* However late this process was looked after, the truth lies within what is said. */
	for (size_t i = 1; i < UNIT_COUNT(event) - 1; i++)
		CU_ASSERT(llabs(event[i + 1].t_ns - event[i].t_ns - 400 * MS) <=
			  event[i].error_ns + event[i + 1].error_ns);
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, &err), -ENOTSUP);
	CU_ASSERT_STRING_EQUAL(err.text, "lab.yaml:1:2: lines: reset: it can only be read");
	lines_close(lines);
}

static void a_line_that_is_not_there_is_named(void)
{
	struct lab_line wires[] = {fake(path_of("there"), LAB_SAFE_OFF),
				   {.kind = LAB_LINE_REPLAY, .file = path_of("nowhere")}};
	struct line_options options[] = {{&wires[0], "a"},
					 {&wires[1], "l.yaml:3:4: lines: presence"}};
	struct lines *lines = NULL;
	struct err err = {""};
	char want[128];

	snprintf(want, sizeof(want), "l.yaml:3:4: lines: presence: %s: No such file or directory",
		 wires[1].file);
	CU_ASSERT_EQUAL(lines_open(options, 2, &lines, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, want);
	CU_ASSERT_PTR_NULL(lines);
}

static void a_disk_that_is_full_is_told(void)
{
	char full[] = "/dev/full";
	struct lab_line wire = fake(full, LAB_SAFE_KEEP);
	struct line_options options = {&wire, NULL};
	struct lines *lines = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL_FATAL(lines_open(&options, 1, &lines, &err), 0);
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "/dev/full: Input/output error");
	lines_close(lines);
}

static pid_t child_of_this(void)
{
	char path[64];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	file = fopen(path, "re");
	if (file && fscanf(file, "%d", &pid) != 1)
		pid = 0;
	if (file)
		fclose(file);
	return pid;
}

static void a_guardian_that_is_killed_is_missed(void)
{
	struct lab_line wire = fake(path_of("orphan"), LAB_SAFE_OFF);
	struct lines *lines = open_fakes(&wire, 1);
	pid_t guardian = child_of_this();
	struct line_event event;
	struct err err = {""};

	CU_ASSERT_FATAL(guardian > 0);
	/* SIGTERM it takes as the end of its work. */
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, NULL), 0);
	kill(guardian, SIGTERM);
	CU_ASSERT_STRING_EQUAL(await_levels(wire.file, 2), "10");
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, &err), -EPIPE);
	CU_ASSERT_STRING_EQUAL(err.text, "lab.yaml:1:2: lines: reset: the guardian of the lines "
					 "(coldrig-lines) was ended");
	CU_ASSERT_FALSE(lines_next(lines, &event) && event.kind != LINE_LOST);
	CU_ASSERT_FALSE(lines_next(lines, &event));
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, &err), -EPIPE);
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(wire.file), "10");
}

static void what_a_killed_guardian_held_is_let_go(void)
{
	struct lab_line wires[] = {fake(path_of("held"), LAB_SAFE_OFF),
				   fake(path_of("stays"), LAB_SAFE_KEEP)};
	struct lines *lines = open_fakes(wires, 2);
	struct line_event event = {.kind = LINE_DONE};
	struct err err = {""};
	uint32_t request;

	CU_ASSERT_EQUAL(lines_set(lines, 1, true, NULL), 0);
	CU_ASSERT_EQUAL(lines_begin(lines, 0, LINE_PULSE, true, 60000 * MS, &request, NULL), 0);
	CU_ASSERT_STRING_EQUAL(await_levels(wires[0].file, 1), "1");
	kill(child_of_this(), SIGKILL);
	CU_ASSERT_EQUAL(poll(&(struct pollfd){.fd = lines_fd(lines), .events = POLLIN}, 1, 5000),
			1);
	CU_ASSERT_TRUE(lines_next(lines, &event));
	CU_ASSERT_EQUAL(event.kind, LINE_LOST);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(event.why.text, "was killed: what was driven is in its safe"));
	CU_ASSERT_STRING_EQUAL(levels(wires[0].file), "10");
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, &err), -EPIPE);
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(wires[0].file), "10");
	CU_ASSERT_STRING_EQUAL(levels(wires[1].file), "1");
	/* Also if nobody noticed before the end. */
	lines = open_fakes(wires, 1);
	CU_ASSERT_EQUAL(lines_set(lines, 0, true, NULL), 0);
	kill(child_of_this(), SIGKILL);
	lines_close(lines);
	CU_ASSERT_STRING_EQUAL(levels(wires[0].file), "1010");
}

static void who_waits_for_a_killed_guardian_is_told(void)
{
	struct lab_line wire = fake(path_of("waited"), LAB_SAFE_ON);
	struct lines *lines = open_fakes(&wire, 1);
	pid_t guardian = child_of_this(), killer = fork();
	struct err err = {""};

	if (killer == 0) {
		await_levels(wire.file, 1);
		kill(guardian, SIGKILL);
		_exit(0);
	}
	CU_ASSERT_EQUAL(lines_pulse(lines, 0, false, 60000 * MS, &err), -EPIPE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "was killed: what was driven is in its safe"));
	CU_ASSERT_STRING_EQUAL(levels(wire.file), "01");
	waitpid(killer, NULL, 0);
	lines_close(lines);
}

static const struct unit_case cases[] = {
	{"what is set is read, and ends safe", what_is_set_is_read_and_ends_safe},
	{"what was never driven is left as found", what_was_never_driven_is_left_as_found},
	{"what shall be kept is kept", what_shall_be_kept_is_kept},
	{"a pulse holds and lets go", a_pulse_holds_and_lets_go},
	{"a close within a pulse lets go", a_close_within_a_pulse_lets_go},
	{"whatever kills the parent, lines end safe", whatever_kills_the_parent_lines_end_safe},
	{"a wire of two lines is opened once", a_wire_of_two_lines_is_opened_once},
	{"edges of a recording come with their times", edges_of_a_recording_come_with_their_times},
	{"a line that is not there is named", a_line_that_is_not_there_is_named},
	{"a disk that is full is told", a_disk_that_is_full_is_told},
	{"a guardian that is killed is missed", a_guardian_that_is_killed_is_missed},
	{"what a killed guardian held is let go", what_a_killed_guardian_held_is_let_go},
	{"who waits for a killed guardian is told", who_waits_for_a_killed_guardian_is_told},
};

int main(void)
{
	char command[64];
	int r;

	if (!mkdtemp(dir))
		return 2;
	r = unit_run("lines", cases, UNIT_COUNT(cases));
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? r : 2;
}
