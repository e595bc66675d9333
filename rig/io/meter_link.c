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

#include "chunk.h"

#define LINK_FD 3
#define RING_FD 4

/* meter_scan.c reads events one by one. */
_Static_assert(sizeof(struct meter_record) <= PIPE_BUF, "an event must be written whole");

/* Readings go out in batches: that the parent wakes up for each would cost more than all else. */
#define BATCH	     64
#define BATCH_AGE_NS 50000000

struct meter_link {
	int fd;
	struct meter_ring *ring; /* NULL: blocks are not wanted */
	pthread_mutex_t lock;	 /* guards what follows, and order */
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

/* Both may be where the other has to go. */
static void link_place(int *fd, int *ring_fd)
{
	int spare = fcntl(*fd, F_DUPFD, RING_FD + 1), ring_spare = -1;

	if (*ring_fd >= 0)
		ring_spare = fcntl(*ring_fd, F_DUPFD, RING_FD + 1);
	if (spare < 0 || dup2(spare, LINK_FD) < 0 ||
	    (*ring_fd >= 0 && (ring_spare < 0 || dup2(ring_spare, RING_FD) < 0)))
		_exit(1);
	*fd = LINK_FD;
	*ring_fd = RING_FD;
}

struct meter_link *meter_link_start(int fd, struct meter_ring *ring, int parent_pid)
{
	int ring_fd = ring ? meter_ring_fd(ring) : -1;
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
	link_place(&fd, &ring_fd);
	if (close_range(ring ? RING_FD + 1 : RING_FD, ~0U, 0) < 0)
		_exit(1);
	link.fd = fd;
	link.ring = ring;
	if (ring)
		meter_ring_set_fd(ring, ring_fd);
	pthread_mutex_init(&link.lock, NULL);
	return &link;
}

static void link_write(struct meter_link *link, const struct meter_record *records, size_t count)
{
	const char *rest = (const char *)records;
	size_t size = count * sizeof(*records);

	while (size) {
		ssize_t n = write(link->fd, rest, size);

		if (n < 0 && errno == EPIPE) {
			/* The meter is being closed, in order: the front panel is to be given back. */
			link_stop = 1;
			return;
		}
		if (n < 0 && errno != EINTR)
			_exit(1);
		if (n > 0) {
			rest += n;
			size -= (size_t)n;
		}
	}
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

void meter_link_block(struct meter_link *link, const struct meter_block *block, const float *values)
{
	struct meter_record record = {.kind = METER_RECORD_BLOCK, .u.block.block = *block};
	void *slot;

	/* A signal only asks to stop, and what has come is handed over first. */
	do
		slot = meter_ring_take(link->ring);
	while (!slot && errno == EINTR);
	if (!slot)
		_exit(1);
	record.u.block.packed_n = chunk_pack_block(block, values, slot);
	link_tell(link, &record);
}

void meter_link_alive(struct meter_link *link)
{
	link_tell(link, &(struct meter_record){.kind = METER_RECORD_ALIVE});
}

void meter_link_wait(struct meter_link *link, int64_t until_ns)
{
	meter_link_pause(link, until_ns);
	while (!meter_link_stopping() && meter_now_ns() < until_ns) {
		int64_t alive_ns = meter_now_ns() + METER_ALIVE_NS;

		meter_sleep_until(until_ns < alive_ns ? until_ns : alive_ns);
		if (until_ns >= alive_ns)
			meter_link_alive(link);
	}
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

void meter_link_gap(struct meter_link *link, int64_t gap_ns)
{
	struct meter_record record = link_record(METER_EVENT_NOTE);

	record.u.event.gap_ns = gap_ns;
	snprintf(record.u.event.text, sizeof(record.u.event.text),
		 "the recording has a gap of %.3f s", (double)gap_ns * 1e-9);
	link_tell(link, &record);
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

void meter_link_complete(struct meter_link *link, const char *format, ...)
{
	struct meter_record record = link_record(METER_EVENT_LOST);
	va_list args;

	record.u.event.hopeless = record.u.event.complete = true;
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
