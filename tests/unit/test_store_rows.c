/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "test_store_file.h"

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
	{"rows for SQL users keep their types", rows_for_sql_users_keep_their_types},
};

int main(void)
{
	return run_file_run("store_rows", cases, UNIT_COUNT(cases));
}
