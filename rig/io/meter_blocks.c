/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_blocks.h"

#include <stdlib.h>
#include <string.h>

#include "chunk.h"

#define WAIT_NS 250000000 /* values of a slow driver reach the file so soon */

struct gathered {
	uint64_t first; /* values before those in here, since the start */
	uint64_t taken; /* values taken in all, restarts included */
	size_t n;
	float values[METER_BLOCK_MAX];
};

struct meter_blocks {
	struct meter_link *link;
	uint64_t rate_hz, limit;
	int64_t start_ns;
	int64_t latest_start_ns; /* the first value was sampled no later; INT64_MAX: none came */
	int64_t arrived_ns;	 /* the latest packet */
	int64_t waiting_ns;	 /* the oldest value in here came at, 0: none is */
	size_t channels_n;
	struct gathered channels[];
};

struct meter_blocks *meter_blocks_new(struct meter_link *link, size_t channels_n, uint64_t rate_hz,
				      uint64_t limit)
{
	struct meter_blocks *b = calloc(1, sizeof(*b) + channels_n * sizeof(b->channels[0]));

	if (!b)
		return NULL;
	b->link = link;
	b->channels_n = channels_n;
	b->rate_hz = rate_hz;
	b->limit = limit;
	meter_blocks_restart(b, meter_now_ns());
	return b;
}

void meter_blocks_free(struct meter_blocks *b)
{
	free(b);
}

void meter_blocks_restart(struct meter_blocks *b, int64_t now_ns)
{
	meter_blocks_flush(b);
	for (size_t i = 0; i < b->channels_n; i++)
		b->channels[i].first = 0;
	b->start_ns = now_ns;
	b->latest_start_ns = INT64_MAX;
}

static void blocks_hand_over(struct meter_blocks *b, size_t channel)
{
	struct gathered *g = &b->channels[channel];
	struct meter_block block = {
		.channel = (uint32_t)channel,
		.n = (uint32_t)g->n,
		.rate_hz = b->rate_hz,
		.first = g->first,
		.start_ns = b->start_ns,
		.error_ns = llabs(b->latest_start_ns - b->start_ns),
		.arrived_ns = b->arrived_ns,
	};

	if (!g->n)
		return;
	meter_link_block(b->link, &block, g->values);
	g->first += g->n;
	g->n = 0;
}

/* n more values were all sampled before now_ns: so the first was early enough for that. */
static void blocks_bound_start(struct meter_blocks *b, const struct gathered *g, size_t n,
			       int64_t now_ns)
{
	const struct meter_block until = {.rate_hz = b->rate_hz, .first = g->first + g->n};
	int64_t start_ns = now_ns - meter_block_time_ns(&until, n - 1);

	if (start_ns < b->latest_start_ns)
		b->latest_start_ns = start_ns;
}

static void blocks_copy(float *to, const float *from, size_t stride, size_t n)
{
	if (stride == 1) {
		memcpy(to, from, n * sizeof(*to));
		return;
	}
	for (size_t i = 0; i < n; i++)
		to[i] = from[i * stride];
}

void meter_blocks_add(struct meter_blocks *b, size_t channel, const float *values, size_t stride,
		      size_t n, int64_t now_ns)
{
	struct gathered *g = &b->channels[channel];

	if (b->limit && n > b->limit - g->taken)
		n = b->limit - g->taken;
	if (!n)
		return;
	blocks_bound_start(b, g, n, now_ns);
	g->taken += n;
	b->arrived_ns = now_ns;
	if (!b->waiting_ns)
		b->waiting_ns = now_ns;
	while (n) {
		size_t room = METER_BLOCK_MAX - g->n, now = n < room ? n : room;

		blocks_copy(g->values + g->n, values, stride, now);
		g->n += now;
		values += now * stride;
		n -= now;
		if (g->n == METER_BLOCK_MAX)
			blocks_hand_over(b, channel);
	}
}

void meter_blocks_tick(struct meter_blocks *b, int64_t now_ns)
{
	if (b->waiting_ns && now_ns - b->waiting_ns >= WAIT_NS)
		meter_blocks_flush(b);
}

void meter_blocks_flush(struct meter_blocks *b)
{
	for (size_t i = 0; i < b->channels_n; i++)
		blocks_hand_over(b, i);
	b->waiting_ns = 0;
}

bool meter_blocks_full(const struct meter_blocks *b)
{
	for (size_t i = 0; i < b->channels_n; i++) {
		if (!b->limit || b->channels[i].taken < b->limit)
			return false;
	}
	return true;
}
