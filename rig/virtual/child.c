/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_LIMIT_MS 1000

static _Noreturn void become(char *const argv[], const int kept[], size_t n, int errors, int report,
			     pid_t parent)
{
	sigset_t none;
	int code;

	/* The parent may have died before prctl() was reached. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	for (size_t i = 0; i < n; i++)
		(void)fcntl(kept[i], F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(errors, STDERR_FILENO) >= 0)
		execvp(argv[0], argv);
	code = errno;
	(void)!write(report, &code, sizeof(code));
	_exit(127);
}

/* The pipe ends with the child's execution, or brings the reason why there was none. */
static int await_execution(int report)
{
	int code = 0;
	ssize_t n;

	do {
		n = read(report, &code, sizeof(code));
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(code) ? -code : 0;
}

int child_start(struct child *c, char *const argv[], const int kept[], size_t n, int errors)
{
	pid_t parent = getpid();
	int report[2], code;

	*c = (struct child){.pidfd = -1};
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	c->pid = fork();
	if (c->pid == 0)
		become(argv, kept, n, errors, report[1], parent);
	code = c->pid < 0 ? -errno : 0;
	close(report[1]);
	if (code == 0)
		code = await_execution(report[0]);
	close(report[0]);
	if (c->pid < 0)
		c->pid = 0;
	if (code == 0) {
		c->pidfd = pidfd_open(c->pid, 0);
		code = c->pidfd < 0 ? -errno : 0;
	}
	if (code < 0)
		child_stop(c);
	return code;
}

void child_stop(struct child *c)
{
	struct pollfd ended = {.fd = c->pidfd, .events = POLLIN};

	if (c->pid <= 0)
		return;
	kill(c->pid, c->pidfd >= 0 ? SIGTERM : SIGKILL);
	if (c->pidfd >= 0 && poll(&ended, 1, STOP_LIMIT_MS) <= 0)
		kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (c->pidfd >= 0)
		close(c->pidfd);
	*c = (struct child){.pidfd = -1};
}
