/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the suite makes of tests that pass, fail, skip, hang, crash and die; and of a signal. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "growth.h"
#include "ktap.h"

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "selftest: %s\n", what);
	exit(1);
}

static void do_return(const void *what)
{
	note("noted %s", (const char *)what);
}

static void do_fail(const void *what)
{
	(void)what;
	check(1 + 1 == 3, "%d is not 3", 1 + 1);
	abort();
}

static void do_skip(const void *what)
{
	(void)what;
	skip("no %s", "such thing");
}

static void do_hang(const void *what)
{
	(void)what;
	signal(SIGTERM, SIG_IGN);
	for (;;)
		pause();
}

static void do_crash(const void *what)
{
	(void)what;
	note("before the crash");
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void do_exit(const void *what)
{
	(void)what;
	_exit(7);
}

/* A process that would outlive the test and hold its pipe for ever. */
static void do_leave_process(const void *what)
{
	(void)what;
	if (fork() == 0) {
		for (;;)
			pause();
	}
}

static void do_stop_parent(const void *what)
{
	(void)what;
	kill(getppid(), SIGTERM);
	for (;;)
		pause();
}

static struct child_result run(void (*test)(const void *what))
{
	struct child_result result;

	child_run(test, "this", 1, -1, &result);
	return result;
}

static void test_verdicts(void)
{
	struct child_result r = run(do_return);

	require(r.verdict.outcome == OUTCOME_PASS, "returning is no pass");
	require(strcmp(r.verdict.notes, "noted this\n") == 0, "a note is lost");
	r = run(do_fail);
	require(r.verdict.outcome == OUTCOME_FAIL, "a check that does not hold is no failure");
	require(strcmp(r.verdict.reason, "2 is not 3") == 0, "the reason of a failure is lost");
	r = run(do_skip);
	require(r.verdict.outcome == OUTCOME_SKIP, "a skip is none");
	require(strcmp(r.verdict.reason, "no such thing") == 0, "the reason of a skip is lost");
}

static void test_accidents(void)
{
	struct child_result r = run(do_crash);

	require(r.verdict.outcome == OUTCOME_FAIL, "a crash is no failure");
	require(strncmp(r.verdict.reason, "crashed: ", 9) == 0, "a crash is not told");
	require(strcmp(r.verdict.notes, "before the crash\n") == 0, "a crash loses notes");
	r = run(do_exit);
	require(r.verdict.outcome == OUTCOME_FAIL, "an end without a verdict is no failure");
	r = run(do_leave_process);
	require(r.verdict.outcome == OUTCOME_PASS, "a process left behind hinders");
}

static void test_hang(void)
{
	uint64_t start = clock_ms();
	struct child_result r = run(do_hang);

	require(r.timeout && r.verdict.outcome == OUTCOME_FAIL, "a hang is no timeout");
	require(!r.stuck, "a child that can be killed is called stuck");
	require(clock_ms() - start >= 1000 && clock_ms() - start < 5000, "the time limit is off");
}

static void test_signal(void)
{
	struct child_result r = run(do_stop_parent);

	require(r.signal == SIGTERM, "a signal is not seen");
	require(!r.timeout, "an interrupted test is called a timeout");
	raise(SIGHUP);
	require(child_signal() == SIGHUP, "a signal between tests is not seen");
	require(child_signal() == 0, "a signal is seen twice");
}

static void test_ktap(void)
{
	struct child_result hang = run(do_hang), skipped = run(do_skip);
	struct ktap ktap = {0};

	ktap_plan(2);
	ktap_result(&ktap, "hangs", &hang);
	ktap_result(&ktap, "skips", &skipped);
	ktap_end(&ktap);
	require(ktap.failed == 1 && ktap.skipped == 1 && ktap.passed == 0, "the sum is wrong");
}

/* Counts after cycles 1 to 15, and whether they show growth beyond doubt. */
static const struct {
	const char *what;
	double count[15];
	bool grows;
} growths[] = {
	{"one more in each cycle", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}, true},
	{"one more, after a release", {900, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}, true},
	{"one more, with noise", {0, 3, 1, 2, 6, 5, 4, 8, 7, 10, 12, 9, 11, 14, 13}, true},
	{"nothing", {0}, false},
	{"less", {9, 9, 8, 8, 7, 7, 6, 5, 5, 4, 3, 3, 2, 1, 0}, false},
	{"a jump", {0, 0, 0, 0, 0, 0, 0, 512, 512, 512, 512, 512, 512, 512, 512}, false},
	{"one that stays too", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}, false},
	{"a wave", {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2}, false},
	{"noise", {3, 350, -47, 0, 349, -47, 0, 12, 349, 0, -47, 349, 349, 2, 5}, false},
	{"one in twenty cycles",
	 {0, .05, .1, .15, .2, .25, .3, .35, .4, .45, .5, .55, .6, .65, .7},
	 false},
};

static void test_growth(void)
{
	double cycle[15];

	for (size_t i = 0; i < 15; i++)
		cycle[i] = (double)i + 1;
	for (size_t i = 0; i < sizeof(growths) / sizeof(growths[0]); i++) {
		struct growth growth = growth_of(cycle, growths[i].count, 15);

		require(growth_exceeds(&growth, 0.1) == growths[i].grows, growths[i].what);
		require(growth.low <= growth.slope && growth.slope <= growth.high,
			"a slope is outside of its interval");
	}
}

int main(void)
{
	child_init();
	test_growth();
	test_verdicts();
	test_accidents();
	test_hang();
	test_signal();
	test_ktap();
	return 0;
}
