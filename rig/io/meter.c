/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parent's side of the process wall. Nothing in here waits for the child without a limit. */
#include "meter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chunk.h"
#include "meter_backend.h"

/* Of the start limit, for an orderly end: what is slow to open is slow to close. */
#define STOP_PART   0.15
#define KILL_MS	    1000
#define EXIT_MS	    100 /* between the end of the pipe and the end of the process */
#define CHECK_MS    2000
#define PIPE_SIZE   (1 << 20) /* some 5,000 records: seconds of a busy controller */
#define BATCH	    64
#define RATE_MIN_HZ 1e-6
#define RATE_MAX_HZ 1e6

struct meter {
	pid_t pid; /* 0: none, or reaped */
	int pidfd; /* -1 where there is none: valgrind 3.19 does not know them */
	int pipe;
	int timer; /* makes the epoll fd readable when the watchdog has to look */
	int epoll;
	int64_t timer_due_ns;
	bool ready;
	bool lost;
	bool ended; /* the pipe has */
	int64_t opened_ns;
	int64_t heard_ns; /* when a reading last came */
	int64_t silence_ns, start_ns;
	size_t channels_n;
	struct meter_ring *ring; /* NULL: blocks are not wanted */
	size_t blocks_n;	 /* taken */
	bool block_held;	 /* its slot goes back when the next is asked for */
	unsigned char buffer[BATCH * sizeof(struct meter_record)];
	size_t begin, end; /* of what is unread in it */
};

/* The first whose driver is NULL or the spec's; the last one takes all. */
static const struct meter_backend *const backends[] = {
	&meter_fake_backend,
	&meter_replay_backend,
	&meter_sigrok_backend,
};

static const struct meter_backend *meter_backend_find(const char *driver)
{
	size_t i = 0;

	while (backends[i]->driver && strcmp(backends[i]->driver, driver) != 0)
		i++;
	return backends[i];
}

static int meter_check(const struct meter_options *options, struct err *err)
{
	if (options->channels_n > UINT32_MAX)
		return err_set(err, -EINVAL, "meter %s: too many channels", options->spec);
	if (!(options->rate_hz >= RATE_MIN_HZ && options->rate_hz <= RATE_MAX_HZ))
		return err_set(err, -EINVAL, "meter %s: rate of %g Hz: want %g to %g",
			       options->spec, options->rate_hz, RATE_MIN_HZ, RATE_MAX_HZ);
	if (options->silence_ns <= 0)
		return err_set(err, -EINVAL, "meter %s: the silence limit must be more than 0",
			       options->spec);
	if (options->start_ns < 0 || options->start_ns > METER_START_MAX_NS)
		return err_set(err, -EINVAL, "meter %s: a start limit of %g s: want at most %g s",
			       options->spec, (double)options->start_ns * 1e-9,
			       (double)METER_START_MAX_NS * 1e-9);
	for (size_t i = 0; i < options->channels_n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(options->channels[i], options->channels[j]) == 0)
				return err_set(err, -EINVAL, "meter %s: channel %s asked for twice",
					       options->spec, options->channels[i]);
		}
	}
	return 0;
}

static int64_t meter_deadline(const struct meter *m)
{
	return m->ready ? m->heard_ns + m->silence_ns : m->opened_ns + m->start_ns;
}

/* 0 switches it off. */
static void meter_set_timer(struct meter *m, int64_t t_ns)
{
	struct itimerspec when = {
		.it_value = {.tv_sec = t_ns / 1000000000, .tv_nsec = t_ns % 1000000000}};

	timerfd_settime(m->timer, TFD_TIMER_ABSTIME, &when, NULL);
	m->timer_due_ns = t_ns;
}

static int meter_watch(struct meter *m, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int meter_prepare(struct meter *m, int *child_end)
{
	int ends[2], ret;

	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll < 0)
		return -errno;
	m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (m->timer < 0)
		return -errno;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	m->pipe = ends[0];
	*child_end = ends[1];
	if (fcntl(m->pipe, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	fcntl(m->pipe, F_SETPIPE_SZ, PIPE_SIZE); /* the default serves, for a shorter time */
	ret = meter_watch(m, m->pipe);
	return ret ? ret : meter_watch(m, m->timer);
}

static int meter_fork(struct meter *m, const struct meter_backend *backend,
		      const struct meter_options *options, const struct meter_spec *spec,
		      int child_end)
{
	pid_t parent = getpid();

	m->pid = fork();
	if (m->pid < 0) {
		m->pid = 0;
		return -errno;
	}
	if (m->pid == 0) {
		struct meter_link *link = meter_link_start(child_end, m->ring, parent);

		free(m); /* it is the parent's */
		backend->run(options, spec, link);
		/* Ends with _exit(): no atexit handlers, no flushing of the parent's streams. */
		meter_link_complete(link, meter_link_stopping() ? "stopped"
								: "all that was asked for came");
	}
	m->pidfd = pidfd_open(m->pid, 0);
	return m->pidfd < 0 && errno != ENOSYS ? -errno : 0;
}

int meter_open(const struct meter_options *options, struct meter **out, struct err *err)
{
	const struct meter_backend *backend;
	struct meter_spec spec;
	struct meter *m;
	int ret, child_end = -1;

	ret = meter_spec_parse(options->spec, &spec, err);
	if (ret)
		return ret;
	ret = meter_check(options, err);
	if (ret)
		return ret;
	backend = meter_backend_find(spec.driver);
	ret = backend->check(options, &spec, err);
	if (ret)
		return ret;

	m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(err, -ENOMEM, "meter %s: no memory", options->spec);
	m->pidfd = m->pipe = m->timer = m->epoll = -1;
	m->silence_ns = options->silence_ns;
	m->start_ns = options->start_ns ? options->start_ns : METER_START_NS;
	m->channels_n = options->channels_n;
	m->opened_ns = meter_now_ns();
	ret = meter_prepare(m, &child_end);
	if (!ret && options->blocks)
		ret = meter_ring_new(&m->ring);
	if (!ret)
		ret = meter_fork(m, backend, options, &spec, child_end);
	if (child_end >= 0)
		close(child_end);
	if (ret) {
		meter_close(m);
		return err_set(err, ret, "meter %s: cannot start its process: %s", options->spec,
			       strerror(-ret));
	}
	meter_set_timer(m, meter_deadline(m));
	*out = m;
	return 0;
}

/* Waits for a process's end for at most limit_ms; true when it is reaped. */
static bool meter_wait(pid_t pid, int pidfd, int limit_ms, int *status)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};
	pid_t ended;

	*status = 0;
	if (pidfd >= 0)
		poll(&end, 1, limit_ms);
	while ((ended = waitpid(pid, status, WNOHANG)) == 0 && pidfd < 0 && limit_ms-- > 0)
		usleep(1000);
	return ended != 0;
}

/* The exit status of a child that ends within a limit, else -1. */
static int meter_child_status(pid_t pid, int limit_ms)
{
	int pidfd = pidfd_open(pid, 0), status;
	bool ended = meter_wait(pid, pidfd, limit_ms, &status);

	if (pidfd >= 0)
		close(pidfd);
	if (ended)
		return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

int meter_check_driver(const char *text, struct err *err)
{
	const struct meter_backend *backend;
	struct meter_spec spec;
	int ret = meter_spec_parse(text, &spec, err);
	pid_t pid;

	if (ret)
		return ret;
	backend = meter_backend_find(spec.driver);
	if (!backend->knows)
		return 0;
	pid = fork();
	if (pid == 0)
		_exit(backend->knows(&spec) ? 0 : 1);
	/* A library that hangs or crashes already here is told by the meter's own process later. */
	if (pid > 0 && meter_child_status(pid, CHECK_MS) == 1)
		return err_set(err, -EINVAL,
			       "there is no meter driver \"%s\": "
			       "'sigrok-cli --list-supported' lists them",
			       spec.driver);
	return 0;
}

int meter_fd(const struct meter *meter)
{
	return meter->epoll;
}

/* True when there is no process any more. */
static bool meter_reap(struct meter *m, int limit_ms, int *status)
{
	*status = 0;
	if (m->pid && meter_wait(m->pid, m->pidfd, limit_ms, status))
		m->pid = 0;
	return !m->pid;
}

static void meter_kill(struct meter *m, int limit_ms)
{
	int status;

	if (!m->pid)
		return;
	kill(m->pid, SIGKILL);
	meter_reap(m, limit_ms, &status);
}

/* After this the fd is never readable again. A process that has told its own end is ending. */
static void meter_end(struct meter *m)
{
	m->lost = true;
	m->begin = m->end = 0;
	epoll_ctl(m->epoll, EPOLL_CTL_DEL, m->pipe, NULL);
	meter_set_timer(m, 0);
}

__attribute__((format(printf, 3, 4))) static void
meter_lose(struct meter *m, struct meter_event *event, const char *format, ...)
{
	va_list args;

	memset(event, 0, sizeof(*event));
	event->kind = METER_EVENT_LOST;
	event->t_ns = meter_now_ns();
	va_start(args, format);
	vsnprintf(event->text, sizeof(event->text), format, args);
	va_end(args);
	meter_end(m);
	meter_kill(m, 0);
}

static void meter_lose_ended(struct meter *m, struct meter_event *event)
{
	int status;

	if (meter_reap(m, EXIT_MS, &status) && WIFSIGNALED(status))
		meter_lose(m, event, "the meter's process ended: %s", strsignal(WTERMSIG(status)));
	else
		meter_lose(m, event, "the meter's process ended");
}

/* Reads at most records_max more, so that none stays behind in memory where no poll sees it. */
static void meter_fill(struct meter *m, size_t records_max)
{
	size_t want = records_max * sizeof(struct meter_record);
	ssize_t n;

	memmove(m->buffer, m->buffer + m->begin, m->end - m->begin);
	m->end -= m->begin;
	m->begin = 0;
	if (want > sizeof(m->buffer))
		want = sizeof(m->buffer);
	if (want <= m->end)
		return;
	n = read(m->pipe, m->buffer + m->end, want - m->end);
	if (n > 0)
		m->end += (size_t)n;
	else if (n == 0)
		m->ended = true;
}

/* False when there is no whole record. */
static bool meter_peek(const struct meter *m, struct meter_record *record)
{
	if (m->end - m->begin < sizeof(*record))
		return false;
	memcpy(record, m->buffer + m->begin, sizeof(*record));
	return true;
}

static void meter_take_event(struct meter *m, const struct meter_event *from,
			     struct meter_event *event)
{
	*event = *from;
	event->unit[sizeof(event->unit) - 1] = '\0';
	event->text[sizeof(event->text) - 1] = '\0';
	if (event->kind == METER_EVENT_READY) {
		m->ready = true;
		m->heard_ns = meter_now_ns();
		meter_set_timer(m, meter_deadline(m)); /* the start limit may be far off */
	} else if (event->kind == METER_EVENT_CHANNEL && event->channel >= m->channels_n) {
		m->channels_n = (size_t)event->channel + 1;
	} else if (event->kind == METER_EVENT_LOST) {
		meter_end(m);
	}
}

/* Hands out records until there are none, samples are full, or an event waits that is not the first. */
static size_t meter_take(struct meter *m, struct meter_sample *samples, size_t max,
			 struct meter_event *event, size_t *event_n)
{
	struct meter_record record;
	size_t n = 0;

	while ((n < max || !max) && !m->lost) {
		if (!meter_peek(m, &record)) {
			meter_fill(m, max ? max - n : 1);
			if (!meter_peek(m, &record))
				break;
		}
		if (record.kind == METER_RECORD_BLOCK ||
		    (record.kind == METER_RECORD_SAMPLE && !max) ||
		    (record.kind == METER_RECORD_EVENT && (*event_n || n)))
			break;
		m->begin += sizeof(record);
		if (record.kind == METER_RECORD_ALIVE) {
			m->heard_ns = meter_now_ns();
		} else if (record.kind == METER_RECORD_EVENT) {
			meter_take_event(m, &record.u.event, event);
			*event_n = 1;
		} else if (record.u.sample.channel < m->channels_n) {
			samples[n++] = record.u.sample;
		}
	}
	return n;
}

size_t meter_read(struct meter *m, struct meter_sample *samples, size_t max,
		  struct meter_event *event, size_t *event_n)
{
	struct meter_record record;
	int64_t now;
	bool waits;
	size_t n;

	*event_n = 0;
	if (m->lost)
		return 0;
	n = meter_take(m, samples, max, event, event_n);
	if (m->lost)
		return n;
	now = meter_now_ns();
	if (n)
		m->heard_ns = now;
	waits = meter_peek(m, &record);
	if (!n && !*event_n && !waits && m->ended)
		meter_lose_ended(m, event);
	else if (!n && !*event_n && !waits && now >= meter_deadline(m))
		meter_lose(
			m, event,
			m->ready ? "no reading for %.1f s"
				 : "not found, or does not answer: not ready after %.1f s (longer: "
				   "--start-limit, in a lab start_limit)",
			(double)(m->ready ? m->silence_ns : m->start_ns) * 1e-9);
	if (m->lost) {
		*event_n = 1;
		return n;
	}
	if (waits && record.kind != METER_RECORD_BLOCK)
		meter_set_timer(m, 1); /* at once: no poll sees what is left in memory */
	else if (now >= m->timer_due_ns)
		meter_set_timer(m, meter_deadline(m));
	return n;
}

bool meter_read_block(struct meter *m, struct meter_block *block, const void **packed,
		      size_t *packed_n)
{
	struct meter_record record;

	if (m->block_held)
		meter_ring_give_back(m->ring);
	m->block_held = false;
	if (!m->lost && !meter_peek(m, &record))
		meter_fill(m, BATCH);
	if (m->lost || !m->ring || !meter_peek(m, &record) || record.kind != METER_RECORD_BLOCK)
		return false;
	m->begin += sizeof(record);
	m->block_held = true;
	m->heard_ns = meter_now_ns();
	*block = record.u.block.block;
	*packed = meter_ring_slot(m->ring, m->blocks_n++);
	*packed_n = (size_t)record.u.block.packed_n;
	return *packed_n <= chunk_block_bound(METER_BLOCK_MAX) && block->n <= METER_BLOCK_MAX &&
	       block->n > 0 && block->rate_hz > 0;
}

bool meter_data_waits(const struct meter *m, int64_t *t_ns)
{
	struct meter_record record;

	if (m->lost || !meter_peek(m, &record))
		return false;
	if (record.kind == METER_RECORD_SAMPLE)
		*t_ns = record.u.sample.t_ns;
	else if (record.kind == METER_RECORD_BLOCK)
		*t_ns = meter_block_time_ns(&record.u.block.block, 0);
	return record.kind == METER_RECORD_SAMPLE || record.kind == METER_RECORD_BLOCK;
}

void meter_stop(struct meter *m)
{
	if (m->pid)
		kill(m->pid, SIGTERM);
}

int64_t meter_block_time_ns(const struct meter_block *block, uint64_t i)
{
	uint64_t at = block->first + i, whole = at / block->rate_hz, rest = at % block->rate_hz;
	double fraction_ns = (double)rest * 1e9 / (double)block->rate_hz;

	return (int64_t)((uint64_t)block->start_ns + whole * 1000000000 + (uint64_t)fraction_ns);
}

static const char *meter_word(const char *text)
{
	return *text ? text : "-";
}

void meter_identity_text(const struct meter_identity *id, char text[static METER_IDENTITY_SIZE])
{
	snprintf(text, METER_IDENTITY_SIZE, "%s %s %s %s", meter_word(id->vendor),
		 meter_word(id->model), meter_word(id->version), meter_word(id->serial));
}

bool meter_identity_same(const struct meter_identity *a, const struct meter_identity *b)
{
	return strcmp(a->vendor, b->vendor) == 0 && strcmp(a->model, b->model) == 0 &&
	       strcmp(a->serial, b->serial) == 0;
}

static void meter_close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void meter_close(struct meter *m)
{
	int status;

	if (!m)
		return;
	/* A child that waits for room in the pipe must get an error, not wait out the limit. */
	meter_close_fd(m->pipe);
	if (m->pid && !m->lost)
		kill(m->pid, SIGTERM);
	meter_reap(m, (int)((double)m->start_ns * STOP_PART * 1e-6), &status);
	meter_kill(m, KILL_MS);
	meter_close_fd(m->pidfd);
	meter_close_fd(m->timer);
	meter_close_fd(m->epoll);
	meter_ring_free(m->ring);
	free(m);
}
