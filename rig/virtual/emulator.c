/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "emulator.h"

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
#include <unistd.h>

#include "initrd.h"
#include "payload.h"
#include "qemu.h"

#define TRACE_PIPE_SIZE (1 << 20)
#define STOP_LIMIT_MS	1000

/* The ends that the emulator gets. */
struct inherited {
	int initrd, console, agent, rail, qmp, gdb, trace, exec_error;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_ours(struct emulator *e)
{
	close_fd(&e->pidfd);
	close_fd(&e->rail_fd);
	close_fd(&e->trace_fd);
	close_fd(&e->qmp_fd);
	close_fd(&e->gdb_fd);
}

static void close_theirs(struct inherited *fds)
{
	close_fd(&fds->initrd);
	close_fd(&fds->rail);
	close_fd(&fds->qmp);
	close_fd(&fds->gdb);
	close_fd(&fds->trace);
	close_fd(&fds->exec_error);
}

static int line_pair(int *ours, int *theirs)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*ours = fds[0];
	*theirs = fds[1];
	/* The emulator sets its own end as it likes. */
	return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* A full pipe would stop the emulator in the middle of an instruction, so it is made large. */
static int trace_pipe(int *ours, int *theirs)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ours = fds[0];
	*theirs = fds[1];
	(void)fcntl(*ours, F_SETPIPE_SZ, TRACE_PIPE_SIZE);
	return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int open_lines(struct emulator *e, bool with_debugger, struct inherited *fds)
{
	int code = line_pair(&e->rail_fd, &fds->rail);

	if (code == 0)
		code = line_pair(&e->qmp_fd, &fds->qmp);
	if (code == 0 && with_debugger)
		code = line_pair(&e->gdb_fd, &fds->gdb);
	if (code == 0)
		code = trace_pipe(&e->trace_fd, &fds->trace);
	return code;
}

/* An uncompressed image saves the target half of its boot: unpacking is slow when emulated. */
static void kernel_image(const char *dir, char *path, size_t size)
{
	snprintf(path, size, "%s/vmlinux", dir);
	if (access(path, R_OK) < 0)
		snprintf(path, size, "%s/vmlinuz", dir);
}

static char **command(const struct emulator_options *o, const struct inherited *fds)
{
	char kernel[4096], table[4096], initrd[64];
	const struct qemu_parts parts = {
		.kernel = kernel,
		.initrd = initrd,
		.acpi_table = table,
		.empty = o->empty,
		.with_pme_card = o->with_pme_card,
		.console_fd = fds->console,
		.agent_fd = fds->agent,
		.rail_fd = fds->rail,
		.qmp_fd = fds->qmp,
		.gdb_fd = fds->gdb,
		.lines_path = o->lines_path,
	};

	kernel_image(o->kernel_dir, kernel, sizeof(kernel));
	snprintf(table, sizeof(table), "%s/slots.aml", o->data_dir);
	snprintf(initrd, sizeof(initrd), "/proc/self/fd/%d", fds->initrd);
	return qemu_argv(&o->lab->virt, &parts);
}

static _Noreturn void become(char **argv, const struct inherited *fds, pid_t parent)
{
	const int kept[] = {fds->initrd, fds->console, fds->agent, fds->rail, fds->qmp, fds->gdb};
	sigset_t none;
	int code;

	/* The parent may have died before prctl() was reached. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (kept[i] >= 0)
			(void)fcntl(kept[i], F_SETFD, 0);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fds->trace, STDERR_FILENO) >= 0)
		execvp(argv[0], argv);
	code = errno;
	(void)!write(fds->exec_error, &code, sizeof(code));
	_exit(127);
}

/* Forks; 0 once the program has been executed. */
static int spawn(struct emulator *e, char **argv, struct inherited *fds)
{
	pid_t parent = getpid();
	int report[2], code = 0;
	ssize_t n;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	fds->exec_error = report[1];
	e->pid = fork();
	if (e->pid == 0)
		become(argv, fds, parent);
	if (e->pid < 0) {
		code = -errno;
		e->pid = 0;
	}
	close_fd(&fds->exec_error);
	if (code == 0) {
		do {
			n = read(report[0], &code, sizeof(code));
		} while (n < 0 && errno == EINTR);
		code = n == (ssize_t)sizeof(code) ? -code : 0;
	}
	close(report[0]);
	if (code == 0) {
		e->pidfd = pidfd_open(e->pid, 0);
		if (e->pidfd < 0)
			code = -errno;
	}
	return code;
}

static int make_initrd(const struct emulator_options *o, struct err *err)
{
	const struct payload payload = {o->kernel_dir, o->kexec_dir, o->data_dir};
	char base[4096], agent[4096], suite[4096];
	const struct initrd_part parts[] = {INITRD_ARCHIVE(base), INITRD_ARCHIVE(agent),
					    INITRD_ARCHIVE(suite)};

	if (o->kexec_dir)
		return payload_power_on(&payload, err);
	snprintf(base, sizeof(base), "%s/initramfs.cpio", o->kernel_dir);
	snprintf(agent, sizeof(agent), "%s/agent.cpio", o->data_dir);
	snprintf(suite, sizeof(suite), "%s/conformance.cpio", o->data_dir);
	return initrd_join(parts, sizeof(parts) / sizeof(parts[0]), err);
}

int emulator_start(struct emulator *e, const struct emulator_options *o, struct err *err)
{
	struct inherited fds = {.initrd = -1,
				.console = o->console_fd,
				.agent = o->agent_fd,
				.rail = -1,
				.qmp = -1,
				.gdb = -1,
				.trace = -1,
				.exec_error = -1};
	char **argv = NULL;
	int code;

	*e = (struct emulator){
		.pidfd = -1, .rail_fd = -1, .trace_fd = -1, .qmp_fd = -1, .gdb_fd = -1};
	fds.initrd = make_initrd(o, err);
	if (fds.initrd < 0)
		return fds.initrd;
	code = open_lines(e, o->with_debugger, &fds);
	if (code == 0) {
		argv = command(o, &fds);
		code = argv ? spawn(e, argv, &fds) : -ENOMEM;
	}
	close_theirs(&fds);
	qemu_argv_free(argv);
	if (code == 0)
		return 0;
	emulator_stop(e);
	return err_set(err, code, QEMU_PROGRAM ": cannot be started: %s%s", strerror(-code),
		       code == -ENOENT ? ": run setup/packages" : "");
}

void emulator_reap(struct emulator *e, char *how, size_t size)
{
	int status = 0;

	while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
		;
	e->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(how, size, "the emulator was ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(how, size, "the emulator ended with status %d", WEXITSTATUS(status));
}

/* Nothing in the emulator needs saving: SIGTERM is manners, SIGKILL does no harm. */
void emulator_stop(struct emulator *e)
{
	struct pollfd ended = {.fd = e->pidfd, .events = POLLIN};

	if (e->pid > 0) {
		kill(e->pid, e->pidfd >= 0 ? SIGTERM : SIGKILL);
		if (e->pidfd >= 0 && poll(&ended, 1, STOP_LIMIT_MS) <= 0)
			kill(e->pid, SIGKILL);
		while (waitpid(e->pid, NULL, 0) < 0 && errno == EINTR)
			;
		e->pid = 0;
	}
	close_ours(e);
}
