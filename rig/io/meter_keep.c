/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_keep.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "meter_backend.h"

#define PAUSE_FIRST_NS 100000000
#define PAUSE_MAX_NS   2000000000

struct meter_keep {
	struct meter_options options; /* with strings of its own */
	struct meter *meter;	      /* NULL: waiting for due_ns, or over */
	int timer;
	int64_t due_ns, pause_ns;
	bool up;	/* READY was told, and no LOST since */
	bool told;	/* that it is lost */
	bool over;	/* hopeless */
	bool stopping;	/* is not to be opened again */
	bool known;	/* identity is */
	bool returning; /* ready is to be told with the first reading */
	struct meter_identity identity;
	struct meter_event ready;
	char (*units)[METER_UNIT_SIZE]; /* of its channels; "" not known yet */
	size_t units_n;
	char why[160]; /* the latest reason that was told */
};

static void keep_free_options(struct meter_options *o)
{
	for (size_t i = 0; o->channels && i < o->channels_n; i++)
		free((char *)o->channels[i]);
	free((void *)o->channels);
	free((char *)o->spec);
}

static int keep_copy_options(const struct meter_options *from, struct meter_options *to)
{
	char **channels = calloc(from->channels_n + 1, sizeof(*channels));

	*to = *from;
	to->channels = (const char *const *)channels;
	to->spec = strdup(from->spec);
	if (!channels || !to->spec)
		return -ENOMEM;
	for (size_t i = 0; i < from->channels_n; i++) {
		channels[i] = strdup(from->channels[i]);
		if (!channels[i])
			return -ENOMEM;
	}
	return 0;
}

int meter_keep_open(const struct meter_options *options, struct meter_keep **out, struct err *err)
{
	struct meter_keep *k = calloc(1, sizeof(*k));
	int ret = -ENOMEM;

	if (k) {
		k->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		k->units = calloc(options->channels_n + 1, sizeof(*k->units));
		k->units_n = options->channels_n;
		k->pause_ns = PAUSE_FIRST_NS;
		ret = k->units ? keep_copy_options(options, &k->options) : -ENOMEM;
	}
	if (ret == 0 && k->timer < 0)
		ret = -errno;
	if (ret)
		err_set(err, ret, "meter %s: %s", options->spec, strerror(-ret));
	else
		ret = meter_open(options, &k->meter, err);
	if (ret) {
		meter_keep_close(k);
		return ret;
	}
	*out = k;
	return 0;
}

int meter_keep_fd(const struct meter_keep *keep)
{
	return keep->meter ? meter_fd(keep->meter) : keep->timer;
}

/* Ends this life of the meter; the next one begins after a pause. */
static void keep_wait(struct meter_keep *k)
{
	struct itimerspec when = {0};

	meter_close(k->meter);
	k->meter = NULL;
	k->up = k->returning = false;
	k->due_ns = meter_now_ns() + k->pause_ns;
	when.it_value.tv_sec = k->due_ns / 1000000000;
	when.it_value.tv_nsec = k->due_ns % 1000000000;
	timerfd_settime(k->timer, TFD_TIMER_ABSTIME, &when, NULL);
	k->pause_ns = k->pause_ns < PAUSE_MAX_NS / 2 ? 2 * k->pause_ns : PAUSE_MAX_NS;
}

/* The same reason again and again is no news. */
static size_t keep_note(struct meter_keep *k, struct meter_event *event, const char *why)
{
	if (strcmp(k->why, why) == 0)
		return 0;
	snprintf(k->why, sizeof(k->why), "%s", why);
	*event = (struct meter_event){.kind = METER_EVENT_NOTE, .t_ns = meter_now_ns()};
	snprintf(event->text, sizeof(event->text), "%s", why);
	return 1;
}

static size_t keep_take_lost(struct meter_keep *k, struct meter_event *event)
{
	const struct meter_event lost = *event;

	k->over = lost.complete || k->stopping || (lost.hopeless && !k->known);
	if (k->over) {
		meter_close(k->meter);
		k->meter = NULL;
		return 1;
	}
	event->hopeless = false;
	keep_wait(k);
	if (k->told)
		return keep_note(k, event, lost.text);
	k->told = true;
	snprintf(k->why, sizeof(k->why), "%s", lost.text);
	return 1;
}

/* Another instrument, or another unit: what it says is not what is wanted. */
__attribute__((format(printf, 3, 4))) static size_t
keep_refuse(struct meter_keep *k, struct meter_event *event, const char *format, ...)
{
	bool was_up = k->up;
	char why[sizeof(k->why)];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	keep_wait(k);
	if (!keep_note(k, event, why))
		return 0;
	if (was_up)
		event->kind = METER_EVENT_LOST;
	k->told = true;
	return 1;
}

static size_t keep_return(struct meter_keep *k, struct meter_event *event)
{
	*event = k->ready;
	k->identity = k->ready.identity;
	k->known = k->up = true;
	k->returning = k->told = false;
	k->why[0] = '\0';
	return 1;
}

static size_t keep_take_ready(struct meter_keep *k, struct meter_event *event)
{
	char is[METER_IDENTITY_SIZE], was[METER_IDENTITY_SIZE];

	if (k->known && !meter_identity_same(&k->identity, &event->identity)) {
		meter_identity_text(&event->identity, is);
		meter_identity_text(&k->identity, was);
		return keep_refuse(k, event, "refused: '%.60s' answers in place of '%.60s'", is,
				   was);
	}
	k->ready = *event;
	if (!k->known)
		return keep_return(k, event);
	k->returning = true;
	return 0;
}

/* Where all channels are wanted it is the meter that says which there are. */
static bool keep_is_new_channel(struct meter_keep *k, uint32_t channel)
{
	size_t n = (size_t)channel + 1;
	void *more = n > k->units_n ? realloc(k->units, n * sizeof(*k->units)) : NULL;

	if (!more)
		return false;
	k->units = more;
	memset(k->units[k->units_n], 0, (n - k->units_n) * sizeof(*k->units));
	k->units_n = n;
	return true;
}

static size_t keep_take_channel(struct meter_keep *k, struct meter_event *event)
{
	bool is_new = keep_is_new_channel(k, event->channel);
	char *unit;

	if (event->channel >= k->units_n)
		return 1;
	unit = k->units[event->channel];
	if (!is_new && (!*event->unit || strcmp(unit, event->unit) == 0))
		return 0;
	if (*unit)
		return keep_refuse(k, event, "refused: channel %.60s delivers '%s' now, not '%s'",
				   event->text, event->unit, unit);
	snprintf(unit, METER_UNIT_SIZE, "%s", event->unit);
	return 1;
}

static size_t keep_take_event(struct meter_keep *k, struct meter_event *event)
{
	switch (event->kind) {
	case METER_EVENT_READY:
		return keep_take_ready(k, event);
	case METER_EVENT_CHANNEL:
		return keep_take_channel(k, event);
	case METER_EVENT_LOST:
	case METER_EVENT_OPTION:
	case METER_EVENT_NOTE:
		return 1;
	}
	return 1;
}

static size_t keep_open_again(struct meter_keep *k, struct meter_event *event)
{
	struct err err = {""};

	if (meter_now_ns() < k->due_ns)
		return 0;
	if (meter_open(&k->options, &k->meter, &err) == 0)
		return 0;
	k->meter = NULL;
	keep_wait(k);
	return keep_note(k, event, err.text);
}

size_t meter_keep_read(struct meter_keep *k, struct meter_sample *samples, size_t max,
		       struct meter_event *event, size_t *event_n)
{
	bool was_up = k->up;
	int64_t first_ns;
	size_t n;

	*event_n = 0;
	if (!k->meter && !k->over)
		*event_n = keep_open_again(k, event);
	if (!k->meter)
		return 0;
	n = meter_read(k->meter, samples, k->returning ? 0 : max, event, event_n);
	if (*event_n && event->kind == METER_EVENT_LOST) {
		*event_n = keep_take_lost(k, event);
		return was_up ? n : 0;
	}
	if (*event_n)
		*event_n = keep_take_event(k, event);
	/* It is back when a reading is: until then it may turn out to be another one. */
	if (k->returning && !*event_n && meter_data_waits(k->meter, &first_ns)) {
		*event_n = keep_return(k, event);
		event->first_ns = first_ns;
	}
	if (n && k->up)
		k->pause_ns = PAUSE_FIRST_NS;
	return k->up ? n : 0;
}

bool meter_keep_read_block(struct meter_keep *k, struct meter_block *block, const void **packed,
			   size_t *packed_n)
{
	return k->meter && k->up && meter_read_block(k->meter, block, packed, packed_n);
}

bool meter_keep_stop(struct meter_keep *k)
{
	k->stopping = true;
	if (k->meter)
		meter_stop(k->meter);
	else
		k->over = true;
	return k->meter;
}

void meter_keep_close(struct meter_keep *k)
{
	if (!k)
		return;
	meter_close(k->meter);
	if (k->timer >= 0)
		close(k->timer);
	keep_free_options(&k->options);
	free(k->units);
	free(k);
}
