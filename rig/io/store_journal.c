/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int store_append(struct store *store, struct store_entry *entry, struct err *err)
{
	static const char sql[] = "INSERT INTO journal(segment, t_ns, arm, cycle, kind, body)"
				  " VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
	sqlite3_stmt *st;
	char *body = entry->body ? msg_dump(entry->body) : NULL;
	int r = store_begin(store, err);

	if (r == 0) {
		st = store_statement(store, STORE_APPEND, sql);
		sqlite3_bind_int(st, 1, entry->segment);
		sqlite3_bind_int64(st, 2, entry->t_ns);
		if (entry->arm >= 0)
			sqlite3_bind_int(st, 3, entry->arm);
		if (entry->cycle >= 0)
			sqlite3_bind_int64(st, 4, entry->cycle);
		sqlite3_bind_text(st, 5, entry->kind, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 6, body, -1, SQLITE_STATIC);
		r = store_step_done(store, st, "cannot write the journal", err);
		entry->seq = sqlite3_last_insert_rowid(store->db);
	}
	free(body);
	return r;
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
		return store_fail(store, "cannot read the journal", err);
	while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = read_entry(st, callback, context, store, err);
	if (r == 0 && rc != SQLITE_DONE)
		r = store_fail(store, "cannot read the journal", err);
	sqlite3_finalize(st);
	return r;
}
