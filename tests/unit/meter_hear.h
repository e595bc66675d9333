/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening to a meter, for tests: all that it said, and whether it is what the server answered. */
#ifndef COLDRIG_METER_HEAR_H
#define COLDRIG_METER_HEAR_H

#include <poll.h>

#include "meter.h"
#include "meter_keep.h"
#include "patience.h"
#include "scpi_server.h"
#include "unit.h"

#define SAMPLES 4096
#define EVENTS	64

/* One of the two. */
struct ear {
	struct meter *meter;
	struct meter_keep *keep;
};

struct heard {
	const void *of;
	struct meter_sample samples[SAMPLES];
	struct meter_event events[EVENTS];
	size_t samples_n, events_n;
	size_t before_ready;	     /* samples that came too early, or in a gap */
	size_t at_event[EVENTS];     /* samples_n when it came */
	bool ready, lost, lost_once; /* lost: now */
	char lost_text[160];
	int64_t longest_read_ns;
};

static struct heard heard;

static inline struct meter_options hear_options(const char *spec, const char *const *channels,
						size_t channels_n)
{
	return (struct meter_options){.spec = spec,
				      .channels = channels,
				      .channels_n = channels_n,
				      .rate_hz = 1000.0,
				      .silence_ns = SILENCE,
				      .start_ns = START};
}

/* "no answer for 0.9 s", as a meter says it. */
static inline const char *hear_words(const char *what, int64_t ns)
{
	static char words[64];

	snprintf(words, sizeof(words), "%s %.1f s", what, (double)ns * 1e-9);
	return words;
}

static inline void hear_event(const struct meter_event *event)
{
	if (heard.events_n < EVENTS) {
		heard.at_event[heard.events_n] = heard.samples_n;
		heard.events[heard.events_n++] = *event;
	}
	if (event->kind == METER_EVENT_READY) {
		heard.ready = true;
		heard.lost = false;
	}
	if (event->kind == METER_EVENT_LOST) {
		heard.ready = false;
		heard.lost = heard.lost_once = true;
		strcpy(heard.lost_text, event->text);
	}
}

static inline void hear_some(struct ear ear, size_t samples_n)
{
	struct meter_sample *at = heard.samples + heard.samples_n;
	size_t room = samples_n - heard.samples_n, n, event_n;
	bool was_ready = heard.ready;
	struct meter_event event;
	int64_t before = scpi_now_ns();

	n = ear.keep ? meter_keep_read(ear.keep, at, room, &event, &event_n)
		     : meter_read(ear.meter, at, room, &event, &event_n);
	if (scpi_now_ns() - before > heard.longest_read_ns)
		heard.longest_read_ns = scpi_now_ns() - before;
	if (event_n)
		hear_event(&event);
	heard.samples_n += n;
	if (n && !was_ready && !heard.ready)
		heard.before_ready += n;
}

/* Waits on the fd alone, so that has to tell all. */
static inline void hear_wait(struct ear ear, int64_t end)
{
	struct pollfd fd = {.fd = ear.keep ? meter_keep_fd(ear.keep) : meter_fd(ear.meter),
			    .events = POLLIN};

	poll(&fd, 1, (int)((end - scpi_now_ns()) / 1000000) + 1);
}

/* Forgets what was heard; listens until so many samples, an end, or the limit, with patience. */
static inline void hear_until(struct ear ear, size_t samples_n, bool to_loss, int64_t limit_ns)
{
	const void *of = ear.keep ? (const void *)ear.keep : (const void *)ear.meter;
	int64_t end = scpi_now_ns() + patient(limit_ns);
	bool was_ready = heard.of == of && heard.ready, was_lost = heard.of == of && heard.lost;

	memset(&heard, 0, sizeof(heard));
	heard.of = of;
	heard.ready = was_ready;
	heard.lost = was_lost && !to_loss;
	while (!(to_loss && heard.lost) && heard.samples_n < samples_n && scpi_now_ns() < end) {
		hear_wait(ear, end);
		hear_some(ear, samples_n);
	}
	CU_ASSERT_EQUAL(heard.before_ready, 0);
}

static inline const struct meter_event *heard_kind(enum meter_event_kind kind)
{
	for (size_t i = 0; i < heard.events_n; i++) {
		if (heard.events[i].kind == kind)
			return &heard.events[i];
	}
	return NULL;
}

static inline size_t heard_count(enum meter_event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < heard.events_n; i++)
		n += heard.events[i].kind == kind;
	return n;
}

/* Each reading is an answer that the server gave, whole, on that channel, within that time. names
 * are as in the options: a letter and a number. */
static inline void expect_faithful(const struct scpi_server *server, const char *const *names)
{
	unsigned wrong_value = 0, wrong_channel = 0, wrong_time = 0, disorder = 0;

	for (size_t i = 0; i < heard.samples_n; i++) {
		const struct meter_sample *s = &heard.samples[i];
		unsigned n = (unsigned)s->value;
		const char *name = names[s->channel];

		if (!(s->value >= 1.0 && s->value < SCPI_LOG_SIZE) || n != s->value ||
		    n > server->shared->answers) {
			wrong_value++;
			continue;
		}
		wrong_channel += server->shared->log[n].channel != atoi(name + 1) ||
				 server->shared->log[n].what != name[0];
		wrong_time += s->t_ns - s->error_ns > server->shared->log[n].query_ns ||
			      s->t_ns + s->error_ns < server->shared->log[n].answer_ns;
		disorder += i && s->value <= heard.samples[i - 1].value;
	}
	CU_ASSERT_EQUAL(wrong_value, 0);
	CU_ASSERT_EQUAL(wrong_channel, 0);
	CU_ASSERT_EQUAL(wrong_time, 0);
	CU_ASSERT_EQUAL(disorder, 0);
}

/* 0 where the kernel does not list children. */
static inline pid_t newest_child(void)
{
	char path[64];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fscanf(file, "%d", &pid) == 1)
		;
	fclose(file);
	return pid;
}

#endif
