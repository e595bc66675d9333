/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NS_PER_MS  INT64_C(1000000)
#define WORDS_SIZE 256
#define WORDS_KEPT 128

/* What a program said, its end where it said more. */
struct words {
	char text[WORDS_SIZE];
	size_t used;
};

static int find(const struct host *host, const char *name, char path[static PATH_MAX])
{
	static const char *const places[] = {"/sbin", "/usr/sbin", "/bin", "/usr/bin"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (host_path(host, path, "%s/%s", places[i], name) == 0 && access(path, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

static _Noreturn void become(const char *path, const char *const *argv, int out, int words)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	setpgid(0, 0);
	/* What the agent blocks and ignores is its own affair. */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(out < 0 ? words : out, STDOUT_FILENO);
	dup2(words, STDERR_FILENO);
	execv(path, (char *const *)argv);
	_exit(127);
}

static void keep(struct words *words, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (words->used + 1 == sizeof(words->text)) {
			memmove(words->text, words->text + words->used - WORDS_KEPT, WORDS_KEPT);
			words->used = WORDS_KEPT;
		}
		/* One line, of what JSON and people can read. */
		words->text[words->used++] = bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : ' ';
	}
	words->text[words->used] = '\0';
}

/* Takes what it says until it closes its end: 0, or -ETIMEDOUT. */
static int listen_to(int fd, int64_t limit_ns, struct words *words)
{
	int64_t until_ns = host_now_ns() + limit_ns;
	char bytes[512];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left_ms = (until_ns - host_now_ns()) / NS_PER_MS;
		ssize_t n;

		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left_ms < 1000 ? left_ms : 1000)) <= 0)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n == 0)
			return 0;
		if (n > 0)
			keep(words, bytes, (size_t)n);
		else if (errno != EINTR && errno != EAGAIN)
			return 0;
	}
}

static int verdict(const char *name, int timed_out, int status, const struct words *words,
		   struct err *err)
{
	const char *said = words->text + strspn(words->text, " ");
	const char *between = *said ? ": " : "";

	if (timed_out < 0)
		return err_set(err, -ETIMEDOUT, "%s did not end in time%s%s", name, between, said);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return err_set(err, -EIO, "%s ended with status %d%s%s", name, WEXITSTATUS(status),
			       between, said);
	return err_set(err, -EIO, "%s was ended by signal %d%s%s", name, WTERMSIG(status), between,
		       said);
}

int program_run(const struct host *host, const char *const *argv, int out_fd, int64_t limit_ns,
		struct err *err)
{
	struct words words = {0};
	char path[PATH_MAX];
	int fds[2], status = 0, timed_out;
	pid_t pid;

	if (find(host, argv[0], path) < 0)
		return err_set(err, -ENOENT, "there is no program %s on this target", argv[0]);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, -errno, "%s: no pipe: %s", argv[0], strerror(errno));
	pid = fork();
	if (pid == 0)
		become(path, argv, out_fd, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_set(err, -EAGAIN, "%s: cannot be started", argv[0]);
	}
	timed_out = listen_to(fds[0], limit_ns, &words);
	close(fds[0]);
	if (timed_out < 0 && kill(-pid, SIGKILL) < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return verdict(argv[0], timed_out, status, &words, err);
}
