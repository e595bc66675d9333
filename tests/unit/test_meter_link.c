/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The child's side of the process wall. What it tells is in test_meter.c. */
#include "meter_backend.h"

#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* A process that tells something when nobody listens any more; its exit status. */
static int tell_nobody(void)
{
	int ends[2], status = -1;
	pid_t parent = getpid(), child;

	CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
	close(ends[0]);
	child = fork();
	if (child == 0) {
		struct meter_link *link = meter_link_start(ends[1], NULL, parent);
		bool before = meter_link_stopping();

		meter_link_event(link, METER_EVENT_NOTE, "a reading was on its way");
		_exit(!before && meter_link_stopping() ? 7 : 8);
	}
	close(ends[1]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The parent closes the pipe before it asks for the end, and what is told between must not end it at once: the
 * driver would not close the meter. */
static void a_closed_pipe_is_an_orderly_end(void)
{
	CU_ASSERT_EQUAL(tell_nobody(), 7);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"a closed pipe is an orderly end", a_closed_pipe_is_an_orderly_end},
	};

	return unit_run("meter_link", cases, UNIT_COUNT(cases));
}
