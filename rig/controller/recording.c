/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "meter_note.h"
#include "store.h"

#define COMMIT_NS 500000000

struct recording {
	struct store *store;
	int segment;
	char *name;
	int64_t committed_ns;
	struct recording_state state;
	struct meter_sample buffer[CHUNK_READINGS_MAX];
	size_t buffered;
};

static int set_up(struct recording *r, const char *name, const char *spec, struct err *err)
{
	int code = store_set_meta(r->store, "tool", COLDRIG_VERSION, err);

	if (code == 0)
		code = store_set_meta(r->store, "meter", name, err);
	if (code == 0)
		code = store_set_meta(r->store, "spec", spec, err);
	if (code == 0)
		code = r->segment = store_begin_segment(r->store, COLDRIG_VERSION, err);
	return code < 0 ? code : store_commit(r->store, err);
}

int recording_create(const char *path, const char *name, const char *spec, struct recording **out,
		     struct err *err)
{
	struct recording *r = calloc(1, sizeof(*r));
	int code;

	if (!r)
		return err_set(err, -ENOMEM, "%s: no memory", path);
	r->name = strdup(name);
	code = r->name ? store_create(path, STORE_PAGES_CHUNKS, &r->store, err) : -ENOMEM;
	if (code == 0)
		code = set_up(r, name, spec, err);
	if (code < 0) {
		recording_close(r);
		return code;
	}
	*out = r;
	return 0;
}

static void count(struct recording *r, uint32_t channel, uint64_t n, int64_t t0_ns, int64_t t1_ns)
{
	struct recording_state *s = &r->state;

	if (channel < RECORDING_CHANNELS_MAX)
		s->channels[channel].n += n;
	if (!s->n || t0_ns < s->t0_ns)
		s->t0_ns = t0_ns;
	if (!s->n || t1_ns > s->t1_ns)
		s->t1_ns = t1_ns;
	s->n += n;
}

int recording_flush(struct recording *r, struct err *err)
{
	int code = store_append_samples(r->store, r->segment, 0, r->buffer, r->buffered, err);

	r->buffered = 0;
	return code;
}

int recording_add_samples(struct recording *r, const struct meter_sample *samples, size_t n,
			  struct err *err)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < n; i++) {
		count(r, samples[i].channel, 1, samples[i].t_ns, samples[i].t_ns);
		r->buffer[r->buffered++] = samples[i];
		if (r->buffered == CHUNK_READINGS_MAX)
			code = recording_flush(r, err);
	}
	return code;
}

int recording_add_block(struct recording *r, const struct meter_block *block, const void *packed,
			size_t packed_n, struct err *err)
{
	count(r, block->channel, block->n, meter_block_time_ns(block, 0),
	      meter_block_time_ns(block, block->n - 1));
	if (block->channel < RECORDING_CHANNELS_MAX)
		r->state.channels[block->channel].rate_hz = block->rate_hz;
	if (!r->state.arrived_ns) /* a driver of frames has a start for each */
		r->state.start_ns = block->start_ns;
	r->state.arrived_ns = block->arrived_ns;
	return store_append_block(r->store, r->segment, 0, block, packed, packed_n, err);
}

static int add_channel(struct recording *r, const struct meter_event *event, struct err *err)
{
	struct recording_channel *c = &r->state.channels[event->channel];

	if (event->channel >= RECORDING_CHANNELS_MAX)
		return err_set(err, -EINVAL,
			       "meter %s: more than %d channels: name some with "
			       "--channel",
			       r->name, RECORDING_CHANNELS_MAX);
	if (event->channel >= r->state.channels_n)
		r->state.channels_n = (size_t)event->channel + 1;
	snprintf(c->name, sizeof(c->name), "%.31s", event->text);
	snprintf(c->unit, sizeof(c->unit), "%s", event->unit);
	return store_put_channel(r->store, 0, r->name, event->channel, event->text, event->unit,
				 err);
}

int recording_add_event(struct recording *r, const struct meter_event *event, struct err *err)
{
	struct store_entry entry = {
		.t_ns = journal_now_ns(), .segment = r->segment, .arm = -1, .cycle = -1};
	struct msg *body;
	int code = 0;

	if (event->kind == METER_EVENT_CHANNEL)
		code = add_channel(r, event, err);
	r->state.notes += event->kind == METER_EVENT_NOTE;
	r->state.losses += event->kind == METER_EVENT_LOST && !event->complete;
	body = meter_note(r->name, event, r->state.t1_ns);
	if (code < 0 || !body)
		return code;
	entry.kind = "meter";
	entry.body = body;
	code = store_append(r->store, &entry, err);
	msg_free(body);
	return code;
}

int recording_commit(struct recording *r, bool at_once, struct err *err)
{
	int64_t now_ns = journal_now_ns();
	int code;

	if (!at_once && now_ns - r->committed_ns < COMMIT_NS)
		return 0;
	r->committed_ns = now_ns;
	code = recording_flush(r, err);
	return code < 0 ? code : store_commit(r->store, err);
}

const struct recording_state *recording_state(const struct recording *r)
{
	return &r->state;
}

void recording_close(struct recording *r)
{
	if (!r)
		return;
	store_close(r->store);
	free(r->name);
	free(r);
}
