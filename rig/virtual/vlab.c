/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vlab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "server.h"

/* Each is far beyond what a loaded machine needs. */
#define UP_LIMIT_MS    30000
#define CYCLE_LIMIT_MS 5000
#define POWER_LIMIT_MS 30000
#define DOWN_LIMIT_MS  3000
#define LINE_LIMIT_MS  2000

struct vlab {
	pid_t pid;
	int pidfd;
	int control;
	int agent_fd;
	int console_fd;
	uint16_t port;
	struct forbidden_access *accesses; /* told, and not yet taken */
	size_t accesses_n, accesses_taken;
	bool failed; /* and why is in failure */
	struct err failure;
};

int vlab_slot_bdf(const struct lab *lab, unsigned device, char bdf[static BDF_TEXT_SIZE])
{
	struct bdf b = {0};
	int code = board_bus(&lab->virt, device, &b.bus);

	if (code == 0)
		bdf_format(&b, bdf);
	return code;
}

/* Leaves the standard ones as well. */
static void close_all_but(const int *kept, size_t n)
{
	unsigned from = 3;

	for (;;) {
		unsigned next = ~0U;

		for (size_t i = 0; i < n; i++) {
			if ((unsigned)kept[i] >= from && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		}
		if (next > from)
			close_range(from, next == ~0U ? next : next - 1, 0);
		if (next == ~0U)
			return;
		from = next + 1;
	}
}

/*
 * The lab's process keeps nothing of the caller's: not its files (there are locks among them), not
 * its terminal's signals, not its signal handlers.
 */
static void leave_parent(int control, const struct server_lines *lines)
{
	static const int signals[] = {SIGHUP,  SIGINT,	SIGQUIT, SIGTERM, SIGCHLD,
				      SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP};
	const int kept[] = {control, lines->agent, lines->console, lines->console_in};
	sigset_t none;
	int null;

	setsid();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_all_but(kept, sizeof(kept) / sizeof(kept[0]));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	prctl(PR_SET_NAME, "coldrig-vlab");
}

static _Noreturn void be_the_lab(const struct vlab_options *options, int control,
				 const struct server_lines *lines, pid_t parent)
{
	/* The parent may have died before prctl() was reached. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	leave_parent(control, lines);
	/* Not exit(): what the parent has buffered is the parent's to write. */
	_exit(server_run(options, control, lines));
}

/* Above the standard ones, even for a caller that has closed those. */
static int raise_fd(int *fd)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, 3);

	if (high < 0)
		return -errno;
	close(*fd);
	*fd = high;
	return 0;
}

static int pair(int type, int fds[2])
{
	int code;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	code = raise_fd(&fds[0]);
	if (code == 0)
		code = raise_fd(&fds[1]);
	if (code < 0) {
		close(fds[0]);
		close(fds[1]);
	}
	return code;
}

static void close_pair(int fds[2])
{
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

static int start_process(struct vlab *v, const struct vlab_options *options)
{
	int control[2] = {-1, -1}, agent[2] = {-1, -1}, console[2] = {-1, -1};
	pid_t parent = getpid();
	int code = pair(SOCK_SEQPACKET, control);

	if (code == 0)
		code = pair(SOCK_STREAM, agent);
	if (code == 0)
		code = pair(SOCK_STREAM, console);
	if (code < 0) {
		close_pair(control);
		close_pair(agent);
		return code;
	}
	v->control = control[0];
	v->agent_fd = agent[0];
	v->console_fd = console[0];
	v->pid = fork();
	if (v->pid == 0) {
		const struct server_lines lines = {agent[1], console[1], console[0]};

		be_the_lab(options, control[1], &lines, parent);
	}
	code = v->pid < 0 ? -errno : 0;
	close(control[1]);
	close(agent[1]);
	close(console[1]);
	if (code < 0)
		return code;
	v->pidfd = pidfd_open(v->pid, PIDFD_NONBLOCK);
	return v->pidfd < 0 ? -errno : 0;
}

static void fail(struct vlab *v, const char *text)
{
	if (!v->failed)
		err_set(&v->failure, 0, "%s", text);
	v->failed = true;
}

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void keep_access(struct vlab *v, const struct forbidden_access *access)
{
	struct forbidden_access *grown =
		realloc(v->accesses, (v->accesses_n + 1) * sizeof(*v->accesses));

	if (!grown) {
		fail(v, "virtual lab: out of memory");
		return;
	}
	v->accesses = grown;
	v->accesses[v->accesses_n++] = *access;
}

bool vlab_take_forbidden(struct vlab *v, struct forbidden_access *out)
{
	if (v->accesses_taken == v->accesses_n) {
		v->accesses_taken = v->accesses_n = 0;
		return false;
	}
	*out = v->accesses[v->accesses_taken++];
	return true;
}

/* One message from the lab, accesses set aside: 1, 0 if there was none in time, -ECHILD if none will come. */
static int receive(struct vlab *v, struct server_message *message, int64_t until_ms)
{
	for (;;) {
		struct pollfd fd = {.fd = v->control, .events = POLLIN};
		int64_t left = until_ms - clock_ms();
		int ready = poll(&fd, 1, left > 0 ? (int)left : 0);
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0)
			return 0;
		n = recv(v->control, message, sizeof(*message), MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n == (ssize_t)sizeof(*message) && message->word == SERVER_FORBIDDEN) {
			keep_access(v, &message->access);
			continue;
		}
		if (n == (ssize_t)sizeof(*message))
			return 1;
		fail(v, "virtual lab: its process has ended");
		return -ECHILD;
	}
}

/* Waits for a word, taking note of the end of the emulator on the way. */
static int expect(struct vlab *v, enum server_word word, int limit_ms,
		  struct server_message *message)
{
	int64_t until = clock_ms() + limit_ms;

	for (;;) {
		int code = receive(v, message, until);

		if (code == 0)
			return -ETIMEDOUT;
		if (code < 0)
			return code;
		if (message->word == word)
			return 0;
		if (message->word == SERVER_FAILED) {
			fail(v, message->text);
			return -message->number;
		}
	}
}

int vlab_up(const struct vlab_options *options, struct vlab **out, struct err *err)
{
	struct vlab *v = calloc(1, sizeof(*v));
	struct server_message message;
	int code;

	if (!v)
		return err_set(err, -ENOMEM, "virtual lab: out of memory");
	v->pidfd = v->control = v->agent_fd = v->console_fd = -1;
	code = start_process(v, options);
	if (code < 0) {
		err_set(err, code, "virtual lab: cannot be started: %s", strerror(-code));
		vlab_down(v);
		return code;
	}
	code = expect(v, SERVER_READY, UP_LIMIT_MS, &message);
	if (code < 0) {
		err_set(err, code, "%s",
			v->failed ? v->failure.text : "virtual lab: the emulator does not answer");
		vlab_down(v);
		return code;
	}
	v->port = (uint16_t)message.number;
	*out = v;
	return 0;
}

int vlab_agent_fd(const struct vlab *v)
{
	return v->agent_fd;
}

int vlab_console_fd(const struct vlab *v)
{
	return v->console_fd;
}

uint16_t vlab_instrument_port(const struct vlab *v)
{
	return v->port;
}

static int ask_within(struct vlab *v, enum server_word word, int number, enum server_word answer,
		      int limit_ms)
{
	struct server_message message = {.word = word, .number = number};

	if (v->failed)
		return -ECHILD;
	if (send(v->control, &message, sizeof(message), MSG_NOSIGNAL) < 0) {
		fail(v, "virtual lab: its process has ended");
		return -ECHILD;
	}
	return expect(v, answer, limit_ms, &message);
}

static int ask(struct vlab *v, enum server_word word, int number, enum server_word answer)
{
	return ask_within(v, word, number, answer, CYCLE_LIMIT_MS);
}

int vlab_cycle(struct vlab *v, unsigned n)
{
	return ask(v, SERVER_CYCLE, (int)n, SERVER_DONE);
}

int vlab_reset(struct vlab *v)
{
	return ask(v, SERVER_RESET, 0, SERVER_SWITCHED);
}

int vlab_power(struct vlab *v, bool on)
{
	v->failed = false; /* if the lab's process has ended, this will be found out anew */
	return ask_within(v, SERVER_POWER, on, SERVER_SWITCHED, POWER_LIMIT_MS);
}

int vlab_sync(struct vlab *v)
{
	return ask(v, SERVER_SYNC, 0, SERVER_SYNCED);
}

int vlab_check(struct vlab *v, struct err *err)
{
	struct server_message message;

	while (!v->failed && receive(v, &message, 0) > 0) {
		if (message.word == SERVER_FAILED)
			fail(v, message.text);
	}
	return v->failed ? err_set(err, -ECHILD, "%s", v->failure.text) : 0;
}

/* The emulator holds the other end of the agent's line for as long as it lives. */
static void await_line_end(int fd)
{
	int64_t until = clock_ms() + LINE_LIMIT_MS;
	char bytes[4096];

	for (;;) {
		struct pollfd line = {.fd = fd, .events = POLLIN};
		int64_t left = until - clock_ms();
		int ready = left > 0 ? poll(&line, 1, (int)left) : 0;
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return;
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return;
	}
}

static void end_process(struct vlab *v)
{
	struct server_message message = {.word = SERVER_DOWN};
	struct pollfd ended = {.fd = v->pidfd, .events = POLLIN};
	bool asked =
		v->pidfd >= 0 && send(v->control, &message, sizeof(message), MSG_NOSIGNAL) >= 0;
	int64_t until = clock_ms() + DOWN_LIMIT_MS;
	int ready = 0;

	while (asked && ready == 0 && clock_ms() < until) {
		ready = poll(&ended, 1, (int)(until - clock_ms()));
		if (ready < 0 && errno == EINTR)
			ready = 0;
	}
	if (ready <= 0)
		kill(v->pid, SIGKILL);
	while (waitpid(v->pid, NULL, 0) < 0 && errno == EINTR)
		;
	await_line_end(v->agent_fd);
}

void vlab_down(struct vlab *v)
{
	if (!v)
		return;
	if (v->pid > 0)
		end_process(v);
	if (v->pidfd >= 0)
		close(v->pidfd);
	if (v->control >= 0)
		close(v->control);
	if (v->agent_fd >= 0)
		close(v->agent_fd);
	if (v->console_fd >= 0)
		close(v->console_fd);
	free(v->accesses);
	free(v);
}
