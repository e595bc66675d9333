/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_parts.h"

#include <stdio.h>
#include <string.h>

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
	int r = store_begin(store, err);

	if (r < 0)
		return r;
	snprintf(sql, sizeof(sql), "CREATE TABLE IF NOT EXISTS %s ", table);
	list_columns(sql, sizeof(sql), columns, "%s%s");
	r = store_run_sql(store, sql, "cannot make a table", err);
	if (r < 0)
		return r;
	snprintf(sql, sizeof(sql), "CREATE UNIQUE INDEX IF NOT EXISTS %s_key ON %s (%s)", table,
		 table, columns[0]);
	r = store_run_sql(store, sql, "cannot make an index", err);
	if (r < 0)
		return r;
	snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO %s VALUES ", table);
	list_columns(sql, sizeof(sql), columns, "%s:%s");
	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) != SQLITE_OK)
		return store_fail(store, "cannot write results", err);
	for (int i = 0; columns[i]; i++)
		bind_member(st, i + 1, row, columns[i]);
	r = store_step_done(store, st, "cannot write results", err);
	sqlite3_finalize(st);
	return r;
}
