/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "export_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gaps.h"

/* Blocks of several channels that were sampled at the same moments; readings, or nothing. */
struct batch {
	struct meter_block block;
	size_t n, at; /* samples, those that were handed out */
	struct meter_sample *samples;
	size_t channels_n;
	uint32_t channel[EXPORT_COLUMNS_MAX];
	float *values[EXPORT_COLUMNS_MAX];
};

/* One meter in one segment. */
struct stream {
	int meter;
	struct store_cursor *cursor;
	struct store_chunk ahead; /* read, and not in the batch yet */
	bool has_ahead;
	struct batch batch;
};

struct export_rows {
	struct store *store;
	struct store_channel *columns;
	size_t columns_n;
	struct store_segment *segments;
	size_t segments_n, segment; /* the next one to open */
	int64_t from_ns, to_ns;	    /* UTC */
	struct gaps gaps;	    /* of all meters, in UTC */
	struct export_extent extent;
	double rate_hz[EXPORT_COLUMNS_MAX];
	bool several_meters;
	struct stream *streams;
	size_t streams_n;
	size_t damaged;
	struct err first_damage;
};

static int64_t to_utc(const struct store_segment *s, int64_t monotonic_ns)
{
	return monotonic_ns - s->monotonic_ns + s->wall_ns;
}

static int64_t from_utc(const struct store_segment *s, int64_t utc_ns)
{
	return utc_ns - s->wall_ns + s->monotonic_ns;
}

/* Columns are ordered by meter. */
static bool is_first_of_meter(const struct export_rows *rows, size_t column)
{
	return column == 0 || rows->columns[column].meter != rows->columns[column - 1].meter;
}

static size_t channels_of(const struct export_rows *rows, int meter)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->columns_n; i++)
		n += rows->columns[i].meter == meter;
	return n;
}

static void add_rate(struct export_rows *rows, int meter, double rate_hz)
{
	for (size_t i = 0; i < rows->columns_n; i++) {
		if (rows->columns[i].meter == meter && rate_hz > rows->rate_hz[i])
			rows->rate_hz[i] = rate_hz;
	}
	if (rate_hz > rows->extent.rate_hz)
		rows->extent.rate_hz = rate_hz;
}

/* Between the first and the last sample of a meter in a segment. */
static int64_t without_meter_ns(const struct export_rows *rows, int meter, int64_t t0_ns,
				int64_t t1_ns)
{
	int64_t sum_ns = 0;

	for (size_t i = 0; i < rows->gaps.n; i++) {
		const struct rail_gap *gap = &rows->gaps.all[i];

		if ((int)gap->meter == meter && gap->from_ns >= t0_ns && gap->to_ns <= t1_ns)
			sum_ns += gap->to_ns - gap->from_ns;
	}
	return sum_ns;
}

static void add_extent(struct export_rows *rows, const struct store_segment *segment, int meter,
		       const struct store_extent *e)
{
	struct export_extent *all = &rows->extent;
	int64_t t0_ns = to_utc(segment, e->t0_ns), t1_ns = to_utc(segment, e->t1_ns);

	if (all->t1_ns == INT64_MIN || t0_ns < all->t0_ns)
		all->t0_ns = t0_ns;
	if (t1_ns > all->t1_ns)
		all->t1_ns = t1_ns;
	if (e->t1_ns > e->t0_ns)
		add_rate(rows, meter,
			 ((double)e->n / (double)channels_of(rows, meter) - 1) * 1e9 /
				 (double)(t1_ns - t0_ns -
					  without_meter_ns(rows, meter, t0_ns, t1_ns)));
}

/* The rate of a meter that has blocks is said in each of them. */
static int look_for_rate(struct export_rows *rows, const struct store_segment *segment, int meter,
			 struct err *err)
{
	struct store_cursor *cursor;
	struct store_chunk chunk;
	int r = store_cursor_open(rows->store, segment->id, meter, INT64_MIN, INT64_MAX, &cursor,
				  err);

	if (r < 0)
		return r;
	if (store_cursor_next(cursor, &chunk, NULL) > 0 && chunk.coding == CHUNK_BLOCK)
		add_rate(rows, meter, (double)chunk.block.rate_hz);
	store_cursor_close(cursor);
	return 0;
}

static int add_meter(struct export_rows *rows, const struct store_segment *segment, int meter,
		     struct err *err)
{
	struct store_extent e;
	int r = store_get_extent(rows->store, segment->id, meter, &e, err);

	if (r < 0 || !e.n)
		return r;
	add_extent(rows, segment, meter, &e);
	return look_for_rate(rows, segment, meter, err);
}

static int find_extent(struct export_rows *rows, struct err *err)
{
	int r = 0;

	rows->extent = (struct export_extent){.t0_ns = INT64_MAX, .t1_ns = INT64_MIN};
	for (size_t s = 0; s < rows->segments_n; s++) {
		for (size_t c = 0; r == 0 && c < rows->columns_n; c++) {
			if (is_first_of_meter(rows, c))
				r = add_meter(rows, &rows->segments[s], rows->columns[c].meter,
					      err);
		}
	}
	if (r == 0 && rows->extent.t1_ns == INT64_MIN)
		r = err_set(err, -ENODATA, "there are no samples in it");
	return r;
}

static int64_t later(int64_t t_ns, int64_t by_ns)
{
	return by_ns > INT64_MAX - t_ns ? INT64_MAX : t_ns + by_ns;
}

static void cut_extent(struct export_rows *rows, int64_t from_ns, int64_t to_ns)
{
	struct export_extent *e = &rows->extent;

	/* The first reading may have been rounded to before the begin that the file names. */
	rows->from_ns = from_ns ? later(e->t0_ns, from_ns) : INT64_MIN;
	rows->to_ns = later(e->t0_ns, to_ns);
	e->t0_ns = rows->from_ns > e->t0_ns ? rows->from_ns : e->t0_ns;
	e->t1_ns = rows->to_ns < e->t1_ns ? rows->to_ns : e->t1_ns;
}

static int take_entry(void *context, const struct store_entry *entry)
{
	struct export_rows *rows = context;
	const char *name =
		strcmp(entry->kind, "meter") == 0 ? msg_get_str(entry->body, "meter") : NULL;

	for (size_t i = 0; name && i < rows->columns_n; i++) {
		if (strcmp(rows->columns[i].meter_name, name) == 0)
			return gaps_take(&rows->gaps, entry, (size_t)rows->columns[i].meter);
	}
	return 0;
}

/* Without those whose begin is not known, before a meter was there or between the arms of a run. */
static int find_gaps(struct export_rows *rows, struct err *err)
{
	struct err why = {""};
	size_t known = 0;
	int r = store_each_entry(rows->store, take_entry, rows, &why);

	if (r == -EBADMSG) {
		rows->damaged++;
		rows->first_damage = why;
		r = 0;
	}
	if (r < 0)
		return err_set(err, r, "%s", why.text);
	for (size_t i = 0; i < rows->gaps.n; i++) {
		struct rail_gap gap = rows->gaps.all[i];
		const struct store_segment *s = rows->segments;

		if (gap.from_ns == INT64_MIN)
			continue;
		while (s < rows->segments + rows->segments_n - 1 && s->id != gap.segment)
			s++;
		gap.from_ns = to_utc(s, gap.from_ns);
		if (gap.to_ns != INT64_MAX)
			gap.to_ns = to_utc(s, gap.to_ns);
		rows->gaps.all[known++] = gap;
	}
	rows->gaps.n = known;
	return 0;
}

int export_rows_open(struct store *store, int64_t from_ns, int64_t to_ns, struct export_rows **out,
		     struct err *err)
{
	struct export_rows *rows = calloc(1, sizeof(*rows));
	int r;

	if (!rows)
		return err_set(err, -ENOMEM, "no memory");
	rows->store = store;
	r = store_channels(store, &rows->columns, &rows->columns_n, err);
	if (r == 0 && rows->columns_n > EXPORT_COLUMNS_MAX)
		r = err_set(err, -E2BIG, "it has more than %d channels", EXPORT_COLUMNS_MAX);
	if (r == 0)
		r = store_segments(store, &rows->segments, &rows->segments_n, err);
	if (r == 0)
		r = find_gaps(rows, err);
	if (r == 0)
		r = find_extent(rows, err);
	if (r < 0) {
		export_rows_close(rows);
		return r;
	}
	rows->several_meters = rows->columns[0].meter != rows->columns[rows->columns_n - 1].meter;
	cut_extent(rows, from_ns, to_ns);
	*out = rows;
	return 0;
}

static void empty_batch(struct batch *batch)
{
	for (size_t i = 0; i < batch->channels_n; i++)
		free(batch->values[i]);
	free(batch->samples);
	*batch = (struct batch){0};
}

static void close_streams(struct export_rows *rows)
{
	for (size_t i = 0; i < rows->streams_n; i++) {
		empty_batch(&rows->streams[i].batch);
		store_cursor_close(rows->streams[i].cursor);
	}
	free(rows->streams);
	rows->streams = NULL;
	rows->streams_n = 0;
}

void export_rows_close(struct export_rows *rows)
{
	if (!rows)
		return;
	close_streams(rows);
	store_free_channels(rows->columns, rows->columns_n);
	gaps_free(&rows->gaps);
	free(rows->segments);
	free(rows);
}

const struct store_channel *export_rows_columns(const struct export_rows *rows, size_t *n)
{
	*n = rows->columns_n;
	return rows->columns;
}

void export_rows_name(const struct export_rows *rows, size_t column,
		      char out[static EXPORT_NAME_SIZE])
{
	const struct store_channel *c = &rows->columns[column];

	if (rows->several_meters)
		snprintf(out, EXPORT_NAME_SIZE, "%s.%s", c->meter_name, c->name);
	else
		snprintf(out, EXPORT_NAME_SIZE, "%s", c->name);
}

const char *export_rows_unit(const struct export_rows *rows, size_t column)
{
	const char *unit = rows->columns[column].unit;

	return strcmp(unit, "1") == 0 ? "" : unit;
}

void export_rows_extent(const struct export_rows *rows, struct export_extent *out)
{
	*out = rows->extent;
}

double export_rows_rate(const struct export_rows *rows, size_t column)
{
	return rows->rate_hz[column];
}

bool export_rows_is_gap(const struct export_rows *rows, size_t column, int64_t from_ns,
			int64_t to_ns, size_t *at)
{
	const struct rail_gap *gaps = rows->gaps.all;

	while (*at < rows->gaps.n &&
	       ((int)gaps[*at].meter != rows->columns[column].meter || gaps[*at].to_ns <= from_ns))
		++*at;
	return *at < rows->gaps.n && gaps_is_between(&gaps[*at], from_ns, to_ns);
}

size_t export_rows_damaged(const struct export_rows *rows, const char **first)
{
	*first = rows->first_damage.text;
	return rows->damaged;
}

static int open_segment(struct export_rows *rows, struct err *err)
{
	const struct store_segment *s = &rows->segments[rows->segment++];
	int r = 0;

	close_streams(rows);
	rows->streams = calloc(rows->columns_n, sizeof(*rows->streams));
	if (!rows->streams)
		return err_set(err, -ENOMEM, "no memory");
	for (size_t c = 0; r == 0 && c < rows->columns_n; c++) {
		struct stream *stream = &rows->streams[rows->streams_n];

		if (!is_first_of_meter(rows, c))
			continue;
		stream->meter = rows->columns[c].meter;
		r = store_cursor_open(
			rows->store, s->id, stream->meter,
			rows->from_ns == INT64_MIN ? INT64_MIN : from_utc(s, rows->from_ns),
			rows->to_ns == INT64_MAX ? INT64_MAX : from_utc(s, rows->to_ns),
			&stream->cursor, err);
		rows->streams_n += r == 0;
	}
	return r;
}

/* The next chunk that is not damaged, into stream->ahead. */
static int look_ahead(struct export_rows *rows, struct stream *stream, struct err *err)
{
	struct err why = {""};
	int r;

	while ((r = store_cursor_next(stream->cursor, &stream->ahead, &why)) == -EBADMSG) {
		if (!rows->damaged++)
			rows->first_damage = why;
	}
	stream->has_ahead = r > 0;
	return r < 0 ? err_set(err, r, "%s", why.text) : 0;
}

static bool belongs(const struct batch *batch, const struct store_chunk *chunk)
{
	const struct meter_block *a = &batch->block, *b = &chunk->block;

	if (chunk->coding != CHUNK_BLOCK || batch->channels_n == EXPORT_COLUMNS_MAX)
		return false;
	for (size_t i = 0; i < batch->channels_n; i++) {
		if (batch->channel[i] == b->channel)
			return false;
	}
	return a->start_ns == b->start_ns && a->first == b->first && a->n == b->n &&
	       a->rate_hz == b->rate_hz;
}

static int take_block(struct batch *batch, const struct store_chunk *chunk)
{
	float *values = malloc(chunk->n * sizeof(*values));

	if (!values)
		return -ENOMEM;
	memcpy(values, chunk->values, chunk->n * sizeof(*values));
	batch->channel[batch->channels_n] = chunk->block.channel;
	batch->values[batch->channels_n++] = values;
	return 0;
}

static int take_readings(struct batch *batch, const struct store_chunk *chunk)
{
	batch->samples = malloc(chunk->n * sizeof(*batch->samples));
	if (!batch->samples)
		return -ENOMEM;
	memcpy(batch->samples, chunk->samples, chunk->n * sizeof(*batch->samples));
	return 0;
}

/* What comes next of a meter; nothing at its end. */
static int fill_batch(struct export_rows *rows, struct stream *stream, struct err *err)
{
	struct batch *batch = &stream->batch;
	int r = 0;

	empty_batch(batch);
	if (!stream->has_ahead)
		r = look_ahead(rows, stream, err);
	if (r < 0 || !stream->has_ahead)
		return r;
	batch->n = stream->ahead.n;
	batch->block = stream->ahead.block;
	if (stream->ahead.coding == CHUNK_READINGS) {
		r = take_readings(batch, &stream->ahead);
		stream->has_ahead = false;
		return r;
	}
	while (r == 0 && stream->has_ahead && belongs(batch, &stream->ahead)) {
		r = take_block(batch, &stream->ahead);
		if (r == 0)
			r = look_ahead(rows, stream, err);
	}
	return r;
}

static int64_t next_time(const struct batch *batch)
{
	return batch->samples ? batch->samples[batch->at].t_ns
			      : meter_block_time_ns(&batch->block, batch->at);
}

static size_t column_of(const struct export_rows *rows, int meter, uint32_t channel)
{
	size_t i = 0;

	while (i < rows->columns_n &&
	       (rows->columns[i].meter != meter || rows->columns[i].channel != channel))
		i++;
	return i;
}

static void add_cell(const struct export_rows *rows, int meter, uint32_t channel, double value,
		     struct export_row *row)
{
	size_t column = column_of(rows, meter, channel);

	if (column < rows->columns_n)
		row->cells[row->n++] = (struct export_cell){column, value};
}

static void make_row(struct export_rows *rows, struct stream *stream, struct export_row *row)
{
	struct batch *batch = &stream->batch;
	size_t at = batch->at;

	row->n = 0;
	row->monotonic_ns = next_time(batch);
	row->utc_ns = to_utc(&rows->segments[rows->segment - 1], row->monotonic_ns);
	row->error_ns = batch->samples ? batch->samples[at].error_ns : batch->block.error_ns;
	if (batch->samples)
		add_cell(rows, stream->meter, batch->samples[at].channel, batch->samples[at].value,
			 row);
	for (size_t i = 0; i < batch->channels_n; i++)
		add_cell(rows, stream->meter, batch->channel[i], (double)batch->values[i][at], row);
	batch->at++;
}

/* The stream whose next row is the earliest, NULL if all are at their end. */
static int choose_stream(struct export_rows *rows, struct stream **out, struct err *err)
{
	*out = NULL;
	for (size_t i = 0; i < rows->streams_n; i++) {
		struct stream *s = &rows->streams[i];
		int r = s->batch.at < s->batch.n ? 0 : fill_batch(rows, s, err);

		if (r < 0)
			return r;
		if (s->batch.at < s->batch.n &&
		    (!*out || next_time(&s->batch) < next_time(&(*out)->batch)))
			*out = s;
	}
	return 0;
}

int export_rows_next(struct export_rows *rows, struct export_row *row, struct err *err)
{
	struct stream *stream = NULL;

	for (;;) {
		int r = choose_stream(rows, &stream, err);

		if (r < 0)
			return r;
		if (stream) {
			make_row(rows, stream, row);
			if (row->n && row->utc_ns >= rows->from_ns && row->utc_ns <= rows->to_ns)
				return 1;
		} else if (rows->segment == rows->segments_n) {
			return 0;
		} else {
			r = open_segment(rows, err);
			if (r < 0)
				return r;
		}
	}
}
