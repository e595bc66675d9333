/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of a run or a recording: SQLite. docs/run-file.md describes the tables.
 * The journal and the samples are append-only; what has been committed survives kill -9 and a power
 * cut, and can be read by others while this one goes on.
 *
 * Entries and samples are collected in a transaction until store_commit(). A failure (-ENOSPC for a
 * full disk, -EIO) throws the open transaction away and keeps all that was committed.
 */
#ifndef COLDRIG_STORE_H
#define COLDRIG_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chunk.h"
#include "err.h"
#include "meter.h"
#include "msg.h"

#define STORE_FORMAT "2"

struct store;

/* One line of the journal. Times are the controller's CLOCK_MONOTONIC within one segment. */
struct store_entry {
	int64_t seq; /* given by the store */
	int64_t t_ns;
	int segment;		/* which start of the program wrote it, from 1 */
	int arm;		/* index into the plan's arms, -1: none */
	int64_t cycle;		/* ordinal of the cycle in the expanded plan, from 0; -1: none */
	const char *kind;	/* docs/run-file.md lists them */
	const struct msg *body; /* an object, or NULL */
};

/* For small commits often, and for chunks by the thousand. */
#define STORE_PAGES_JOURNAL 4096
#define STORE_PAGES_CHUNKS  16384

/* A new file; -EEXIST if there is one. */
int store_create(const char *path, size_t page_bytes, struct store **out, struct err *err);

/* An existing file of this format; -ENOENT, -EBADMSG if it is none. */
int store_open(const char *path, bool read_only, struct store **out, struct err *err);

/* Ends without committing what is open. */
void store_close(struct store *store);

int store_set_meta(struct store *store, const char *key, const char *value, struct err *err);

/* NULL if there is none; freed with free(). */
char *store_get_meta(struct store *store, const char *key);

/* Begins a segment: wall and monotonic time and boot id are kept. Returns its number, or -errno. */
int store_begin_segment(struct store *store, const char *tool_version, struct err *err);

/* Appends an entry, entry->seq is set. */
int store_append(struct store *store, struct store_entry *entry, struct err *err);

/* What a meter's channel is called and measured in; said again it replaces what was said. */
int store_put_channel(struct store *store, int meter, const char *meter_name, uint32_t channel,
		      const char *name, const char *unit, struct err *err);

struct store_channel {
	int meter;
	uint32_t channel;
	char *meter_name, *name, *unit;
};

/* Ordered by meter and channel; freed with store_free_channels(). */
int store_channels(struct store *store, struct store_channel **out, size_t *n, struct err *err);
void store_free_channels(struct store_channel *channels, size_t n);

/* Appends readings of a meter, in ascending time. */
int store_append_samples(struct store *store, int segment, int meter,
			 const struct meter_sample *samples, size_t n, struct err *err);

/* Appends a block, packed by chunk_pack_block(). */
int store_append_block(struct store *store, int segment, int meter, const struct meter_block *block,
		       const void *packed, size_t packed_n, struct err *err);

int store_commit(struct store *store, struct err *err);

/* Calls back for each entry in order; entry and body are valid during the call. A non-zero return of
 * the callback ends it and is returned. -EBADMSG for an entry that is damaged. */
int store_each_entry(struct store *store,
		     int (*callback)(void *context, const struct store_entry *entry), void *context,
		     struct err *err);

struct store_segment {
	int id;
	int64_t wall_ns, monotonic_ns; /* CLOCK_REALTIME and CLOCK_MONOTONIC when it began */
};

/* *out is freed with free(). */
int store_segments(struct store *store, struct store_segment **out, size_t *n, struct err *err);

/* How many samples of a meter there are, from when to when; n 0: none. Reads no chunk. */
struct store_extent {
	uint64_t n;
	int64_t t0_ns, t1_ns;
};

int store_get_extent(struct store *store, int segment, int meter, struct store_extent *out,
		     struct err *err);

/* One chunk; what is not of its coding is NULL. */
struct store_chunk {
	int64_t id;
	int64_t t0_ns, t1_ns;
	size_t n;
	enum chunk_coding coding;
	const struct meter_sample *samples;
	struct meter_block block;
	const float *values;
};

/* Chunks of a meter that have samples between from_ns and to_ns, whole, by the time of their ends. */
struct store_cursor;

/* Freed with store_cursor_close(), before the store is closed. */
int store_cursor_open(struct store *store, int segment, int meter, int64_t from_ns, int64_t to_ns,
		      struct store_cursor **out, struct err *err);

/*
 * 1 and the next chunk, valid until the next call; 0 at the end. -EBADMSG for a chunk that is
 * damaged, with words that name its row: the next call goes on behind it.
 */
int store_cursor_next(struct store_cursor *cursor, struct store_chunk *out, struct err *err);
void store_cursor_close(struct store_cursor *cursor);

/*
 * All readings of a meter with from_ns <= t_ns <= to_ns, committed or not; freed with free(). Values
 * of blocks are among them. -EBADMSG, with words, if a chunk is damaged.
 */
int store_load_samples(struct store *store, int segment, int meter, int64_t from_ns, int64_t to_ns,
		       struct meter_sample **out, size_t *n, struct err *err);

/*
 * A row of a table of results, for people who query run files with SQL; the rig never reads them.
 * Members of row are columns, of which the first tells rows apart: a row that is put again replaces
 * the one before. The table is made when it is first used. Values are kept as text, integer, real or
 * null.
 */
int store_put_row(struct store *store, const char *table, const char *const *columns,
		  const struct msg *row, struct err *err);

#endif
