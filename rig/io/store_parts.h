/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a store, for store.c, which has the file, and for those that each have some of its
 * tables: store_journal.c, store_channels.c, store_samples.c, store_rows.c. SQLite's only includer.
 */
#ifndef COLDRIG_STORE_PARTS_H
#define COLDRIG_STORE_PARTS_H

#include <sqlite3.h>

#include "store.h"

/* Those that are run by the thousand, and are prepared once. */
enum store_statement { STORE_APPEND, STORE_SAMPLES, STORE_CHANNEL, STORE_STATEMENTS };

struct store {
	char *path;
	sqlite3 *db;
	sqlite3_stmt *st[STORE_STATEMENTS];
	bool open_transaction;
	bool is_writer;
};

/* Forms the error of a failed call and throws the open transaction away. */
int store_fail(struct store *store, const char *what, struct err *err);

int store_run_sql(struct store *store, const char *sql, const char *what, struct err *err);

/* Begins a transaction if none is open. */
int store_begin(struct store *store, struct err *err);

/* Prepared from sql when it is first asked for, ready to be bound; the store's. */
sqlite3_stmt *store_statement(struct store *store, enum store_statement id, const char *sql);

/* Runs a statement that returns no rows, and leaves it without what was bound. */
int store_step_done(struct store *store, sqlite3_stmt *st, const char *what, struct err *err);

#endif
