/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the suite makes of tests that pass, fail, skip, hang, crash and die; and of a signal. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
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

int main(void)
{
	child_init();
	test_verdicts();
	test_accidents();
	test_hang();
	test_signal();
	test_ktap();
	return 0;
}
