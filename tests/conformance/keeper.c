/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

/* Binding and unbinding a dozen functions, each with a resume and a reset. */
#define RESTORE_MS 60000

static _Noreturn void keep(int fd, const struct saved *found)
{
	struct saved saved = *found;
	ssize_t n;
	int group;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	while ((n = read(fd, &group, sizeof(group))) != 0) {
		if (n == sizeof(group))
			saved_leave_group(&saved, group);
		else if (n > 0 || errno != EINTR)
			break;
	}
	_exit(saved_restore(&saved) ? 1 : 0);
}

int keeper_start(struct keeper *keeper, const struct saved *saved)
{
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	keeper->pid = fork();
	if (keeper->pid == 0) {
		close(fds[1]);
		keep(fds[0], saved);
	}
	r = keeper->pid < 0 ? -errno : 0;
	close(fds[0]);
	keeper->fd = fds[1];
	return r;
}

void keeper_leave_group(const struct keeper *keeper, int group)
{
	if (write(keeper->fd, &group, sizeof(group)) != sizeof(group))
		printf("# restore: the keeper is gone\n");
}

int keeper_end(struct keeper *keeper)
{
	uint64_t limit = clock_ms() + RESTORE_MS;
	int status;

	close(keeper->fd);
	while (waitpid(keeper->pid, &status, WNOHANG) != keeper->pid) {
		if (clock_ms() >= limit) {
			printf("# restore: it hangs in the kernel, and is left behind\n");
			return -1;
		}
		clock_sleep(10);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
