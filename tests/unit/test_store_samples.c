/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "test_store_file.h"

static const struct meter_sample samples[] = {
	{.t_ns = 1000, .error_ns = 3, .channel = 0, .value = 0.1},
	{.t_ns = 1000, .error_ns = 0, .channel = 63, .value = -12.5},
	{.t_ns = 2500, .error_ns = INT64_MAX, .channel = UINT32_MAX, .value = -0.0},
	{.t_ns = 4000, .error_ns = 1, .channel = 1, .value = 1e-300},
	{.t_ns = INT64_MAX, .error_ns = 1, .channel = 1, .value = NAN},
};

static void samples_come_back_bit_for_bit(void)
{
	struct store *store = fresh();
	struct meter_sample *got = NULL;
	size_t n = 0;

	CU_ASSERT_EQUAL(store_append_samples(store, 1, 0, samples, 5, NULL), 0);
	CU_ASSERT_EQUAL(store_append_samples(store, 1, 0, NULL, 0, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
	store = reopen(true);
	CU_ASSERT_EQUAL(store_load_samples(store, 1, 0, INT64_MIN, INT64_MAX, &got, &n, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(n, 5);
	CU_ASSERT_EQUAL(memcmp(got, samples, sizeof(samples)), 0);
	free(got);
	store_close(store);
}

static void only_samples_of_the_range_segment_and_meter_are_loaded(void)
{
	static const struct {
		int segment, meter;
		int64_t from_ns, to_ns;
		size_t n;
	} rows[] = {
		{1, 0, 1000, 4000, 4}, {1, 0, 1001, 3999, 1}, {1, 0, 2500, 2500, 1},
		{1, 0, 0, 999, 0},     {1, 0, 4001, 9000, 0}, {1, 0, 4000, 1000, 0},
		{2, 0, 0, 9000, 1},    {1, 1, 0, 9000, 2},    {3, 0, 0, 9000, 0},
	};
	struct store *store = fresh();

	/* Also across chunks, and before they are committed. */
	CU_ASSERT_EQUAL(store_append_samples(store, 1, 0, samples, 3, NULL), 0);
	CU_ASSERT_EQUAL(store_append_samples(store, 1, 0, samples + 3, 1, NULL), 0);
	CU_ASSERT_EQUAL(store_append_samples(store, 2, 0, samples, 1, NULL), 0);
	CU_ASSERT_EQUAL(store_append_samples(store, 1, 1, samples, 2, NULL), 0);
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct meter_sample *got = NULL;
		size_t n = 99;

		CU_ASSERT_EQUAL(store_load_samples(store, rows[i].segment, rows[i].meter,
						   rows[i].from_ns, rows[i].to_ns, &got, &n, NULL),
				0);
		CU_ASSERT_EQUAL(n, rows[i].n);
		free(got);
	}
	store_close(store);
}

static void a_damaged_row_of_samples_is_found_and_named(void)
{
	static const char *const damages[] = {
		"UPDATE samples SET crc32 = crc32 + 1 WHERE id = 2",
		"UPDATE samples SET data = substr(data, 1, length(data) - 1) WHERE id = 2",
		"UPDATE samples SET data = x'' WHERE id = 2",
		"UPDATE samples SET data = NULL WHERE id = 2",
		"UPDATE samples SET n = 0 WHERE id = 2",
		"UPDATE samples SET n = n + 1 WHERE id = 2",
		"UPDATE samples SET n = -1 WHERE id = 2",
		/* 2^62 more, times 28 bytes, is the same number modulo 2^64. */
		"UPDATE samples SET n = n + 4611686018427387904 WHERE id = 2",
	};

	for (size_t i = 0; i < UNIT_COUNT(damages); i++) {
		struct store *store = fresh();
		struct meter_sample *got = NULL;
		struct err err = {""};
		size_t n = 0;

		store_append_samples(store, 1, 0, samples, 3, NULL);
		store_append_samples(store, 1, 0, samples, 3, NULL);
		CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
		store_close(store);
		if (i == 3)
			run_sql("PRAGMA writable_schema=1; UPDATE sqlite_schema SET sql ="
				" replace(sql, 'data BLOB NOT NULL', 'data BLOB')");
		run_sql(damages[i]);
		store = reopen(true);
		CU_ASSERT_EQUAL(store_load_samples(store, 1, 0, 1500, 9000, &got, &n, &err),
				-EBADMSG);
		CU_ASSERT(!got && n == 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "samples row 2 is damaged"));
		store_close(store);
	}
}

static void what_lies_around_a_damaged_chunk_can_be_read(void)
{
	struct store *store = fresh();
	struct store_cursor *cursor = NULL;
	struct store_chunk chunk;
	struct err err = {""};

	for (int i = 0; i < 3; i++)
		store_append_samples(store, 1, 0, samples, 3, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
	run_sql("UPDATE samples SET data = x'00' || substr(data, 2) WHERE id = 2;"
		"UPDATE samples SET data = substr(data, 1, length(data) - 1) || x'55' WHERE id = "
		"2");
	store = reopen(true);
	CU_ASSERT_EQUAL(store_cursor_open(store, 1, 0, 0, 9000, &cursor, NULL), 0);
	CU_ASSERT_EQUAL(store_cursor_next(cursor, &chunk, &err), 1);
	CU_ASSERT(chunk.id == 1 && chunk.n == 3);
	CU_ASSERT_EQUAL(store_cursor_next(cursor, &chunk, &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "samples row 2 is damaged"));
	CU_ASSERT_EQUAL(store_cursor_next(cursor, &chunk, &err), 1);
	CU_ASSERT(chunk.id == 3 && memcmp(chunk.samples, samples, 3 * sizeof(samples[0])) == 0);
	CU_ASSERT_EQUAL(store_cursor_next(cursor, &chunk, &err), 0);
	CU_ASSERT_EQUAL(store_cursor_next(cursor, &chunk, &err), 0);
	store_cursor_close(cursor);
	store_close(store);
}

static void blocks_channels_and_extents_are_kept(void)
{
	static const float values[] = {1, 2, 3};
	const struct meter_block block = {
		.channel = 2, .n = 3, .rate_hz = 1000, .first = 10, .start_ns = 500, .error_ns = 7};
	uint8_t packed[256];
	struct store *store = fresh();
	struct store_channel *channels = NULL;
	struct store_extent extent;
	struct meter_sample *got = NULL;
	size_t n = 0, packed_n = chunk_pack_block(&block, values, packed);

	CU_ASSERT_EQUAL(store_put_channel(store, 0, "m", 2, "P", "", NULL), 0);
	CU_ASSERT_EQUAL(store_put_channel(store, 0, "m", 2, "P1", "W", NULL), 0);
	CU_ASSERT_EQUAL(store_append_block(store, 1, 0, &block, packed, packed_n, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
	store = reopen(true);
	CU_ASSERT_EQUAL(store_channels(store, &channels, &n, NULL), 0);
	CU_ASSERT(n == 1 && channels[0].channel == 2);
	CU_ASSERT_STRING_EQUAL(channels[0].name, "P1");
	CU_ASSERT_STRING_EQUAL(channels[0].unit, "W");
	store_free_channels(channels, n);
	CU_ASSERT_EQUAL(store_get_extent(store, 1, 0, &extent, NULL), 0);
	CU_ASSERT(extent.n == 3 && extent.t0_ns == 10000500 && extent.t1_ns == 12000500);
	CU_ASSERT_EQUAL(store_get_extent(store, 2, 0, &extent, NULL), 0);
	CU_ASSERT_EQUAL(extent.n, 0);
	CU_ASSERT_EQUAL(store_load_samples(store, 1, 0, 11000500, INT64_MAX, &got, &n, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT(got[1].t_ns == 12000500 && got[1].error_ns == 7 && got[1].channel == 2 &&
		  got[1].value == 3.0);
	free(got);
	store_close(store);
}

static void a_file_that_is_written_can_be_read(void)
{
	struct store *store = fresh(), *reader;
	struct meter_sample *got = NULL;
	size_t n = 0;

	store_append_samples(store, 1, 0, samples, 3, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_append_samples(store, 1, 0, samples, 3, NULL);
	reader = reopen(true);
	CU_ASSERT_EQUAL(store_load_samples(reader, 1, 0, 0, 9000, &got, &n, NULL), 0);
	CU_ASSERT_EQUAL(n, 3);
	free(got);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	CU_ASSERT_EQUAL(store_load_samples(reader, 1, 0, 0, 9000, &got, &n, NULL), 0);
	CU_ASSERT_EQUAL(n, 6);
	free(got);
	store_close(reader);
	store_close(store);
}

static const struct unit_case cases[] = {
	{"samples come back bit for bit", samples_come_back_bit_for_bit},
	{"only samples of the range, segment and meter are loaded",
	 only_samples_of_the_range_segment_and_meter_are_loaded},
	{"a damaged row of samples is found and named",
	 a_damaged_row_of_samples_is_found_and_named},
	{"what lies around a damaged chunk can be read",
	 what_lies_around_a_damaged_chunk_can_be_read},
	{"blocks, channels and extents are kept", blocks_channels_and_extents_are_kept},
	{"a file that is written can be read", a_file_that_is_written_can_be_read},
};

int main(void)
{
	return run_file_run("store_samples", cases, UNIT_COUNT(cases));
}
