/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rig's meters: opening them, and taking in what they say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meter_note.h"
#include "rig_parts.h"
#include "wiring.h"

#define FLUSH_NS (500 * MS_NS) /* readings and entries reach the disk so often */

static int flush_meter(struct rig *rig, size_t i, struct err *err)
{
	struct rig_meter *m = &rig->meters[i];
	int r = store_append_samples(rig->o.journal->store, rig->o.journal->segment, (int)i,
				     m->buffer, m->buffered, err);

	m->buffered = 0;
	return r;
}

int rig_flush_meters(struct rig *rig, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && rig->o.journal && i < rig->o.lab->meters_n; i++)
		r = flush_meter(rig, i, err);
	rig->next_flush_ns = journal_now_ns() + FLUSH_NS;
	return r;
}

/* What a rail takes from a channel must come in its unit. */
static int check_unit(const struct rig *rig, size_t i, const struct meter_event *event,
		      struct err *err)
{
	enum lab_feed_kind kind;
	const struct lab_feed *feed = wiring_feed(rig->o.target, i, event->channel, &kind);

	if (!feed || strcmp(event->unit, lab_feed_unit(kind)) == 0)
		return 0;
	return err_set(err, -EINVAL,
		       "%s:%zu:%zu: %s: \"%s\": meter %s delivers %s on this channel, not %s",
		       rig->o.lab->path, feed->line, feed->column, lab_feed_key(kind),
		       feed->channel, rig->o.lab->meters[i].name,
		       strcmp(event->unit, "1") == 0 ? "plain numbers" : event->unit,
		       lab_feed_unit(kind));
}

/* Words for the person at the terminal. */
static void say_meter_event(struct rig *rig, size_t i, const struct meter_event *event)
{
	struct rig_meter *m = &rig->meters[i];
	const char *name = rig->o.lab->meters[i].name;

	if (event->kind == METER_EVENT_LOST)
		progress_say(rig->o.progress, "  meter %s is lost: %s", name, event->text);
	else if (event->kind == METER_EVENT_READY && m->is_lost)
		progress_say(rig->o.progress, "  meter %s is back", name);
	if (event->kind == METER_EVENT_LOST || event->kind == METER_EVENT_READY)
		m->is_lost = event->kind == METER_EVENT_LOST;
	m->is_over = m->is_over || (m->is_lost && event->hopeless);
}

static int note_meter_event(struct rig *rig, size_t i, const struct meter_event *event,
			    struct err *err)
{
	const char *name = rig->o.lab->meters[i].name;
	struct msg *body;
	int r = 0;

	if (event->kind == METER_EVENT_CHANNEL && *event->unit)
		r = check_unit(rig, i, event, err);
	if (r == 0 && event->kind == METER_EVENT_CHANNEL && rig->o.journal)
		r = store_put_channel(rig->o.journal->store, (int)i, name, event->channel,
				      event->text, event->unit, err);
	if (r < 0)
		return r;
	if (event->kind == METER_EVENT_CHANNEL && *event->unit)
		rig->meters[i].known_n++;
	body = meter_note(name, event, rig->meters[i].last_t_ns);
	if (body)
		r = rig_note(rig, "meter", body, err);
	say_meter_event(rig, i, event);
	return r;
}

int rig_take_readings(struct rig *rig, size_t i, struct err *err)
{
	struct rig_meter *m = &rig->meters[i];
	size_t n, event_n;
	int r = 0;

	do {
		struct meter_event event;

		n = meter_keep_read(m->meter, m->buffer + m->buffered, BUFFER_SAMPLES - m->buffered,
				    &event, &event_n);
		m->buffered += n;
		/* The readings came before a loss, and go to the file before it. */
		if (event_n && event.kind == METER_EVENT_LOST && rig->o.journal)
			r = flush_meter(rig, i, err);
		if (r == 0 && event_n)
			r = note_meter_event(rig, i, &event, err);
		if (n) /* after the event, which came before them */
			m->last_t_ns = m->buffer[m->buffered - 1].t_ns;
		if (r == 0 && m->buffered == BUFFER_SAMPLES)
			r = flush_meter(rig, i, err);
	} while (r == 0 && (n || event_n));
	return r;
}

int rig_open_meters(struct rig *rig, struct err *err)
{
	const struct lab *lab = rig->o.lab;

	for (size_t i = 0; rig->o.journal && i < lab->meters_n; i++) {
		const char *channels[WIRING_CHANNELS_MAX];
		struct meter_options options = {
			.channels = channels,
			.channels_n = wiring_channels(rig->o.target, i, channels),
			.rate_hz = lab->meters[i].rate_hz,
			.silence_ns = METER_SILENCE_NS,
			.start_ns = lab->meters[i].start_ns,
		};
		const char *port = strstr(lab->meters[i].spec, "{port}");
		char spec[512];
		int r;

		if (options.channels_n == 0)
			continue;
		snprintf(spec, sizeof(spec), "%s", lab->meters[i].spec);
		if (port && rig->vlab)
			snprintf(spec, sizeof(spec), "%.*s%u%s", (int)(port - lab->meters[i].spec),
				 lab->meters[i].spec, vlab_instrument_port(rig->vlab), port + 6);
		options.spec = spec;
		rig->meters[i].channels_n = options.channels_n;
		rig->meters[i].buffer = calloc(BUFFER_SAMPLES, sizeof(struct meter_sample));
		if (!rig->meters[i].buffer)
			return -ENOMEM;
		r = meter_keep_open(&options, &rig->meters[i].meter, err);
		if (r < 0)
			return r;
	}
	return 0;
}

size_t rig_meter_fds(const struct rig *rig, struct pollfd fds[static LAB_METERS_MAX],
		     size_t of[static LAB_METERS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < rig->o.lab->meters_n; i++) {
		if (!rig->meters[i].meter || rig->meters[i].is_over)
			continue;
		of[n] = i;
		fds[n++] = (struct pollfd){.fd = meter_keep_fd(rig->meters[i].meter),
					   .events = POLLIN};
	}
	return n;
}

bool rig_meters_reach(const struct rig *rig, int64_t t_ns)
{
	for (size_t i = 0; i < rig->o.lab->meters_n; i++) {
		const struct rig_meter *m = &rig->meters[i];

		if (m->meter && !m->is_lost && m->last_t_ns < t_ns)
			return false;
	}
	return true;
}

int64_t rig_meters_start_ns(const struct rig *rig)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < rig->o.lab->meters_n; i++) {
		if (rig->meters[i].meter && rig->o.lab->meters[i].start_ns > longest_ns)
			longest_ns = rig->o.lab->meters[i].start_ns;
	}
	return longest_ns;
}

bool rig_meters_known(const struct rig *rig)
{
	for (size_t i = 0; i < rig->o.lab->meters_n; i++) {
		const struct rig_meter *m = &rig->meters[i];

		if (m->meter && !m->is_lost && m->known_n < m->channels_n)
			return false;
	}
	return true;
}
