/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"
#include "patience.h"
#include "store.h"
#include "unit.h"

#define MS ((int64_t)1000000)

static char dir[] = "/tmp/coldrig-replay-XXXXXX";
static char path[64];

#define SAMPLES_MAX 4096
static struct meter_sample got[SAMPLES_MAX];
static size_t got_n, blocks_n;
static struct meter_event events[64];
static size_t events_n;

static void put_readings(struct store *store, int meter, int64_t t0_ns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct meter_sample sample = {.t_ns = t0_ns + (int64_t)i * 10 * MS,
						    .error_ns = 1000,
						    .channel = (uint32_t)(i % 2),
						    .value = (double)i + 0.5};

		CU_ASSERT_EQUAL(store_append_samples(store, 1, meter, &sample, 1, NULL), 0);
	}
}

/* Two meters: one has 20 readings, a gap of 5 s and 20 more; the other a block. */
static void make_recording(void)
{
	static const float values[] = {1, 2, 3, 4};
	const struct meter_block block = {.n = 4,
					  .rate_hz = 100,
					  .start_ns = 1000 * MS,
					  .error_ns = 5,
					  .arrived_ns = 1040 * MS};
	uint8_t packed[256];
	size_t packed_n = chunk_pack_block(&block, values, packed);
	struct store *store = NULL;

	unlink(path);
	CU_ASSERT_EQUAL_FATAL(store_create(path, STORE_PAGES_CHUNKS, &store, NULL), 0);
	CU_ASSERT_EQUAL(store_begin_segment(store, "test", NULL), 1);
	store_put_channel(store, 0, "slot", 0, "P1", "W", NULL);
	store_put_channel(store, 0, "slot", 1, "V1", "V", NULL);
	store_put_channel(store, 1, "scope", 0, "CH1", "A", NULL);
	put_readings(store, 0, 1000 * MS, 20);
	put_readings(store, 0, 6200 * MS, 20);
	CU_ASSERT_EQUAL(store_append_block(store, 1, 1, &block, packed, packed_n, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
}

static int open_replay(const char *options_text, const char *const *channels, size_t channels_n,
		       bool blocks, struct meter **out, struct err *err)
{
	struct meter_options options = {.channels = channels,
					.channels_n = channels_n,
					.rate_hz = 1,
					.silence_ns = 1000 * MS,
					.start_ns = START,
					.blocks = blocks};
	char spec[128];

	snprintf(spec, sizeof(spec), "replay:%s%s", path, options_text);
	options.spec = spec;
	return meter_open(&options, out, err);
}

/* Hears a replay to its end. */
static void hear(const char *options_text, const char *const *channels, size_t channels_n,
		 bool blocks)
{
	struct meter *meter = NULL;
	bool ended = false;

	got_n = blocks_n = events_n = 0;
	CU_ASSERT_EQUAL_FATAL(open_replay(options_text, channels, channels_n, blocks, &meter, NULL),
			      0);
	for (int turns = 0; !ended && turns < 300; turns++) {
		struct pollfd fd = {.fd = meter_fd(meter), .events = POLLIN};
		struct meter_block block;
		const void *packed;
		size_t event_n, packed_n;

		poll(&fd, 1, 100);
		got_n += meter_read(meter, got + got_n, SAMPLES_MAX - got_n, &events[events_n],
				    &event_n);
		ended = event_n && events[events_n].kind == METER_EVENT_LOST;
		events_n += event_n;
		while (meter_read_block(meter, &block, &packed, &packed_n))
			blocks_n += block.n == 4 && block.rate_hz == 100;
	}
	meter_close(meter);
	CU_ASSERT_TRUE(ended);
}

static const struct meter_event *find_event(enum meter_event_kind kind)
{
	for (size_t i = 0; i < events_n; i++) {
		if (events[i].kind == kind)
			return &events[i];
	}
	return NULL;
}

static void what_was_recorded_comes_again_with_its_distances(void)
{
	size_t bad = 0;

	make_recording();
	hear(":meter=slot:speed=max", NULL, 0, false);
	CU_ASSERT_EQUAL_FATAL(got_n, 40);
	for (size_t i = 0; i < 40; i++) {
		bad += got[i].t_ns - got[0].t_ns !=
		       (int64_t)(i % 20) * 10 * MS + (i < 20 ? 0 : 5200 * MS);
		bad += got[i].value != (double)(i % 20) + 0.5 || got[i].channel != i % 2;
		bad += got[i].error_ns < 1000 || got[i].error_ns > 1100;
	}
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_TRUE(events[events_n - 1].complete);
}

static void a_gap_stays_a_gap_and_is_told(void)
{
	const struct meter_event *note;

	make_recording();
	hear(":meter=slot:speed=10", NULL, 0, false);
	CU_ASSERT_EQUAL(got_n, 40);
	note = find_event(METER_EVENT_NOTE);
	CU_ASSERT_PTR_NOT_NULL_FATAL(note);
	CU_ASSERT_STRING_EQUAL(note->text, "the recording has a gap of 5.010 s");
}

static void readings_come_at_their_pace_or_faster(void)
{
	int64_t begin_ns, end_ns;
	struct timespec t;

	make_recording();
	clock_gettime(CLOCK_MONOTONIC, &t);
	begin_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	hear(":meter=slot:speed=10", NULL, 0, false);
	clock_gettime(CLOCK_MONOTONIC, &t);
	end_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	/* 5.39 s were recorded. There is no upper bound on a busy machine. */
	CU_ASSERT(end_ns - begin_ns >= 538 * MS);
}

static void channels_are_chosen_by_name_and_keep_their_units(void)
{
	static const char *const one[] = {"V1"}, *const none[] = {"V9"};
	const struct meter_event *channel;

	make_recording();
	hear(":meter=slot:speed=max", one, 1, false);
	CU_ASSERT_EQUAL(got_n, 20);
	CU_ASSERT(got[0].channel == 0 && got[0].value == 1.5);
	channel = find_event(METER_EVENT_CHANNEL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(channel);
	CU_ASSERT_STRING_EQUAL(channel->text, "V1");
	CU_ASSERT_STRING_EQUAL(channel->unit, "V");
	hear(":meter=slot:speed=max", none, 1, false);
	CU_ASSERT_PTR_NOT_NULL(strstr(events[events_n - 1].text, "no channel 'V9'"));
	CU_ASSERT_TRUE(events[events_n - 1].hopeless);
}

static void blocks_come_as_blocks_or_value_by_value(void)
{
	make_recording();
	hear(":meter=scope:speed=max", NULL, 0, true);
	CU_ASSERT(got_n == 0 && blocks_n == 1);
	hear(":meter=scope:speed=max", NULL, 0, false);
	CU_ASSERT_EQUAL_FATAL(got_n, 4);
	CU_ASSERT(got[3].value == 4 && got[3].t_ns - got[0].t_ns == 30 * MS);
}

static void damaged_chunks_are_left_out_and_told(void)
{
	sqlite3 *db;

	make_recording();
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, "UPDATE samples SET crc32 = crc32 + 1 WHERE id = 7", NULL,
				     NULL, NULL),
			SQLITE_OK);
	sqlite3_close(db);
	hear(":meter=slot:speed=max", NULL, 0, false);
	CU_ASSERT_EQUAL(got_n, 39);
	CU_ASSERT_PTR_NOT_NULL_FATAL(find_event(METER_EVENT_NOTE));
	CU_ASSERT_PTR_NOT_NULL(strstr(find_event(METER_EVENT_NOTE)->text, "row 7 is damaged"));
}

static void bad_specs_are_refused_with_words(void)
{
	static const char *const bad[] = {":speed=0", ":speed=fast", ":speed=1x", ":sped=1", "x"};
	struct meter *meter = NULL;
	struct err err = {""};

	make_recording();
	for (size_t i = 0; i < UNIT_COUNT(bad); i++)
		CU_ASSERT_EQUAL(open_replay(bad[i], NULL, 0, false, &meter, &err), -EINVAL);
	CU_ASSERT_PTR_NULL(meter);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "No such file"));
	hear(":speed=max", NULL, 0, false);
	CU_ASSERT_PTR_NOT_NULL(strstr(events[events_n - 1].text, "several meters"));
	hear(":meter=nobody:speed=max", NULL, 0, false);
	CU_ASSERT_PTR_NOT_NULL(strstr(events[events_n - 1].text, "no meter 'nobody'"));
}

static const struct unit_case cases[] = {
	{"what was recorded comes again with its distances",
	 what_was_recorded_comes_again_with_its_distances},
	{"a gap stays a gap and is told", a_gap_stays_a_gap_and_is_told},
	{"readings come at their pace or faster", readings_come_at_their_pace_or_faster},
	{"channels are chosen by name and keep their units",
	 channels_are_chosen_by_name_and_keep_their_units},
	{"blocks come as blocks or value by value", blocks_come_as_blocks_or_value_by_value},
	{"damaged chunks are left out and told", damaged_chunks_are_left_out_and_told},
	{"bad specs are refused with words", bad_specs_are_refused_with_words},
};

int main(void)
{
	int status;

	if (!mkdtemp(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/r.db", dir);
	status = unit_run("meter_replay", cases, UNIT_COUNT(cases));
	unlink(path);
	rmdir(dir);
	return status;
}
