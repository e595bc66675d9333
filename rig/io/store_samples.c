/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_parts.h"

#include <errno.h>
#include <stdlib.h>

#include "pack.h"

struct chunk_row {
	int segment, meter;
	int64_t t0_ns, t1_ns;
	size_t n;
	enum chunk_coding coding;
};

static int append_chunk(struct store *store, const struct chunk_row *row, const void *data,
			size_t data_n, struct err *err)
{
	static const char sql[] =
		"INSERT INTO samples(segment, meter, t0_ns, t1_ns, n, coding, crc32, data)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
	sqlite3_stmt *st;
	int r = store_begin(store, err);

	if (r < 0)
		return r;
	st = store_statement(store, STORE_SAMPLES, sql);
	sqlite3_bind_int(st, 1, row->segment);
	sqlite3_bind_int(st, 2, row->meter);
	sqlite3_bind_int64(st, 3, row->t0_ns);
	sqlite3_bind_int64(st, 4, row->t1_ns);
	sqlite3_bind_int64(st, 5, (sqlite3_int64)row->n);
	sqlite3_bind_int(st, 6, (int)row->coding);
	sqlite3_bind_int64(st, 7, pack_crc32(data, data_n));
	sqlite3_bind_blob64(st, 8, data, data_n, SQLITE_STATIC);
	return store_step_done(store, st, "cannot write samples", err);
}

int store_append_samples(struct store *store, int segment, int meter,
			 const struct meter_sample *samples, size_t n, struct err *err)
{
	int r = 0;

	while (r == 0 && n) {
		size_t now = n < CHUNK_READINGS_MAX ? n : CHUNK_READINGS_MAX, packed_n = 0;
		struct chunk_row row = {
			segment, meter,		samples[0].t_ns, samples[now - 1].t_ns,
			now,	 CHUNK_READINGS};
		void *packed = NULL;

		r = chunk_pack_readings(samples, now, &packed, &packed_n);
		if (r == 0)
			r = append_chunk(store, &row, packed, packed_n, err);
		free(packed);
		samples += now;
		n -= now;
	}
	return r;
}

int store_append_block(struct store *store, int segment, int meter, const struct meter_block *block,
		       const void *packed, size_t packed_n, struct err *err)
{
	struct chunk_row row = {segment,
				meter,
				meter_block_time_ns(block, 0),
				meter_block_time_ns(block, block->n - 1),
				block->n,
				CHUNK_BLOCK};

	return append_chunk(store, &row, packed, packed_n, err);
}

int store_get_extent(struct store *store, int segment, int meter, struct store_extent *out,
		     struct err *err)
{
	static const char sql[] = "SELECT total(n), min(t0_ns), max(t1_ns) FROM samples"
				  " WHERE segment = ?1 AND meter = ?2";
	sqlite3_stmt *st = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) != SQLITE_OK)
		return store_fail(store, "cannot read samples", err);
	sqlite3_bind_int(st, 1, segment);
	sqlite3_bind_int(st, 2, meter);
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = (struct store_extent){
			.n = (uint64_t)sqlite3_column_int64(st, 0),
			.t0_ns = sqlite3_column_int64(st, 1),
			.t1_ns = sqlite3_column_int64(st, 2),
		};
	else
		r = store_fail(store, "cannot read samples", err);
	sqlite3_finalize(st);
	return r;
}

struct store_cursor {
	struct store *store;
	sqlite3_stmt *st;
	bool ended; /* SQLite would begin anew */
	struct meter_sample samples[CHUNK_READINGS_MAX];
	float *values;
};

int store_cursor_open(struct store *store, int segment, int meter, int64_t from_ns, int64_t to_ns,
		      struct store_cursor **out, struct err *err)
{
	/* In the order of the index: a day's chunks are never sorted. */
	static const char sql[] = "SELECT id, t0_ns, t1_ns, n, coding, crc32, data FROM samples"
				  " INDEXED BY samples_by_time WHERE segment = ?1 AND meter = ?2"
				  " AND t1_ns >= ?3 AND t0_ns <= ?4 ORDER BY t1_ns, t0_ns, n, id";
	struct store_cursor *cursor = calloc(1, sizeof(*cursor));

	if (!cursor)
		return -ENOMEM;
	cursor->store = store;
	if (sqlite3_prepare_v2(store->db, sql, -1, &cursor->st, NULL) != SQLITE_OK) {
		free(cursor);
		return store_fail(store, "cannot read samples", err);
	}
	sqlite3_bind_int(cursor->st, 1, segment);
	sqlite3_bind_int(cursor->st, 2, meter);
	sqlite3_bind_int64(cursor->st, 3, from_ns);
	sqlite3_bind_int64(cursor->st, 4, to_ns);
	*out = cursor;
	return 0;
}

static int decode_chunk(struct store_cursor *cursor, const void *data, size_t data_n,
			struct store_chunk *chunk)
{
	int r;

	if (chunk->coding == CHUNK_READINGS) {
		r = chunk_unpack_readings(data, data_n, cursor->samples, chunk->n);
		chunk->samples = cursor->samples;
		return r;
	}
	if (chunk->coding != CHUNK_BLOCK)
		return -EBADMSG;
	r = chunk_unpack_block(data, data_n, &chunk->block, &cursor->values);
	chunk->values = cursor->values;
	return r == 0 && chunk->block.n != chunk->n ? -EBADMSG : r;
}

static int read_chunk(struct store_cursor *cursor, struct store_chunk *out)
{
	const void *data = sqlite3_column_blob(cursor->st, 6);
	size_t data_n = (size_t)sqlite3_column_bytes(cursor->st, 6);

	*out = (struct store_chunk){
		.id = sqlite3_column_int64(cursor->st, 0),
		.t0_ns = sqlite3_column_int64(cursor->st, 1),
		.t1_ns = sqlite3_column_int64(cursor->st, 2),
		.n = (size_t)sqlite3_column_int64(cursor->st, 3),
		.coding = (enum chunk_coding)sqlite3_column_int(cursor->st, 4),
	};
	if (pack_crc32(data, data_n) != (uint32_t)sqlite3_column_int64(cursor->st, 5))
		return -EBADMSG;
	return decode_chunk(cursor, data, data_n, out);
}

int store_cursor_next(struct store_cursor *cursor, struct store_chunk *out, struct err *err)
{
	int rc = cursor->ended ? SQLITE_DONE : sqlite3_step(cursor->st), r;

	free(cursor->values);
	cursor->values = NULL;
	cursor->ended = rc == SQLITE_DONE;
	if (cursor->ended)
		return 0;
	if (rc != SQLITE_ROW)
		return store_fail(cursor->store, "cannot read samples", err);
	r = read_chunk(cursor, out);
	return r == 0 ? 1
		      : err_set(err, r, "%s: samples row %lld is damaged", cursor->store->path,
				(long long)out->id);
}

void store_cursor_close(struct store_cursor *cursor)
{
	if (!cursor)
		return;
	sqlite3_finalize(cursor->st);
	free(cursor->values);
	free(cursor);
}

static struct meter_sample sample_of(const struct store_chunk *chunk, size_t i)
{
	if (chunk->samples)
		return chunk->samples[i];
	return (struct meter_sample){
		.t_ns = meter_block_time_ns(&chunk->block, i),
		.error_ns = chunk->block.error_ns,
		.channel = chunk->block.channel,
		.value = (double)chunk->values[i],
	};
}

/* The samples of a chunk that lie in the range, appended to *out. */
static int take_chunk(const struct store_chunk *chunk, int64_t from_ns, int64_t to_ns,
		      struct meter_sample **out, size_t *n)
{
	struct meter_sample *grown = realloc(*out, (*n + chunk->n) * sizeof(**out));

	if (!grown)
		return -ENOMEM;
	*out = grown;
	for (size_t i = 0; i < chunk->n; i++) {
		grown[*n] = sample_of(chunk, i);
		if (grown[*n].t_ns >= from_ns && grown[*n].t_ns <= to_ns)
			++*n;
	}
	return 0;
}

int store_load_samples(struct store *store, int segment, int meter, int64_t from_ns, int64_t to_ns,
		       struct meter_sample **out, size_t *n, struct err *err)
{
	struct store_cursor *cursor = NULL;
	struct store_chunk chunk;
	int r, more = 0;

	*out = NULL;
	*n = 0;
	r = store_cursor_open(store, segment, meter, from_ns, to_ns, &cursor, err);
	while (r == 0 && (more = store_cursor_next(cursor, &chunk, err)) > 0)
		r = take_chunk(&chunk, from_ns, to_ns, out, n);
	r = r == 0 ? more : r;
	store_cursor_close(cursor);
	if (r < 0) {
		free(*out);
		*out = NULL;
		*n = 0;
	}
	return r;
}
