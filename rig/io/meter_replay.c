/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A recording in the place of a meter: "replay:FILE", "replay:DIR:meter=NAME:speed=10". FILE is what
 * `coldrig meter record` made, or a run's run.db; DIR a run. Times keep their distances and begin with
 * now, or a ms earlier; speed says how soon readings come, "max" at once.
 */
#include "meter_backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gaps.h"
#include "store.h"

#define CHANNELS_MAX 256
/* Times are moved by whole ms of 2^20 ns, so that they stay on the steps that they are kept in (chunk.h). */
#define SHIFT_MASK (~(((int64_t)1 << 20) - 1))

struct replay {
	const struct meter_options *options;
	struct meter_link *link;
	struct store *store;
	double speed; /* 0: at once */
	int meter;
	uint32_t wanted[CHANNELS_MAX]; /* the recording's channel of each that is delivered */
	size_t wanted_n;
	uint64_t sent[CHANNELS_MAX]; /* values in blocks */
	int64_t base_ns, start_ns;   /* the first sample, by UTC; and now, as it is replayed */
	int64_t shift_ns;	     /* from the segment's times to the replay's */
	int64_t last_ns;	     /* as replayed */
	struct gaps gaps;	     /* of the meter, in the times of their segments */
	int segment;
	const char *name; /* of the meter */
};

static int replay_path(const struct meter_spec *spec, char *out, size_t size)
{
	const char *file = meter_spec_get(spec, "file");
	struct stat about;

	if (!file || stat(file, &about) < 0)
		return file ? -errno : -EINVAL;
	snprintf(out, size, S_ISDIR(about.st_mode) ? "%s/run.db" : "%s", file);
	return access(out, R_OK) < 0 ? -errno : 0;
}

static int replay_speed(const struct meter_spec *spec, double *out)
{
	const char *text = meter_spec_get(spec, "speed");
	char *end;

	*out = 1;
	if (!text)
		return 0;
	if (strcmp(text, "max") == 0) {
		*out = 0;
		return 0;
	}
	*out = strtod(text, &end);
	return end != text && !*end && *out >= 1e-3 && *out <= 1e6 ? 0 : -EINVAL;
}

static bool replay_knows_keys(const struct meter_spec *spec)
{
	for (size_t i = 0; i < spec->options_n; i++) {
		const char *key = spec->options[i].key;

		if (strcmp(key, "file") != 0 && strcmp(key, "meter") != 0 &&
		    strcmp(key, "speed") != 0)
			return false;
	}
	return true;
}

static int replay_check(const struct meter_options *options, const struct meter_spec *spec,
			struct err *err)
{
	char path[METER_SPEC_SIZE + 8];
	double speed;
	int r = 0;

	if (!replay_knows_keys(spec) || replay_speed(spec, &speed) < 0)
		return err_set(
			err, -EINVAL,
			"meter spec '%.200s': want replay:FILE[:meter=NAME][:speed=N|max], N "
			"from 0.001 to 1000000",
			options->spec);
	r = replay_path(spec, path, sizeof(path));
	return r < 0 ? err_set(err, -EINVAL, "meter spec '%.200s': the recording: %s",
			       options->spec, strerror(-r))
		     : 0;
}

/* The meter of that name, or the only one. */
static void replay_choose_meter(struct replay *p, const char *name,
				const struct store_channel *channels, size_t n)
{
	size_t i = 0;

	while (i < n && name && strcmp(channels[i].meter_name, name) != 0)
		i++;
	if (i == n && name)
		meter_link_hopeless(p->link, "the recording has no meter '%s'", name);
	if (n == 0)
		meter_link_hopeless(p->link, "the recording has no channel");
	p->meter = channels[i].meter;
	p->name = channels[i].meter_name;
	if (!name && channels[n - 1].meter != p->meter)
		meter_link_hopeless(p->link,
				    "the recording has several meters, such as %s and %s: "
				    "meter= names one",
				    channels[0].meter_name, channels[n - 1].meter_name);
}

static void replay_add_channel(struct replay *p, const struct store_channel *channel)
{
	if (p->wanted_n == CHANNELS_MAX)
		meter_link_hopeless(p->link, "the recording has more than %d channels",
				    CHANNELS_MAX);
	p->wanted[p->wanted_n] = channel->channel;
	meter_link_channel(p->link, p->wanted_n++, channel->name, channel->unit);
}

static void replay_choose_channels(struct replay *p, const struct store_channel *channels, size_t n)
{
	const struct meter_options *o = p->options;

	for (size_t i = 0; i < n && !o->channels_n; i++) {
		if (channels[i].meter == p->meter)
			replay_add_channel(p, &channels[i]);
	}
	for (size_t k = 0; k < o->channels_n; k++) {
		size_t i = 0;

		while (i < n && (channels[i].meter != p->meter ||
				 strcmp(channels[i].name, o->channels[k]) != 0))
			i++;
		if (i == n)
			meter_link_hopeless(p->link, "the recording has no channel '%s'",
					    o->channels[k]);
		replay_add_channel(p, &channels[i]);
	}
}

/* Index of what is delivered; wanted_n if this channel is not. */
static size_t replay_index(const struct replay *p, uint32_t channel)
{
	size_t i = 0;

	while (i < p->wanted_n && p->wanted[i] != channel)
		i++;
	return i;
}

static bool replay_is_gap(const struct replay *p, int64_t from_ns, int64_t to_ns)
{
	for (size_t i = 0; i < p->gaps.n; i++) {
		const struct rail_gap *gap = &p->gaps.all[i];

		if (gap->segment == p->segment &&
		    gaps_is_between(gap, from_ns - p->shift_ns, to_ns - p->shift_ns))
			return true;
	}
	return false;
}

/* Waits until a moment of the replay is due. A time without the meter is told, and each that a meter
 * would be given up for. */
static void replay_wait(struct replay *p, int64_t t_ns)
{
	int64_t due_ns = meter_now_ns();

	if (p->last_ns &&
	    (t_ns - p->last_ns > p->options->silence_ns || replay_is_gap(p, p->last_ns, t_ns)))
		meter_link_gap(p->link, t_ns - p->last_ns);
	if (t_ns > p->last_ns)
		p->last_ns = t_ns;
	if (p->speed > 0)
		due_ns = p->start_ns + (int64_t)((double)(t_ns - p->start_ns) / p->speed);
	meter_link_wait(p->link, due_ns);
}

static void replay_sample(struct replay *p, const struct meter_sample *from)
{
	struct meter_sample sample = *from;
	size_t index = replay_index(p, from->channel);

	if (index == p->wanted_n)
		return;
	sample.channel = (uint32_t)index;
	sample.t_ns += p->shift_ns;
	replay_wait(p, sample.t_ns);
	if (!meter_link_stopping())
		meter_link_sample(p->link, &sample);
}

static void replay_block(struct replay *p, const struct store_chunk *chunk)
{
	struct meter_block block = chunk->block;
	size_t index = replay_index(p, block.channel);
	uint64_t left = p->options->block_limit;

	if (index == p->wanted_n)
		return;
	block.channel = (uint32_t)index;
	block.start_ns += p->shift_ns;
	block.arrived_ns += p->shift_ns;
	left = left ? left - p->sent[index] : block.n;
	block.n = left < block.n ? (uint32_t)left : block.n;
	p->sent[index] += block.n;
	replay_wait(p, meter_block_time_ns(&block, block.n ? block.n - 1 : 0));
	if (block.n && !meter_link_stopping())
		meter_link_block(p->link, &block, chunk->values);
}

/* For who wants no blocks. */
static void replay_values(struct replay *p, const struct store_chunk *chunk)
{
	for (uint64_t i = 0; i < chunk->n && !meter_link_stopping(); i++)
		replay_sample(p, &(struct meter_sample){
					 .t_ns = meter_block_time_ns(&chunk->block, i),
					 .error_ns = chunk->block.error_ns,
					 .channel = chunk->block.channel,
					 .value = (double)chunk->values[i],
				 });
}

static void replay_chunk(struct replay *p, const struct store_chunk *chunk)
{
	if (chunk->coding == CHUNK_BLOCK && p->options->blocks)
		replay_block(p, chunk);
	else if (chunk->coding == CHUNK_BLOCK)
		replay_values(p, chunk);
	for (size_t i = 0; chunk->samples && i < chunk->n && !meter_link_stopping(); i++)
		replay_sample(p, &chunk->samples[i]);
}

static void replay_segment(struct replay *p, const struct store_segment *segment)
{
	struct store_cursor *cursor;
	struct store_extent extent;
	struct store_chunk chunk;
	struct err err = {""};
	int r = store_get_extent(p->store, segment->id, p->meter, &extent, &err);

	if (r == 0 && !extent.n)
		return;
	if (r == 0)
		r = store_cursor_open(p->store, segment->id, p->meter, INT64_MIN, INT64_MAX,
				      &cursor, &err);
	if (r < 0)
		meter_link_hopeless(p->link, "%s", err.text);
	if (!p->base_ns)
		p->base_ns = extent.t0_ns - segment->monotonic_ns + segment->wall_ns;
	p->segment = segment->id;
	p->shift_ns =
		(segment->wall_ns - segment->monotonic_ns - p->base_ns + p->start_ns) & SHIFT_MASK;
	while (!meter_link_stopping() && (r = store_cursor_next(cursor, &chunk, &err)) != 0) {
		if (r > 0)
			replay_chunk(p, &chunk);
		else if (r == -EBADMSG)
			meter_link_event(p->link, METER_EVENT_NOTE, "%s", err.text);
		else
			meter_link_hopeless(p->link, "%s", err.text);
	}
	store_cursor_close(cursor);
}

static int replay_take_entry(void *context, const struct store_entry *entry)
{
	struct replay *p = context;

	if (strcmp(entry->kind, "meter") != 0 ||
	    strcmp(msg_get_str(entry->body, "meter"), p->name) != 0)
		return 0;
	return gaps_take(&p->gaps, entry, 0);
}

static void replay_run(const struct meter_options *options, const struct meter_spec *spec,
		       struct meter_link *link)
{
	static const struct meter_identity identity = {.vendor = "coldrig", .model = "replay"};
	struct replay p = {.options = options, .link = link};
	struct store_channel *channels;
	struct store_segment *segments;
	char path[METER_SPEC_SIZE + 8];
	size_t channels_n, segments_n;
	struct err err = {"the spec cannot be read"};

	if (replay_path(spec, path, sizeof(path)) < 0 || replay_speed(spec, &p.speed) < 0 ||
	    store_open(path, true, &p.store, &err) < 0 ||
	    store_channels(p.store, &channels, &channels_n, &err) < 0 ||
	    store_segments(p.store, &segments, &segments_n, &err) < 0)
		meter_link_hopeless(link, "%s", err.text);
	replay_choose_meter(&p, meter_spec_get(spec, "meter"), channels, channels_n);
	meter_link_ready(link, &identity);
	replay_choose_channels(&p, channels, channels_n);
	if (store_each_entry(p.store, replay_take_entry, &p, &err) < 0)
		meter_link_event(link, METER_EVENT_NOTE, "%s", err.text);
	p.start_ns = meter_now_ns();
	for (size_t i = 0; i < segments_n && !meter_link_stopping(); i++)
		replay_segment(&p, &segments[i]);
	gaps_free(&p.gaps);
	free(segments);
	store_free_channels(channels, channels_n);
	store_close(p.store);
}

const struct meter_backend meter_replay_backend = {
	.driver = "replay",
	.check = replay_check,
	.run = replay_run,
};
