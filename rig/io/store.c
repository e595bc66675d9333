/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pack.h"

static const char schema[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE segment(id INTEGER PRIMARY KEY, tool TEXT, boot_id TEXT, wall_ns INTEGER,"
	" monotonic_ns INTEGER, pid INTEGER);"
	"CREATE TABLE journal(seq INTEGER PRIMARY KEY, segment INTEGER NOT NULL,"
	" t_ns INTEGER NOT NULL, arm INTEGER, cycle INTEGER, kind TEXT NOT NULL, body TEXT);"
	"CREATE TABLE channel(meter INTEGER NOT NULL, channel INTEGER NOT NULL,"
	" meter_name TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL,"
	" PRIMARY KEY(meter, channel)) WITHOUT ROWID;"
	"CREATE TABLE samples(id INTEGER PRIMARY KEY, segment INTEGER NOT NULL,"
	" meter INTEGER NOT NULL, t0_ns INTEGER NOT NULL, t1_ns INTEGER NOT NULL,"
	" n INTEGER NOT NULL, coding INTEGER NOT NULL, crc32 INTEGER NOT NULL, data BLOB NOT NULL);"
	/* Holds all that an overview needs, so that none reads the chunks of a day. */
	"CREATE INDEX samples_by_time ON samples(segment, meter, t1_ns, t0_ns, n);";

enum statement { ST_APPEND, ST_SAMPLES, ST_CHANNEL, ST_COUNT };

static const char *const statements[ST_COUNT] = {
	[ST_APPEND] = "INSERT INTO journal(segment, t_ns, arm, cycle, kind, body)"
		      " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[ST_SAMPLES] = "INSERT INTO samples(segment, meter, t0_ns, t1_ns, n, coding, crc32, data)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ST_CHANNEL] = "INSERT OR REPLACE INTO channel VALUES(?1, ?2, ?3, ?4, ?5)",
};

struct store {
	char *path;
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	bool open_transaction;
	bool is_writer;
};

/* Readers do not stop a run, and what has been committed survives a power cut. */
static const char mode[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";

static int to_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return -EBADMSG;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	default:
		return -EIO;
	}
}

/* The errno of the file or its log; sqlite3_system_errno() has lost it after a failed COMMIT. */
static int last_errno(sqlite3 *db)
{
	static const int which[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};

	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++) {
		sqlite3_file *file = NULL;
		int last = 0;

		sqlite3_file_control(db, "main", which[i], &file);
		if (file && file->pMethods &&
		    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last) ==
			    SQLITE_OK &&
		    last)
			return last;
	}
	return 0;
}

/* Forms the error of a failed call and throws the open transaction away. */
static int fail(struct store *store, const char *what, struct err *err)
{
	int rc = sqlite3_extended_errcode(store->db);
	int code = to_errno(rc), system_errno = code == -EIO ? last_errno(store->db) : 0;
	char why[200];

	if (code == -EIO &&
	    (system_errno == ENOSPC || system_errno == EFBIG || system_errno == EDQUOT))
		code = -ENOSPC;
	snprintf(why, sizeof(why), "%s",
		 code == -ENOSPC ? "no space left" : sqlite3_errmsg(store->db));
	if (store->open_transaction && !sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->open_transaction = false;
	return err_set(err, code, "%s: %s: %s", store->path, what, why);
}

static int run_sql(struct store *store, const char *sql, const char *what, struct err *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(store, what, err);
	return 0;
}

static int begin(struct store *store, struct err *err)
{
	int r = 0;

	if (!store->open_transaction) {
		r = run_sql(store, "BEGIN IMMEDIATE", "cannot begin to write", err);
		store->open_transaction = r == 0;
	}
	return r;
}

int store_commit(struct store *store, struct err *err)
{
	int r = 0;

	if (store->open_transaction)
		r = run_sql(store, "COMMIT", "cannot write", err);
	if (r == 0)
		store->open_transaction = false;
	return r;
}

static sqlite3_stmt *statement(struct store *store, enum statement id)
{
	if (!store->st[id])
		sqlite3_prepare_v3(store->db, statements[id], -1, SQLITE_PREPARE_PERSISTENT,
				   &store->st[id], NULL);
	else
		sqlite3_reset(store->st[id]);
	return store->st[id];
}

static int step_done(struct store *store, sqlite3_stmt *st, const char *what, struct err *err)
{
	int rc = sqlite3_step(st);

	if (rc != SQLITE_DONE)
		return fail(store, what, err);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return 0;
}

static int open_db(const char *path, int flags, struct store **out, struct err *err)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->path = strdup(path);
	if (!store->path || sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK) {
		r = err_set(err, store->db ? to_errno(sqlite3_errcode(store->db)) : -ENOMEM,
			    "%s: cannot open: %s", path, sqlite3_errmsg(store->db));
		store_close(store);
		return r;
	}
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, 5000);
	*out = store;
	return 0;
}

int store_create(const char *path, size_t page_bytes, struct store **out, struct err *err)
{
	struct store *store;
	char pages[40];
	int r;

	if (access(path, F_OK) == 0)
		return err_set(err, -EEXIST, "%s: there is a file already", path);
	r = open_db(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &store, err);
	if (r < 0)
		return r;
	store->is_writer = true;
	snprintf(pages, sizeof(pages), "PRAGMA page_size=%zu", page_bytes);
	r = run_sql(store, pages, "cannot set up", err);
	if (r == 0)
		r = run_sql(store, mode, "cannot set up", err);
	if (r == 0)
		r = begin(store, err);
	if (r == 0)
		r = run_sql(store, schema, "cannot set up", err);
	if (r == 0)
		r = store_set_meta(store, "format", STORE_FORMAT, err);
	if (r == 0)
		r = store_commit(store, err);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*out = store;
	return 0;
}

int store_open(const char *path, bool read_only, struct store **out, struct err *err)
{
	struct store *store;
	char *format;
	int r;

	r = open_db(path, read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE, &store, err);
	if (r < 0)
		return r;
	format = store_get_meta(store, "format");
	if (!format && sqlite3_errcode(store->db) == SQLITE_ROW)
		r = -ENOMEM;
	else if (!format && sqlite3_errcode(store->db) == SQLITE_CANTOPEN)
		r = err_set(err, -EACCES,
			    "%s: its writer was killed, and reading it then needs permission "
			    "to write in its directory",
			    path);
	else if (!format)
		r = err_set(err, -EBADMSG, "%s: not a run or recording: %s", path,
			    sqlite3_errmsg(store->db));
	else if (strcmp(format, STORE_FORMAT) != 0)
		r = err_set(err, -EBADMSG, "%s: format %s, this program reads format %s", path,
			    format, STORE_FORMAT);
	free(format);
	store->is_writer = !read_only;
	if (r == 0 && !read_only)
		r = run_sql(store, mode, "cannot set up", err);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (int i = 0; i < ST_COUNT; i++)
		sqlite3_finalize(store->st[i]);
	/* Ends as one plain file, that can be read where nothing can be written. */
	if (store->is_writer) {
		if (!sqlite3_get_autocommit(store->db))
			sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		sqlite3_exec(store->db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	}
	sqlite3_close(store->db);
	free(store->path);
	free(store);
}

int store_set_meta(struct store *store, const char *key, const char *value, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int r = begin(store, err);

	if (r < 0)
		return r;
	if (sqlite3_prepare_v2(store->db, "INSERT OR REPLACE INTO meta VALUES(?1, ?2)", -1, &st,
			       NULL) != SQLITE_OK)
		return fail(store, "cannot write", err);
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
	r = step_done(store, st, "cannot write", err);
	sqlite3_finalize(st);
	return r;
}

char *store_get_meta(struct store *store, const char *key)
{
	sqlite3_stmt *st = NULL;
	char *value = NULL;

	if (sqlite3_prepare_v2(store->db, "SELECT value FROM meta WHERE key = ?1", -1, &st, NULL) !=
	    SQLITE_OK)
		return NULL;
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = strdup((const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return value;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void read_boot_id(char *out, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\n")] = 0;
	if (fd >= 0)
		close(fd);
}

int store_begin_segment(struct store *store, const char *tool_version, struct err *err)
{
	sqlite3_stmt *st = NULL;
	char boot_id[64];
	int r = begin(store, err);

	if (r < 0)
		return r;
	read_boot_id(boot_id, sizeof(boot_id));
	if (sqlite3_prepare_v2(store->db,
			       "INSERT INTO segment(tool, boot_id, wall_ns, monotonic_ns, pid)"
			       " VALUES(?1, ?2, ?3, ?4, ?5)",
			       -1, &st, NULL) != SQLITE_OK)
		return fail(store, "cannot write", err);
	sqlite3_bind_text(st, 1, tool_version, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, clock_ns(CLOCK_REALTIME));
	sqlite3_bind_int64(st, 4, clock_ns(CLOCK_MONOTONIC));
	sqlite3_bind_int64(st, 5, getpid());
	r = step_done(store, st, "cannot write", err);
	sqlite3_finalize(st);
	return r < 0 ? r : (int)sqlite3_last_insert_rowid(store->db);
}

int store_append(struct store *store, struct store_entry *entry, struct err *err)
{
	sqlite3_stmt *st;
	char *body = entry->body ? msg_dump(entry->body) : NULL;
	int r = begin(store, err);

	if (r == 0) {
		st = statement(store, ST_APPEND);
		sqlite3_bind_int(st, 1, entry->segment);
		sqlite3_bind_int64(st, 2, entry->t_ns);
		if (entry->arm >= 0)
			sqlite3_bind_int(st, 3, entry->arm);
		if (entry->cycle >= 0)
			sqlite3_bind_int64(st, 4, entry->cycle);
		sqlite3_bind_text(st, 5, entry->kind, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 6, body, -1, SQLITE_STATIC);
		r = step_done(store, st, "cannot write the journal", err);
		entry->seq = sqlite3_last_insert_rowid(store->db);
	}
	free(body);
	return r;
}

int store_put_channel(struct store *store, int meter, const char *meter_name, uint32_t channel,
		      const char *name, const char *unit, struct err *err)
{
	sqlite3_stmt *st;
	int r = begin(store, err);

	if (r < 0)
		return r;
	st = statement(store, ST_CHANNEL);
	sqlite3_bind_int(st, 1, meter);
	sqlite3_bind_int64(st, 2, channel);
	sqlite3_bind_text(st, 3, meter_name, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, unit, -1, SQLITE_STATIC);
	return step_done(store, st, "cannot write", err);
}

struct chunk_row {
	int segment, meter;
	int64_t t0_ns, t1_ns;
	size_t n;
	enum chunk_coding coding;
};

static int append_chunk(struct store *store, const struct chunk_row *row, const void *data,
			size_t data_n, struct err *err)
{
	sqlite3_stmt *st;
	int r = begin(store, err);

	if (r < 0)
		return r;
	st = statement(store, ST_SAMPLES);
	sqlite3_bind_int(st, 1, row->segment);
	sqlite3_bind_int(st, 2, row->meter);
	sqlite3_bind_int64(st, 3, row->t0_ns);
	sqlite3_bind_int64(st, 4, row->t1_ns);
	sqlite3_bind_int64(st, 5, (sqlite3_int64)row->n);
	sqlite3_bind_int(st, 6, row->coding);
	sqlite3_bind_int64(st, 7, pack_crc32(data, data_n));
	sqlite3_bind_blob64(st, 8, data, data_n, SQLITE_STATIC);
	return step_done(store, st, "cannot write samples", err);
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

static int read_entry(sqlite3_stmt *st, int (*callback)(void *, const struct store_entry *),
		      void *context, struct store *store, struct err *err)
{
	const char *text = (const char *)sqlite3_column_text(st, 6);
	struct err why = {""};
	struct msg *body = NULL;
	struct store_entry entry = {
		.seq = sqlite3_column_int64(st, 0),
		.segment = sqlite3_column_int(st, 1),
		.t_ns = sqlite3_column_int64(st, 2),
		.arm = sqlite3_column_type(st, 3) == SQLITE_NULL ? -1 : sqlite3_column_int(st, 3),
		.cycle = sqlite3_column_type(st, 4) == SQLITE_NULL ? -1
								   : sqlite3_column_int64(st, 4),
		.kind = (const char *)sqlite3_column_text(st, 5),
	};
	int r;

	if (text && msg_parse(text, strlen(text), &body, &why) < 0)
		return err_set(err, -EBADMSG, "%s: journal entry %lld: %s", store->path,
			       (long long)entry.seq, why.text);
	entry.body = body;
	r = callback(context, &entry);
	msg_free(body);
	return r;
}

int store_each_entry(struct store *store,
		     int (*callback)(void *context, const struct store_entry *entry), void *context,
		     struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc, r = 0;

	if (sqlite3_prepare_v2(store->db,
			       "SELECT seq, segment, t_ns, arm, cycle, kind, body FROM journal"
			       " ORDER BY seq",
			       -1, &st, NULL) != SQLITE_OK)
		return fail(store, "cannot read the journal", err);
	while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = read_entry(st, callback, context, store, err);
	if (r == 0 && rc != SQLITE_DONE)
		r = fail(store, "cannot read the journal", err);
	sqlite3_finalize(st);
	return r;
}

static int read_segments(sqlite3_stmt *st, struct store_segment **out, size_t *n)
{
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_segment *grown = realloc(*out, (*n + 1) * sizeof(**out));

		if (!grown)
			return SQLITE_NOMEM;
		*out = grown;
		grown[(*n)++] = (struct store_segment){
			.id = sqlite3_column_int(st, 0),
			.wall_ns = sqlite3_column_int64(st, 1),
			.monotonic_ns = sqlite3_column_int64(st, 2),
		};
	}
	return rc;
}

int store_segments(struct store *store, struct store_segment **out, size_t *n, struct err *err)
{
	static const char sql[] = "SELECT id, wall_ns, monotonic_ns FROM segment ORDER BY id";
	sqlite3_stmt *st = NULL;
	int r = 0;

	*out = NULL;
	*n = 0;
	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) != SQLITE_OK ||
	    read_segments(st, out, n) != SQLITE_DONE) {
		r = fail(store, "cannot read segments", err);
		free(*out);
		*out = NULL;
		*n = 0;
	}
	sqlite3_finalize(st);
	return r;
}

static char *column_text(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	return strdup(text ? text : "");
}

static int read_channels(sqlite3_stmt *st, struct store_channel **out, size_t *n)
{
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_channel *grown = realloc(*out, (*n + 1) * sizeof(**out)), *c;

		if (!grown)
			return SQLITE_NOMEM;
		*out = grown;
		c = &grown[(*n)++];
		*c = (struct store_channel){
			.meter = sqlite3_column_int(st, 0),
			.channel = (uint32_t)sqlite3_column_int64(st, 1),
			.meter_name = column_text(st, 2),
			.name = column_text(st, 3),
			.unit = column_text(st, 4),
		};
		if (!c->meter_name || !c->name || !c->unit)
			return SQLITE_NOMEM;
	}
	return rc;
}

int store_channels(struct store *store, struct store_channel **out, size_t *n, struct err *err)
{
	static const char sql[] =
		"SELECT meter, channel, meter_name, name, unit FROM channel ORDER BY 1, 2";
	sqlite3_stmt *st = NULL;
	int r = 0;

	*out = NULL;
	*n = 0;
	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) != SQLITE_OK ||
	    read_channels(st, out, n) != SQLITE_DONE) {
		r = fail(store, "cannot read channels", err);
		store_free_channels(*out, *n);
		*out = NULL;
		*n = 0;
	}
	sqlite3_finalize(st);
	return r;
}

void store_free_channels(struct store_channel *channels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(channels[i].meter_name);
		free(channels[i].name);
		free(channels[i].unit);
	}
	free(channels);
}

int store_get_extent(struct store *store, int segment, int meter, struct store_extent *out,
		     struct err *err)
{
	static const char sql[] = "SELECT total(n), min(t0_ns), max(t1_ns) FROM samples"
				  " WHERE segment = ?1 AND meter = ?2";
	sqlite3_stmt *st = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) != SQLITE_OK)
		return fail(store, "cannot read samples", err);
	sqlite3_bind_int(st, 1, segment);
	sqlite3_bind_int(st, 2, meter);
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = (struct store_extent){
			.n = (uint64_t)sqlite3_column_int64(st, 0),
			.t0_ns = sqlite3_column_int64(st, 1),
			.t1_ns = sqlite3_column_int64(st, 2),
		};
	else
		r = fail(store, "cannot read samples", err);
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
		return fail(store, "cannot read samples", err);
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
		return fail(cursor->store, "cannot read samples", err);
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

/* "SQL (c1, c2)" with form once per column: for making the table and for filling it. */
static void list_columns(char *sql, size_t size, const char *const *columns, const char *form)
{
	size_t at = strlen(sql);

	for (size_t i = 0; columns[i]; i++)
		at += (size_t)snprintf(sql + at, size - at, form, i ? ", " : "(", columns[i]);
	snprintf(sql + at, size - at, ")");
}

static void bind_member(sqlite3_stmt *st, int index, const struct msg *row, const char *column)
{
	const struct msg *value = msg_get(row, column);
	double real = msg_get_real(row, column, 0);
	int64_t integer = msg_get_int(row, column, INT64_MIN);

	if (msg_is_null(value))
		sqlite3_bind_null(st, index);
	else if (msg_text(value))
		sqlite3_bind_text(st, index, msg_text(value), -1, SQLITE_TRANSIENT);
	else if (integer != INT64_MIN)
		sqlite3_bind_int64(st, index, integer);
	else
		sqlite3_bind_double(st, index, real);
}

int store_put_row(struct store *store, const char *table, const char *const *columns,
		  const struct msg *row, struct err *err)
{
	sqlite3_stmt *st = NULL;
	char sql[1024];
	int r = begin(store, err);

	if (r < 0)
		return r;
	snprintf(sql, sizeof(sql), "CREATE TABLE IF NOT EXISTS %s ", table);
	list_columns(sql, sizeof(sql), columns, "%s%s");
	r = run_sql(store, sql, "cannot make a table", err);
	if (r < 0)
		return r;
	snprintf(sql, sizeof(sql), "CREATE UNIQUE INDEX IF NOT EXISTS %s_key ON %s (%s)", table,
		 table, columns[0]);
	r = run_sql(store, sql, "cannot make an index", err);
	if (r < 0)
		return r;
	snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO %s VALUES ", table);
	list_columns(sql, sizeof(sql), columns, "%s:%s");
	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) != SQLITE_OK)
		return fail(store, "cannot write results", err);
	for (int i = 0; columns[i]; i++)
		bind_member(st, i + 1, row, columns[i]);
	r = step_done(store, st, "cannot write results", err);
	sqlite3_finalize(st);
	return r;
}
