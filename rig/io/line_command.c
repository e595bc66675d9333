/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line that other programs drive and read: PDUs, BMCs, anything that can be called. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line_backend.h"

#define OUTPUT_SIZE 4096

/* What a shell ends with, and so do we, where a program cannot be started. */
#define NOT_ALLOWED 126
#define NOT_THERE   127

/* The end of what it says; a pipe of ours would end it with SIGPIPE if it said more. */
struct output {
	char text[OUTPUT_SIZE];
	size_t n;
};

static char **copy_words(char *const *words)
{
	size_t n = 0;
	char **copy;

	if (!words)
		return NULL;
	while (words[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++)
		copy[i] = strdup(words[i]);
	return copy;
}

static int command_open(const struct lab_line *line, void **state, struct err *why)
{
	const struct lab_command *from = &line->command;
	struct lab_command *command = calloc(1, sizeof(*command));

	if (!command)
		return err_set(why, -ENOMEM, "%s", strerror(ENOMEM));
	command->limit_ns = from->limit_ns;
	command->on = copy_words(from->on);
	command->off = copy_words(from->off);
	command->cycle = copy_words(from->cycle);
	command->query = copy_words(from->query);
	*state = command;
	return 0;
}

static _Noreturn void become(char *const *words, int output, int parent)
{
	sigset_t none;
	int code;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(NOT_THERE);
	setpgid(0, 0);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0)
		execvp(words[0], words);
	code = errno == EACCES ? NOT_ALLOWED : NOT_THERE;
	dprintf(STDERR_FILENO, "%s: %s", words[0], strerror(errno));
	_exit(code);
}

static void keep_end(struct output *out, const char *bytes, size_t n)
{
	const size_t room = sizeof(out->text) - 1;

	if (n > room) {
		bytes += n - room;
		n = room;
	}
	if (out->n + n > room) {
		size_t drop = out->n + n - room;

		memmove(out->text, out->text + drop, out->n - drop);
		out->n -= drop;
	}
	memcpy(out->text + out->n, bytes, n);
	out->n += n;
	out->text[out->n] = '\0';
}

static int ms_left(int64_t deadline_ns)
{
	int64_t left_ns = deadline_ns - line_now_ns();

	return left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0;
}

/* Until the program has ended, whoever else may have its output open; false at the deadline. */
static bool listen_to(int output, int pidfd, int64_t deadline_ns, struct output *out)
{
	struct pollfd fds[] = {{.fd = output, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
	char bytes[1024];
	ssize_t n;

	for (;;) {
		int r = poll(fds, 2, ms_left(deadline_ns));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		n = fds[0].revents ? read(output, bytes, sizeof(bytes)) : -1;
		if (n > 0)
			keep_end(out, bytes, (size_t)n);
		else if (n == 0)
			fds[0].fd = -1;
		else if (fds[1].revents)
			return true;
	}
}

/* Runs words; its status, or -1 if it was killed at the limit. */
static int run(char *const *words, int64_t limit_ns, struct output *out, struct err *why)
{
	int ends[2], pidfd, status = 0, parent = getpid();
	bool ended;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(why, -errno, "%s: %s", words[0], strerror(errno));
	pid = fork();
	if (pid == 0)
		become(words, ends[1], parent);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_set(why, -EAGAIN, "%s: cannot be started", words[0]);
	}
	pidfd = pidfd_open(pid, 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	ended = listen_to(ends[0], pidfd, line_now_ns() + limit_ns, out);
	if (!ended && kill(-pid, SIGKILL) < 0)
		kill(pid, SIGKILL); /* it had no time to make its group */
	waitpid(pid, &status, 0);
	close(ends[0]);
	if (pidfd >= 0)
		close(pidfd);
	if (!ended)
		return err_set(why, -ETIMEDOUT,
			       "%s: not done after %.1f s: killed; see its limit in the lab file",
			       words[0], (double)limit_ns * 1e-9);
	return status;
}

/* The last line of it that says anything, without what a terminal would obey. */
static const char *last_words(struct output *out)
{
	char *line;

	while (out->n && isspace((unsigned char)out->text[out->n - 1]))
		out->text[--out->n] = '\0';
	line = memrchr(out->text, '\n', out->n);
	line = line ? line + 1 : out->text;
	for (char *c = line; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	return line;
}

static int carry_out(const struct lab_command *command, char *const *words, struct output *out,
		     struct err *why)
{
	int status = run(words, command->limit_ns, out, why);
	const char *name = command->by_shell ? "the command" : words[0], *said;

	if (status <= 0)
		return status;
	said = last_words(out);
	if (WIFSIGNALED(status))
		return err_set(why, -EIO, "%s: ended by %s", name, strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) == NOT_ALLOWED)
		return err_set(why, -EACCES,
			       "%s: this user may not run it: make it executable ('chmod a+rx', "
			       "its folders too)",
			       said);
	if (WEXITSTATUS(status) == NOT_THERE)
		return err_set(why, -ENOENT, "%s: cannot be run: install it, or write its path",
			       said);
	return err_set(why, -EIO, "%s: ended with status %d: %s", name, WEXITSTATUS(status),
		       *said ? said : "it said nothing");
}

static int command_set(void *state, bool active, struct err *why)
{
	struct lab_command *command = state;
	struct output out = {.n = 0};
	char **words = active ? command->on : command->off;

	if (!words)
		return err_set(why, -ENOTSUP, "the lab file has no command \"%s\"",
			       active ? "on" : "off");
	return carry_out(command, words, &out, why);
}

static int command_cycle(void *state, struct err *why)
{
	struct lab_command *command = state;
	struct output out = {.n = 0};

	return command->cycle ? carry_out(command, command->cycle, &out, why) : -ENOTSUP;
}

static const struct {
	const char *word;
	bool active;
} answers[] = {
	{"on", true},  {"off", false}, {"1", true},	 {"0", false},	  {"yes", true},
	{"no", false}, {"true", true}, {"false", false}, {"on(1)", true}, {"off(0)", false},
};

/* The last word of the last line: "Chassis Power is on" is what ipmitool says. */
static int understand(struct output *out, const char *name, bool *active, struct err *why)
{
	const char *said = last_words(out), *word = strrchr(said, ' ');

	word = word ? word + 1 : said;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (strcasecmp(word, answers[i].word) == 0) {
			*active = answers[i].active;
			return 0;
		}
	}
	return err_set(why, -EBADMSG, "%s: its last word must be on or off, 1 or 0: '%s'", name,
		       said);
}

static int command_read(void *state, bool *active, struct err *why)
{
	struct lab_command *command = state;
	struct output out = {.n = 0};
	int r;

	if (!command->query)
		return err_set(why, -ENODATA, "the lab file has no command \"query\"");
	r = carry_out(command, command->query, &out, why);
	return r < 0 ? r : understand(&out, command->query[0], active, why);
}

static void command_describe(void *state, char text[static LINE_TEXT_SIZE])
{
	const struct lab_command *c = state;

	snprintf(text, LINE_TEXT_SIZE, "commands:%s%s%s%s", c->on ? " on" : "",
		 c->off ? " off" : "", c->cycle ? " cycle" : "", c->query ? " query" : "");
}

static void free_words(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

static void command_close(void *state)
{
	struct lab_command *command = state;

	free_words(command->on);
	free_words(command->off);
	free_words(command->cycle);
	free_words(command->query);
	free(command);
}

const struct line_backend line_command_backend = {
	.open = command_open,
	.set = command_set,
	.read = command_read,
	.cycle = command_cycle,
	.describe = command_describe,
	.close = command_close,
};
