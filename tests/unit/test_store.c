/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store.h"
#include "unit.h"

static char dir[] = "/tmp/coldrig-store-XXXXXX";
static char path[64];

static struct store *fresh(void)
{
	struct store *store = NULL;
	struct err err = {""};

	for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end;
	     end++) {
		char file[80];

		snprintf(file, sizeof(file), "%s%s", path, *end);
		unlink(file);
	}
	CU_ASSERT_EQUAL(store_create(path, STORE_PAGES_JOURNAL, &store, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	return store;
}

static struct store *reopen(bool read_only)
{
	struct store *store = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(store_open(path, read_only, &store, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	return store;
}

static int append(struct store *store, const char *kind, int64_t n, struct err *err)
{
	struct msg *body = msg_object();
	struct store_entry entry = {
		.t_ns = n, .segment = 1, .arm = -1, .cycle = n, .kind = kind, .body = body};
	int r;

	msg_set_int(body, "n", n);
	r = store_append(store, &entry, err);
	msg_free(body);
	return r;
}

/* Counts entries, and that they are 0, 1, 2... */
struct count {
	int64_t n;
	bool in_order;
};

static int count_one(void *context, const struct store_entry *entry)
{
	struct count *c = context;

	c->in_order &= entry->cycle == c->n && msg_get_int(entry->body, "n", -1) == c->n;
	c->n++;
	return 0;
}

static int64_t count_entries(struct store *store)
{
	struct count c = {.in_order = true};

	CU_ASSERT_EQUAL(store_each_entry(store, count_one, &c, NULL), 0);
	CU_ASSERT_TRUE(c.in_order);
	return c.n;
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int check_entry(void *context, const struct store_entry *e)
{
	int *i = context;

	if ((*i)++ == 0) {
		CU_ASSERT(e->seq == 1 && e->t_ns == INT64_MAX && e->segment == 2);
		CU_ASSERT(e->arm == -1 && e->cycle == -1 && !e->body);
		CU_ASSERT_STRING_EQUAL(e->kind, "first");
		return 0;
	}
	CU_ASSERT(e->seq == 2 && e->t_ns == -5 && e->arm == 0 && e->cycle == 0);
	CU_ASSERT_STRING_EQUAL(msg_get_str(e->body, "text"), "W\xc3\xa4rme");
	return 77;
}

static void journal_entries_come_back_as_they_were(void)
{
	struct store *store = fresh();
	struct msg *body = msg_object();
	struct store_entry first = {
		.t_ns = INT64_MAX, .segment = 2, .arm = -1, .cycle = -1, .kind = "first"};
	struct store_entry second = {.t_ns = -5, .segment = 1, .kind = "second", .body = body};
	int seen = 0;

	msg_set_str(body, "text", "W\xc3\xa4rme");
	CU_ASSERT_EQUAL(store_append(store, &first, NULL), 0);
	CU_ASSERT_EQUAL(store_append(store, &second, NULL), 0);
	CU_ASSERT_EQUAL(append(store, "third", 0, NULL), 0);
	CU_ASSERT(first.seq == 1 && second.seq == 2);
	CU_ASSERT_EQUAL(store_each_entry(store, check_entry, &seen, NULL), 77);
	CU_ASSERT_EQUAL(seen, 2);
	msg_free(body);
	store_close(store);
}

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

static void a_damaged_journal_entry_is_found_and_named(void)
{
	struct store *store = fresh();
	struct err err = {""};
	struct count c = {0};

	append(store, "x", 0, NULL);
	append(store, "x", 1, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
	run_sql("UPDATE journal SET body = '{\"n\":' WHERE seq = 2");
	store = reopen(true);
	CU_ASSERT_EQUAL(store_each_entry(store, count_one, &c, &err), -EBADMSG);
	CU_ASSERT_EQUAL(c.n, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "journal entry 2: byte"));
	store_close(store);
}

static void meta_and_segments_are_kept(void)
{
	struct store *store = fresh();
	char *value;

	CU_ASSERT_EQUAL(store_begin_segment(store, "1.0", NULL), 1);
	CU_ASSERT_EQUAL(store_begin_segment(store, "1.1", NULL), 2);
	CU_ASSERT_EQUAL(store_set_meta(store, "plan", "a", NULL), 0);
	CU_ASSERT_EQUAL(store_set_meta(store, "plan", "b\n\"'", NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
	store = reopen(false);
	value = store_get_meta(store, "plan");
	CU_ASSERT_STRING_EQUAL(value, "b\n\"'");
	free(value);
	CU_ASSERT_PTR_NULL(store_get_meta(store, "missing"));
	CU_ASSERT_EQUAL(store_begin_segment(store, "1.2", NULL), 3);
	store_close(store);
}

static void a_file_that_is_there_is_not_overwritten(void)
{
	struct store *store = fresh(), *other = NULL;
	struct err err = {""};

	append(store, "x", 0, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	CU_ASSERT_EQUAL(store_create(path, STORE_PAGES_JOURNAL, &other, &err), -EEXIST);
	CU_ASSERT_PTR_NULL(other);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	CU_ASSERT_EQUAL(count_entries(store), 1);
	store_close(store);
}

static void what_is_no_run_file_is_refused(void)
{
	static const char *const contents[] = {"", "hello, this is a text and no database", NULL};
	struct store *store = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(store_open("/nonexistent/run.db", true, &store, &err), -ENOENT);
	for (size_t i = 0; contents[i]; i++) {
		FILE *f;

		store_close(fresh());
		f = fopen(path, "w");
		fputs(contents[i], f);
		fclose(f);
		CU_ASSERT_EQUAL(store_open(path, false, &store, &err), -EBADMSG);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not a run or recording"));
	}
	store_close(fresh());
	run_sql("UPDATE meta SET value = '1' WHERE key = 'format'");
	CU_ASSERT_EQUAL(store_open(path, true, &store, &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "format 1, this program reads format 2"));
	CU_ASSERT_PTR_NULL(store);
}

static void a_file_opened_for_reading_cannot_be_written(void)
{
	struct store *store = fresh();
	struct err err = {""};

	store_close(store);
	store = reopen(true);
	CU_ASSERT_EQUAL(append(store, "x", 0, &err), -EACCES);
	CU_ASSERT(err.text[0]);
	CU_ASSERT_EQUAL(count_entries(store), 0);
	store_close(store);
}

static void what_was_not_committed_is_gone_after_closing(void)
{
	struct store *store = fresh();

	append(store, "x", 0, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	append(store, "x", 1, NULL);
	CU_ASSERT_EQUAL(count_entries(store), 2);
	store_close(store);
	store = reopen(false);
	CU_ASSERT_EQUAL(count_entries(store), 1);
	append(store, "x", 1, NULL);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	CU_ASSERT_EQUAL(count_entries(store), 2);
	store_close(store);
}

/* Writes pairs of entries, commits each pair and then says so, until it is killed. */
static void write_pairs(int fd)
{
	struct store *store = NULL;

	if (store_open(path, false, &store, NULL) < 0)
		_exit(1);
	for (int64_t n = 0;; n += 2) {
		if (append(store, "x", n, NULL) < 0 || append(store, "x", n + 1, NULL) < 0 ||
		    store_commit(store, NULL) < 0 || write(fd, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

static void committed_entries_survive_kill_9(void)
{
	for (int64_t after = 0; after < 80; after += 13) {
		int64_t said = -2, got;
		int fds[2], status;
		pid_t pid;
		struct store *store;

		store_close(fresh());
		CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
		pid = fork();
		if (pid == 0)
			write_pairs(fds[1]);
		close(fds[1]);
		while (said < after && read(fds[0], &said, sizeof(said)) == sizeof(said))
			;
		usleep((useconds_t)after * 37); /* somewhere within a later transaction */
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		CU_ASSERT_TRUE(WIFSIGNALED(status));
		while (read(fds[0], &got, sizeof(got)) == sizeof(got))
			said = got;
		close(fds[0]);
		store = reopen(false);
		got = count_entries(store);
		/* All that was reported, whole pairs, and at most the one that was not reported
		 * yet. */
		CU_ASSERT(got >= said + 2 && got <= said + 4 && got % 2 == 0);
		CU_ASSERT_EQUAL(append(store, "x", got, NULL), 0);
		CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
		store_close(store);
	}
}

/* In a child, whose files may not grow past a limit: 0 if all is as it should be. */
static int fill_the_disk(void)
{
	struct rlimit limit = {.rlim_cur = 300000, .rlim_max = 300000};
	struct store *store = NULL;
	struct err err = {""};
	int64_t n = 0, committed = 0;
	struct count c = {.in_order = true};
	int r = store_open(path, false, &store, NULL);

	signal(SIGXFSZ, SIG_IGN);
	if (r < 0 || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	while (r == 0 && n < 100000) {
		r = append(store, "x", n, &err);
		if (r == 0 && ++n % 10 == 0 && (r = store_commit(store, &err)) == 0)
			committed = n;
	}
	if (r != -ENOSPC || !strstr(err.text, "no space left") || !strstr(err.text, path))
		return 2;
	/* What was committed is still there for the process that failed. */
	if (store_each_entry(store, count_one, &c, NULL) != 0 || !c.in_order || c.n != committed)
		return 3;
	store_close(store);
	return committed > 100 ? 100 : 4;
}

static void a_full_disk_is_named_and_costs_no_committed_entry(void)
{
	struct store *store;
	int status = 0;
	int64_t n;
	pid_t pid;

	store_close(fresh());
	pid = fork();
	if (pid == 0)
		_exit(fill_the_disk());
	waitpid(pid, &status, 0);
	CU_ASSERT_TRUE(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 100);
	store = reopen(false);
	n = count_entries(store);
	CU_ASSERT(n > 100 && n % 10 == 0);
	CU_ASSERT_EQUAL(append(store, "x", n, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	store_close(store);
}

static void rows_for_sql_users_keep_their_types(void)
{
	static const char *const columns[] = {"i", "r", "t", "n", "missing", NULL};
	struct store *store = fresh();
	struct msg *row = msg_object();
	sqlite3_stmt *st;
	sqlite3 *db;

	msg_set_int(row, "i", -7);
	msg_set_real(row, "r", 2.0);
	msg_set_str(row, "t", "7");
	msg_set_real(row, "n", NAN);
	CU_ASSERT_EQUAL(store_put_row(store, "cycle", columns, row, NULL), 0);
	msg_set_int(row, columns[0], -8);
	CU_ASSERT_EQUAL(store_put_row(store, "cycle", columns, row, NULL), 0);
	msg_set_str(row, "t", "8"); /* instead of the row before */
	CU_ASSERT_EQUAL(store_put_row(store, "cycle", columns, row, NULL), 0);
	CU_ASSERT_EQUAL(store_commit(store, NULL), 0);
	msg_free(row);
	store_close(store);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_prepare_v2(db, "SELECT * FROM cycle", -1, &st, NULL);
	CU_ASSERT_EQUAL(sqlite3_step(st), SQLITE_ROW);
	CU_ASSERT_EQUAL(sqlite3_column_type(st, 0), SQLITE_INTEGER);
	CU_ASSERT_EQUAL(sqlite3_column_int(st, 0), -7);
	CU_ASSERT_EQUAL(sqlite3_column_type(st, 1), SQLITE_FLOAT);
	CU_ASSERT_EQUAL(sqlite3_column_type(st, 2), SQLITE_TEXT);
	CU_ASSERT_EQUAL(sqlite3_column_type(st, 3), SQLITE_NULL);
	CU_ASSERT_EQUAL(sqlite3_column_type(st, 4), SQLITE_NULL);
	CU_ASSERT_EQUAL(sqlite3_step(st), SQLITE_ROW);
	CU_ASSERT_EQUAL(sqlite3_column_int(st, 0), -8);
	CU_ASSERT_STRING_EQUAL((const char *)sqlite3_column_text(st, 2), "8");
	CU_ASSERT_EQUAL(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static const struct unit_case cases[] = {
	{"journal entries come back as they were", journal_entries_come_back_as_they_were},
	{"samples come back bit for bit", samples_come_back_bit_for_bit},
	{"only samples of the range, segment and meter are loaded",
	 only_samples_of_the_range_segment_and_meter_are_loaded},
	{"a damaged row of samples is found and named",
	 a_damaged_row_of_samples_is_found_and_named},
	{"what lies around a damaged chunk can be read",
	 what_lies_around_a_damaged_chunk_can_be_read},
	{"blocks, channels and extents are kept", blocks_channels_and_extents_are_kept},
	{"a file that is written can be read", a_file_that_is_written_can_be_read},
	{"a damaged journal entry is found and named", a_damaged_journal_entry_is_found_and_named},
	{"meta and segments are kept", meta_and_segments_are_kept},
	{"a file that is there is not overwritten", a_file_that_is_there_is_not_overwritten},
	{"what is no run file is refused", what_is_no_run_file_is_refused},
	{"a file opened for reading cannot be written",
	 a_file_opened_for_reading_cannot_be_written},
	{"what was not committed is gone after closing",
	 what_was_not_committed_is_gone_after_closing},
	{"committed entries survive kill -9", committed_entries_survive_kill_9},
	{"a full disk is named and costs no committed entry",
	 a_full_disk_is_named_and_costs_no_committed_entry},
	{"rows for SQL users keep their types", rows_for_sql_users_keep_their_types},
};

int main(void)
{
	char command[100];
	int r;

	if (!mkdtemp(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/run.db", dir);
	r = unit_run("store", cases, UNIT_COUNT(cases));
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) == 0 ? r : 2;
}
