/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STOP_LIMIT_MS 10000
#define REAP_STEP_MS  20

int suite_program(char path[static PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(SUITE_PROGRAM));
	char *name;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	name = strrchr(path, '/');
	if (!name)
		return -ENOENT;
	memcpy(name + 1, SUITE_PROGRAM, sizeof(SUITE_PROGRAM));
	return 0;
}

static _Noreturn void become(const char *program, int out)
{
	char *argv[] = {(char *)program, NULL};
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	/* With the agent it ends too, in order: it catches this signal. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execv(program, argv);
	_exit(127);
}

int suite_start(struct suite *suite, const char *program, struct err *err)
{
	int fds[2], code;

	if (suite->pid)
		return err_set(err, -EBUSY, "it runs already");
	if (access(program, X_OK) < 0) {
		code = -errno;
		return err_set(err, code, "%.200s: %s: put it beside the agent", program,
			       strerror(-code));
	}
	if (pipe2(fds, O_CLOEXEC) < 0) {
		code = -errno;
		return err_set(err, code, "pipe: %s", strerror(-code));
	}
	*suite = (struct suite){.fd = fds[0]};
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	suite->pid = fork();
	if (suite->pid == 0)
		become(program, fds[1]);
	code = -errno;
	close(fds[1]);
	if (suite->pid > 0)
		return 0;
	suite->pid = 0;
	close(fds[0]);
	return err_set(err, code, "fork: %s", strerror(-code));
}

static int send_line(struct suite *suite, struct line *line)
{
	struct msg *event = msg_object();
	int r;

	suite->text[suite->used] = '\0';
	suite->used = 0;
	msg_set_str(event, "event", "suite");
	msg_set_str(event, "line", suite->text);
	r = line_send(line, event);
	msg_free(event);
	return r;
}

static int take_bytes(struct suite *suite, struct line *line, const char *bytes, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (bytes[i] == '\n') {
			r = send_line(suite, line);
			suite->cut = false;
		} else if (suite->used + 1 == sizeof(suite->text)) {
			suite->cut = true; /* its begin says what it is: the rest is dropped */
		} else if (!suite->cut) {
			suite->text[suite->used++] = bytes[i];
		}
	}
	return r;
}

/* The status as a shell has it; -1 if it did not end in time and was killed. */
static int reap(struct suite *suite)
{
	const struct timespec step = {.tv_nsec = REAP_STEP_MS * 1000000L};
	int status, waited_ms = 0;

	while (waitpid(suite->pid, &status, WNOHANG) == 0) {
		if (waited_ms >= STOP_LIMIT_MS) {
			kill(suite->pid, SIGKILL);
			waitpid(suite->pid, &status, 0);
			status = -1;
			break;
		}
		nanosleep(&step, NULL);
		waited_ms += REAP_STEP_MS;
	}
	suite->pid = 0;
	close(suite->fd);
	if (status == -1)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int send_end(struct line *line, int status)
{
	struct msg *event = msg_object();
	int r;

	msg_set_str(event, "event", "suite-end");
	msg_set_int(event, "status", status);
	r = line_send(line, event);
	msg_free(event);
	return r;
}

int suite_drain(struct suite *suite, struct line *line)
{
	char bytes[2048];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(suite->fd, bytes, sizeof(bytes))) > 0)
		r = take_bytes(suite, line, bytes, (size_t)n);
	if (r < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return r;
	if (suite->used)
		r = send_line(suite, line);
	return r < 0 ? r : send_end(line, reap(suite));
}

void suite_stop(struct suite *suite)
{
	if (!suite->pid)
		return;
	kill(suite->pid, SIGTERM);
	(void)reap(suite);
}
