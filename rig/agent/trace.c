/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "traceline.h"

#define INSTANCE   "coldrig-" /* and the pid */
#define GROUP	   "coldrig_" /* the same, a dash is no part of a C name */
#define LINES_SIZE 16384

struct trace {
	const struct host *host;
	const char *mount; /* of tracefs */
	long pid;
	int fd;
	size_t used, taken;
	char lines[LINES_SIZE];
};

static const char *const mounts[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

/* A struct device begins with a kobject, which begins with its name. */
static const char *const first_argument[] = {
	"$arg1",
#if defined(__x86_64__)
	"%di",
#elif defined(__aarch64__)
	"%x0",
#endif
};

static const struct {
	const char *name, *function;
} probes[] = {
	{TRACELINE_SUSPEND, "pci_pm_runtime_suspend"},
	{TRACELINE_RESUME, "pci_pm_runtime_resume"},
};
#define PROBES (sizeof(probes) / sizeof(probes[0]))

/* Writes to a file of tracefs whose name is put together here. */
static int put(const struct host *host, const char *mount, const char *text, int flags,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

static int put(const struct host *host, const char *mount, const char *text, int flags,
	       const char *format, ...)
{
	char path[PATH_MAX];
	size_t n = (size_t)snprintf(path, sizeof(path), "%s/", mount);
	va_list ap;

	va_start(ap, format);
	vsnprintf(path + n, sizeof(path) - n, format, ap);
	va_end(ap);
	return host_write(host, path, text, flags);
}

static const char *find_mount(const struct host *host)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/instances", mounts[i]);
		if (host_exists(host, path))
			return mounts[i];
	}
	return NULL;
}

/* Everything that the agent with this pid may have left; missing parts are no error. */
static void remove_all(const struct host *host, const char *mount, long pid)
{
	char path[PATH_MAX], command[96];

	put(host, mount, "0", 0, "instances/" INSTANCE "%ld/events/enable", pid);
	if (host_path(host, path, "%s/instances/" INSTANCE "%ld", mount, pid) == 0 &&
	    rmdir(path) < 0 && errno != ENOENT)
		host_say("%s: not removed: %s", path, strerror(errno));
	for (size_t i = 0; i < PROBES; i++) {
		snprintf(command, sizeof(command), "-:" GROUP "%ld/%s\n", pid, probes[i].name);
		put(host, mount, command, O_APPEND, "kprobe_events");
	}
}

static void remove_orphans(const struct host *host, const char *mount)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (host_path(host, path, "%s/instances", mount) < 0 || !(dir = opendir(path)))
		return;
	while ((entry = readdir(dir))) {
		long pid;

		if (sscanf(entry->d_name, INSTANCE "%ld", &pid) == 1 && pid > 0 &&
		    kill((pid_t)pid, 0) < 0 && errno == ESRCH)
			remove_all(host, mount, pid);
	}
	closedir(dir);
}

static int add_probe(const struct trace *trace, size_t i)
{
	int r = -EINVAL;

	for (size_t k = 0; k < sizeof(first_argument) / sizeof(first_argument[0]) && r < 0; k++) {
		char command[192];

		snprintf(command, sizeof(command), "p:" GROUP "%ld/%s %s name=+0(+0(%s)):string\n",
			 trace->pid, probes[i].name, probes[i].function, first_argument[k]);
		r = put(trace->host, trace->mount, command, O_APPEND, "kprobe_events");
	}
	return r;
}

static int make_instance(const struct trace *trace, struct err *why)
{
	char path[PATH_MAX];
	int r = host_path(trace->host, path, "%s/instances/" INSTANCE "%ld", trace->mount,
			  trace->pid);

	if (r == 0 && mkdir(path, 0700) < 0)
		r = -errno;
	if (r < 0)
		return err_set(why, r, "no instance in %s: %s", trace->mount, strerror(-r));
	return 0;
}

static int switch_on(const struct trace *trace, struct err *why)
{
	static const struct {
		const char *file, *text;
	} settings[] = {
		{"trace_clock", "mono"},
		{"events/rpm/rpm_return_int/enable", "1"},
	};
	int r;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		r = put(trace->host, trace->mount, settings[i].text, 0,
			"instances/" INSTANCE "%ld/%s", trace->pid, settings[i].file);
		if (r < 0)
			return err_set(why, r, "tracefs %s: %s", settings[i].file, strerror(-r));
	}
	/* So that a reader wakes up at the first event; kernels without it do that anyway. */
	put(trace->host, trace->mount, "0", 0, "instances/" INSTANCE "%ld/buffer_percent",
	    trace->pid);
	for (size_t i = 0; i < PROBES; i++) {
		r = add_probe(trace, i);
		if (r == 0)
			r = put(trace->host, trace->mount, "1", 0,
				"instances/" INSTANCE "%ld/events/" GROUP "%ld/%s/enable",
				trace->pid, trace->pid, probes[i].name);
		if (r < 0)
			return err_set(why, r, "no kprobe on %s: %s", probes[i].function,
				       strerror(-r));
	}
	return 0;
}

static int open_pipe(struct trace *trace, struct err *why)
{
	char path[PATH_MAX];
	int r = host_path(trace->host, path, "%s/instances/" INSTANCE "%ld/trace_pipe",
			  trace->mount, trace->pid);

	if (r == 0) {
		trace->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		r = trace->fd < 0 ? -errno : 0;
	}
	return r < 0 ? err_set(why, r, "trace_pipe: %s", strerror(-r)) : 0;
}

struct trace *trace_open(const struct host *host, struct err *why)
{
	const char *mount = find_mount(host);
	struct trace *trace;
	int r;

	if (!mount) {
		err_set(why, -ENOENT, "no tracefs is mounted at %s", mounts[0]);
		return NULL;
	}
	remove_orphans(host, mount);
	trace = host_grow(NULL, 1, sizeof(*trace));
	*trace = (struct trace){.host = host, .mount = mount, .pid = (long)getpid(), .fd = -1};
	r = make_instance(trace, why);
	if (r == 0)
		r = switch_on(trace, why);
	if (r == 0)
		r = open_pipe(trace, why);
	if (r == 0)
		return trace;
	trace_close(trace);
	return NULL;
}

int trace_fd(const struct trace *trace)
{
	return trace->fd;
}

static int fill(struct trace *trace)
{
	ssize_t n;

	trace->used -= trace->taken;
	memmove(trace->lines, trace->lines + trace->taken, trace->used);
	trace->taken = 0;
	if (trace->used == LINES_SIZE)
		trace->used = 0; /* no line of ours is that long */
	n = read(trace->fd, trace->lines + trace->used, LINES_SIZE - trace->used);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	trace->used += (size_t)n;
	return n > 0;
}

int trace_next(struct trace *trace, const char **line)
{
	for (;;) {
		char *begin = trace->lines + trace->taken;
		char *end = memchr(begin, '\n', trace->used - trace->taken);
		int r;

		if (end) {
			*end = 0;
			trace->taken = (size_t)(end + 1 - trace->lines);
			*line = begin;
			return 1;
		}
		r = fill(trace);
		if (r <= 0)
			return r;
	}
}

void trace_close(struct trace *trace)
{
	if (!trace)
		return;
	if (trace->fd >= 0)
		close(trace->fd);
	remove_all(trace->host, trace->mount, trace->pid);
	free(trace);
}
