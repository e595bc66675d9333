/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* How long a killed child may take to go: closing a device may wait for a reset and a resume. */
#define GO_MS 5000

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static sigset_t blocked(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&set, ends[i]);
	return set;
}

static void on_child(int signal)
{
	(void)signal;
}

void child_init(void)
{
	struct sigaction action = {.sa_handler = on_child};
	sigset_t set = blocked();

	/* Not ignored, or it would not be queued. */
	sigaction(SIGCHLD, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int wait_signal(unsigned ms)
{
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	sigset_t set = blocked();

	return sigtimedwait(&set, NULL, &limit);
}

int child_signal(void)
{
	int signal;

	while ((signal = wait_signal(0)) == SIGCHLD)
		;
	return signal > 0 ? signal : 0;
}

static struct verdict *shared(void)
{
	void *at = mmap(NULL, sizeof(struct verdict), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED) {
		perror("vfio-pm-conformance: mmap");
		abort();
	}
	return at;
}

static _Noreturn void be_child(void (*run)(const void *what), const void *what, int close_fd,
			       struct verdict *verdict)
{
	sigset_t set = blocked();

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(close_fd);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	verdict_use(verdict);
	run(what);
	pass();
}

/* True when it has ended within that time; a signal that asks for an end stops the waiting. */
static bool reap(pid_t pid, unsigned ms, int *status, int *end_signal)
{
	uint64_t limit = clock_ms() + ms;

	for (;;) {
		uint64_t now;
		int signal;

		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		now = clock_ms();
		if (now >= limit)
			return false;
		signal = wait_signal((unsigned)(limit - now));
		if (signal > 0 && signal != SIGCHLD && end_signal) {
			*end_signal = signal;
			return false;
		}
	}
}

static void say_end(struct verdict *verdict, int status)
{
	if (WIFSIGNALED(status))
		snprintf(verdict->reason, sizeof(verdict->reason), "crashed: %s",
			 strsignal(WTERMSIG(status)));
	else
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "ended with status %d without a verdict", WEXITSTATUS(status));
	verdict->outcome = OUTCOME_FAIL;
}

static void stop(pid_t pid, unsigned timeout_s, struct child_result *result)
{
	struct verdict *verdict = &result->verdict;
	int status;

	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	result->stuck = !reap(pid, GO_MS, &status, NULL);
	result->timeout = !result->signal;
	verdict->outcome = OUTCOME_FAIL;
	snprintf(verdict->reason, sizeof(verdict->reason), "%s%s",
		 result->signal ? "interrupted" : "no end within the time limit",
		 result->stuck ? ", and cannot be killed: it sleeps in the kernel" : "");
	if (!result->signal)
		snprintf(verdict->reason + strlen(verdict->reason),
			 sizeof(verdict->reason) - strlen(verdict->reason), " (%u s)", timeout_s);
}

void child_run(void (*run)(const void *what), const void *what, unsigned timeout_s, int close_fd,
	       struct child_result *result)
{
	struct verdict *verdict = shared();
	int status = 0;
	bool ended;
	pid_t pid;

	*result = (struct child_result){0};
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("vfio-pm-conformance: fork");
		abort();
	}
	if (pid == 0)
		be_child(run, what, close_fd, verdict);
	ended = reap(pid, timeout_s * 1000, &status, &result->signal);
	result->verdict = *verdict;
	if (!ended)
		stop(pid, timeout_s, result);
	else if (verdict->outcome == OUTCOME_NONE || !WIFEXITED(status))
		say_end(&result->verdict, status);
	/* What is left of its group: processes that the test started. */
	kill(-pid, SIGKILL);
	munmap(verdict, sizeof(*verdict));
}
