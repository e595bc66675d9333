/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store_parts.h"

#include <stdlib.h>
#include <string.h>

int store_put_channel(struct store *store, int meter, const char *meter_name, uint32_t channel,
		      const char *name, const char *unit, struct err *err)
{
	static const char sql[] = "INSERT OR REPLACE INTO channel VALUES(?1, ?2, ?3, ?4, ?5)";
	sqlite3_stmt *st;
	int r = store_begin(store, err);

	if (r < 0)
		return r;
	st = store_statement(store, STORE_CHANNEL, sql);
	sqlite3_bind_int(st, 1, meter);
	sqlite3_bind_int64(st, 2, channel);
	sqlite3_bind_text(st, 3, meter_name, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, unit, -1, SQLITE_STATIC);
	return store_step_done(store, st, "cannot write", err);
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
		r = store_fail(store, "cannot read channels", err);
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
