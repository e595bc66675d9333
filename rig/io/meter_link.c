/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The child's side of the process wall. */
#include "meter_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LINK_FD 3

_Static_assert(sizeof(struct meter_record) <= PIPE_BUF, "records must be written whole");

/* Readings go out in batches: a system call for each would cost more than all else. */
#define BATCH	     (PIPE_BUF / sizeof(struct meter_record))
#define BATCH_AGE_NS 10000000

struct meter_link {
	int fd;
	pthread_mutex_t lock; /* guards what follows, and order */
	struct meter_record batch[BATCH];
	size_t batch_n;
	int64_t batch_ns; /* when its first reading came in */
};

/* A signal handler has no argument to find it by. */
static volatile sig_atomic_t link_stop;

static void link_on_term(int number)
{
	(void)number;
	link_stop = 1;
}

bool meter_link_stopping(void)
{
	return link_stop;
}

/* The parent's handlers would run the controller's clean-up in here. */
static void link_signals(void)
{
	static const int to_default[] = {SIGINT,  SIGHUP,  SIGQUIT, SIGCHLD,
					 SIGALRM, SIGUSR1, SIGUSR2, SIGWINCH};
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(to_default) / sizeof(to_default[0]); i++)
		sigaction(to_default[i], &action, NULL);
	action.sa_handler = SIG_IGN; /* libsigrok writes to sockets that the peer has closed */
	sigaction(SIGPIPE, &action, NULL);
	action.sa_handler = link_on_term; /* no SA_RESTART: a blocked driver has to come back */
	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

struct meter_link *meter_link_start(int fd, int parent_pid)
{
	static struct meter_link link;
	int null;

	link_stop = 0;
	link_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent_pid)
		_exit(1); /* the parent was gone before the kernel could be told */
	setpgid(0, 0);	  /* Ctrl-C is the controller's to handle */
	prctl(PR_SET_NAME, "coldrig-meter");
	prctl(PR_SET_TIMERSLACK, 1000UL);

	/* The parent holds lock files and databases: they must not live on in here. */
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	if (fd != LINK_FD && dup2(fd, LINK_FD) < 0)
		_exit(1);
	if (close_range(LINK_FD + 1, ~0U, 0) < 0)
		_exit(1);
	link.fd = LINK_FD;
	pthread_mutex_init(&link.lock, NULL);
	return &link;
}

static void link_write(struct meter_link *link, const struct meter_record *records, size_t count)
{
	size_t size = count * sizeof(*records);
	ssize_t n;

	do
		n = write(link->fd, records, size);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)size)
		_exit(1);
}

static void link_flush(struct meter_link *link)
{
	if (link->batch_n)
		link_write(link, link->batch, link->batch_n);
	link->batch_n = 0;
}

void meter_link_pause(struct meter_link *link, int64_t until_ns)
{
	pthread_mutex_lock(&link->lock);
	if (link->batch_n && until_ns - link->batch_ns >= BATCH_AGE_NS)
		link_flush(link);
	pthread_mutex_unlock(&link->lock);
}

void meter_link_sample(struct meter_link *link, const struct meter_sample *sample)
{
	pthread_mutex_lock(&link->lock);
	if (!link->batch_n)
		link->batch_ns = meter_now_ns();
	link->batch[link->batch_n++] =
		(struct meter_record){.kind = METER_RECORD_SAMPLE, .u.sample = *sample};
	if (link->batch_n == BATCH)
		link_flush(link);
	pthread_mutex_unlock(&link->lock);
}

/* After all readings that were given before it. */
static void link_tell(struct meter_link *link, const struct meter_record *record)
{
	pthread_mutex_lock(&link->lock);
	link_flush(link);
	link_write(link, record, 1);
	pthread_mutex_unlock(&link->lock);
}

static struct meter_record link_record(enum meter_event_kind kind)
{
	return (struct meter_record){
		.kind = METER_RECORD_EVENT,
		.u.event = {.kind = kind, .t_ns = meter_now_ns()},
	};
}

void meter_link_ready(struct meter_link *link, const struct meter_identity *identity)
{
	struct meter_record record = link_record(METER_EVENT_READY);

	record.u.event.identity = *identity;
	link_tell(link, &record);
}

void meter_link_channel(struct meter_link *link, size_t channel, const char *name, const char *unit)
{
	struct meter_record record = link_record(METER_EVENT_CHANNEL);

	record.u.event.channel = (uint32_t)channel;
	snprintf(record.u.event.unit, sizeof(record.u.event.unit), "%s", unit);
	snprintf(record.u.event.text, sizeof(record.u.event.text), "%s", name);
	link_tell(link, &record);
}

static void link_event(struct meter_link *link, struct meter_record *record, const char *format,
		       va_list args)
{
	vsnprintf(record->u.event.text, sizeof(record->u.event.text), format, args);
	link_tell(link, record);
}

void meter_link_event(struct meter_link *link, enum meter_event_kind kind, const char *format, ...)
{
	struct meter_record record = link_record(kind);
	va_list args;

	va_start(args, format);
	link_event(link, &record, format, args);
	va_end(args);
}

void meter_link_lost(struct meter_link *link, const char *format, ...)
{
	struct meter_record record = link_record(METER_EVENT_LOST);
	va_list args;

	va_start(args, format);
	link_event(link, &record, format, args);
	va_end(args);
	_exit(0);
}

void meter_link_hopeless(struct meter_link *link, const char *format, ...)
{
	struct meter_record record = link_record(METER_EVENT_LOST);
	va_list args;

	record.u.event.hopeless = true;
	va_start(args, format);
	link_event(link, &record, format, args);
	va_end(args);
	_exit(0);
}

int64_t meter_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void meter_sleep_until(int64_t t_ns)
{
	struct timespec t = {.tv_sec = t_ns / 1000000000, .tv_nsec = t_ns % 1000000000};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

int64_t meter_next_due(int64_t due_ns, int64_t period_ns, int64_t now_ns)
{
	int64_t next = due_ns + period_ns;

	if (next < now_ns)
		next += (now_ns - next + period_ns - 1) / period_ns * period_ns;
	return next;
}
