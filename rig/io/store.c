/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

int store_fail(struct store *store, const char *what, struct err *err)
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

int store_run_sql(struct store *store, const char *sql, const char *what, struct err *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(store, what, err);
	return 0;
}

int store_begin(struct store *store, struct err *err)
{
	int r = 0;

	if (!store->open_transaction) {
		r = store_run_sql(store, "BEGIN IMMEDIATE", "cannot begin to write", err);
		store->open_transaction = r == 0;
	}
	return r;
}

int store_commit(struct store *store, struct err *err)
{
	int r = 0;

	if (store->open_transaction)
		r = store_run_sql(store, "COMMIT", "cannot write", err);
	if (r == 0)
		store->open_transaction = false;
	return r;
}

sqlite3_stmt *store_statement(struct store *store, enum store_statement id, const char *sql)
{
	if (!store->st[id])
		sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &store->st[id],
				   NULL);
	else
		sqlite3_reset(store->st[id]);
	return store->st[id];
}

int store_step_done(struct store *store, sqlite3_stmt *st, const char *what, struct err *err)
{
	int rc = sqlite3_step(st);

	if (rc != SQLITE_DONE)
		return store_fail(store, what, err);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return 0;
}

/* As a path: to SQLite ":memory:", "file:..." and "" are names of files that are gone afterwards. */
static int open_path(const char *path, int flags, sqlite3 **db)
{
	char *plain = sqlite3_mprintf("%s%s", *path == '/' ? "" : "./", path);
	int r = plain ? sqlite3_open_v2(plain, db, flags, NULL) : SQLITE_NOMEM;

	sqlite3_free(plain);
	return r;
}

static int open_db(const char *path, int flags, struct store **out, struct err *err)
{
	struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->path = strdup(path);
	if (!store->path || open_path(path, flags, &store->db) != SQLITE_OK) {
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
	r = store_run_sql(store, pages, "cannot set up", err);
	if (r == 0)
		r = store_run_sql(store, mode, "cannot set up", err);
	if (r == 0)
		r = store_begin(store, err);
	if (r == 0)
		r = store_run_sql(store, schema, "cannot set up", err);
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
		r = store_run_sql(store, mode, "cannot set up", err);
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
	for (int i = 0; i < STORE_STATEMENTS; i++)
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
	int r = store_begin(store, err);

	if (r < 0)
		return r;
	if (sqlite3_prepare_v2(store->db, "INSERT OR REPLACE INTO meta VALUES(?1, ?2)", -1, &st,
			       NULL) != SQLITE_OK)
		return store_fail(store, "cannot write", err);
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
	r = store_step_done(store, st, "cannot write", err);
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
	int r = store_begin(store, err);

	if (r < 0)
		return r;
	read_boot_id(boot_id, sizeof(boot_id));
	if (sqlite3_prepare_v2(store->db,
			       "INSERT INTO segment(tool, boot_id, wall_ns, monotonic_ns, pid)"
			       " VALUES(?1, ?2, ?3, ?4, ?5)",
			       -1, &st, NULL) != SQLITE_OK)
		return store_fail(store, "cannot write", err);
	sqlite3_bind_text(st, 1, tool_version, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, boot_id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, clock_ns(CLOCK_REALTIME));
	sqlite3_bind_int64(st, 4, clock_ns(CLOCK_MONOTONIC));
	sqlite3_bind_int64(st, 5, getpid());
	r = store_step_done(store, st, "cannot write", err);
	sqlite3_finalize(st);
	return r < 0 ? r : (int)sqlite3_last_insert_rowid(store->db);
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
		r = store_fail(store, "cannot read segments", err);
		free(*out);
		*out = NULL;
		*n = 0;
	}
	sqlite3_finalize(st);
	return r;
}
