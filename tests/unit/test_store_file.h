/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run file to be filled, damaged and read back, for the tests of the store. */
#ifndef COLDRIG_TEST_STORE_FILE_H
#define COLDRIG_TEST_STORE_FILE_H

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store.h"
#include "test_run_file.h"
#include "unit.h"

static inline struct store *fresh(void)
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

static inline struct store *reopen(bool read_only)
{
	struct store *store = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(store_open(path, read_only, &store, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(store);
	return store;
}

static inline int append(struct store *store, const char *kind, int64_t n, struct err *err)
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

static inline int count_one(void *context, const struct store_entry *entry)
{
	struct count *c = context;

	c->in_order &= entry->cycle == c->n && msg_get_int(entry->body, "n", -1) == c->n;
	c->n++;
	return 0;
}

static inline int64_t count_entries(struct store *store)
{
	struct count c = {.in_order = true};

	CU_ASSERT_EQUAL(store_each_entry(store, count_one, &c, NULL), 0);
	CU_ASSERT_TRUE(c.in_order);
	return c.n;
}

static inline void run_sql(const char *sql)
{
	sqlite3 *db;

	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

#endif
