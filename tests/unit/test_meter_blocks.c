/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libsigrok's demo driver, through the meter's process and the ring. */
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "meter.h"
#include "patience.h"
#include "unit.h"

#define CHANNELS 4
#define KEPT	 300000

struct heard {
	uint64_t n[CHANNELS], blocks;
	int64_t start_ns, error_ns;
	bool in_order, complete, lost, late;
	char units[CHANNELS][METER_UNIT_SIZE], text[160];
	float values[CHANNELS][KEPT]; /* the first */
};

static struct heard heard;

static void hear_block(const struct meter_block *block, const void *packed, size_t packed_n)
{
	struct meter_block same;
	float *values = NULL;

	CU_ASSERT_EQUAL_FATAL(chunk_unpack_block(packed, packed_n, &same, &values), 0);
	CU_ASSERT_EQUAL(memcmp(&same, block, sizeof(same)), 0);
	CU_ASSERT_FATAL(block->channel < CHANNELS);
	if (!heard.blocks++)
		heard.start_ns = block->start_ns;
	heard.in_order &= block->first == heard.n[block->channel];
	heard.in_order &= block->start_ns == heard.start_ns;
	heard.error_ns = block->error_ns;
	/* No value may have been sampled after it came. */
	heard.late |=
		meter_block_time_ns(block, block->n - 1) - block->error_ns > block->arrived_ns;
	for (uint64_t i = 0; i < block->n && block->first + i < KEPT; i++)
		heard.values[block->channel][block->first + i] = values[i];
	heard.n[block->channel] += block->n;
	free(values);
}

static void hear_event(const struct meter_event *event)
{
	if (event->kind == METER_EVENT_CHANNEL && event->channel < CHANNELS)
		memcpy(heard.units[event->channel], event->unit, METER_UNIT_SIZE);
	if (event->kind != METER_EVENT_LOST)
		return;
	heard.lost = true;
	heard.complete = event->complete;
	memcpy(heard.text, event->text, sizeof(heard.text));
}

/* Until it ends; stop_after blocks it is asked to, 0: not. */
static void hear(struct meter *meter, uint64_t stop_after)
{
	int64_t limit = 60;

	memset(&heard, 0, sizeof(heard));
	heard.in_order = true;
	for (int64_t turns = 0; !heard.lost && turns < limit * 10; turns++) {
		struct pollfd fd = {.fd = meter_fd(meter), .events = POLLIN};
		struct meter_sample sample;
		struct meter_event event;
		struct meter_block block;
		const void *packed;
		size_t event_n, packed_n;

		if (poll(&fd, 1, 100) > 0)
			turns--; /* only waiting counts */
		CU_ASSERT_EQUAL(meter_read(meter, &sample, 1, &event, &event_n), 0);
		if (event_n)
			hear_event(&event);
		while (meter_read_block(meter, &block, &packed, &packed_n)) {
			hear_block(&block, packed, packed_n);
			if (heard.blocks == stop_after)
				meter_stop(meter);
		}
	}
}

static struct meter *open_demo(const char *rate, uint64_t limit, const char *const *channels,
			       size_t channels_n)
{
	struct meter_options options = {.channels = channels,
					.channels_n = channels_n,
					.rate_hz = 1,
					.silence_ns = SILENCE,
					.start_ns = START,
					.blocks = true,
					.block_limit = limit};
	struct meter *meter = NULL;
	struct err err = {""};
	char spec[128];

	snprintf(spec, sizeof(spec), "demo:logic_channels=0:analog_channels=4:samplerate=%s", rate);
	options.spec = spec;
	CU_ASSERT_EQUAL_FATAL(meter_open(&options, &meter, &err), 0);
	return meter;
}

static void every_value_of_four_channels_arrives_once_and_in_order(void)
{
	struct meter *meter = open_demo("1G", 1000000, NULL, 0);
	size_t square = 0;

	hear(meter, 0);
	meter_close(meter);
	CU_ASSERT_TRUE(heard.complete);
	CU_ASSERT_TRUE(heard.in_order);
	CU_ASSERT_FALSE(heard.late);
	for (size_t i = 0; i < CHANNELS; i++) {
		CU_ASSERT_EQUAL(heard.n[i], 1000000);
		CU_ASSERT_STRING_EQUAL(heard.units[i], "V");
	}
	/* The driver's patterns: a square of +-10 V and 10 samples, and a sine of 20. */
	for (size_t i = 0; i + 5 < KEPT; i++) {
		square += fabsf(heard.values[0][i]) == 10 &&
			  heard.values[0][i] == -heard.values[0][i + 5];
	}
	CU_ASSERT_EQUAL(square, KEPT - 5);
	CU_ASSERT_DOUBLE_EQUAL(heard.values[1][5], 10 * sin(2 * acos(-1) * 5 / 20), 1e-4);
}

static void slow_values_come_soon_and_their_start_is_known(void)
{
	static const char *const one[] = {"A1"};
	struct meter *meter = open_demo("1k", 0, one, 1);

	hear(meter, 2);
	meter_close(meter);
	CU_ASSERT_TRUE(heard.complete);
	CU_ASSERT_STRING_EQUAL(heard.text, "stopped");
	CU_ASSERT_TRUE(heard.in_order);
	CU_ASSERT_FALSE(heard.late);
	/* Long before a block is full. */
	CU_ASSERT(heard.n[0] > 0 && heard.n[0] < 20000);
	CU_ASSERT(heard.error_ns < SECOND);
}

static void a_limit_that_is_no_multiple_of_anything_is_kept(void)
{
	struct meter *meter = open_demo("1M", METER_BLOCK_MAX + 1, NULL, 0);

	hear(meter, 0);
	meter_close(meter);
	CU_ASSERT_TRUE(heard.complete);
	for (size_t i = 0; i < CHANNELS; i++)
		CU_ASSERT_EQUAL(heard.n[i], METER_BLOCK_MAX + 1);
}

static void who_takes_no_blocks_makes_the_driver_wait_and_loses_none(void)
{
	struct meter *meter = open_demo("1G", 4000000, NULL, 0);

	poll(NULL, 0, 1500); /* the ring holds an eighth of it */
	hear(meter, 0);
	meter_close(meter);
	CU_ASSERT_TRUE(heard.complete);
	CU_ASSERT_TRUE(heard.in_order);
	CU_ASSERT_EQUAL(heard.n[3], 4000000);
}

static const struct unit_case cases[] = {
	{"every value of four channels arrives once and in order",
	 every_value_of_four_channels_arrives_once_and_in_order},
	{"slow values come soon and their start is known",
	 slow_values_come_soon_and_their_start_is_known},
	{"a limit that is no multiple of anything is kept",
	 a_limit_that_is_no_multiple_of_anything_is_kept},
	{"who takes no blocks makes the driver wait and loses none",
	 who_takes_no_blocks_makes_the_driver_wait_and_loses_none},
};

int main(void)
{
	return unit_run("meter_blocks", cases, UNIT_COUNT(cases));
}
