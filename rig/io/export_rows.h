/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The samples of a run or recording as rows in the order of time, over all meters and segments: what
 * every export is made of.
 */
#ifndef COLDRIG_EXPORT_ROWS_H
#define COLDRIG_EXPORT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "store.h"

#define EXPORT_COLUMNS_MAX 256

struct export_cell {
	size_t column;
	double value;
};

/* What was sampled at one moment. */
struct export_row {
	int64_t utc_ns;	      /* since 1970, by the pair of clocks of the segment's begin */
	int64_t monotonic_ns; /* of the segment's CLOCK_MONOTONIC */
	int64_t error_ns;     /* of monotonic_ns */
	size_t n;
	struct export_cell cells[EXPORT_COLUMNS_MAX];
};

struct export_rows;

/*
 * from_ns and to_ns count from the first sample of all. The store is borrowed. Freed with
 * export_rows_close(). -ENODATA if there is no sample.
 */
int export_rows_open(struct store *store, int64_t from_ns, int64_t to_ns, struct export_rows **out,
		     struct err *err);
void export_rows_close(struct export_rows *rows);

/* A channel each; valid until closed. */
const struct store_channel *export_rows_columns(const struct export_rows *rows, size_t *n);

/* "P1", or "METER.P1" if the file has several meters. */
#define EXPORT_NAME_SIZE 128
void export_rows_name(const struct export_rows *rows, size_t column,
		      char out[static EXPORT_NAME_SIZE]);

/* What stands behind a name; "" for plain numbers. */
const char *export_rows_unit(const struct export_rows *rows, size_t column);

struct export_extent {
	int64_t t0_ns, t1_ns; /* UTC of the first and the last row, as asked for */
	double rate_hz;	      /* of the channel that has most */
};

void export_rows_extent(const struct export_rows *rows, struct export_extent *out);

/* Readings a second of a channel, on the average over the time in which its meter was there; what its
 * driver says if it has blocks. */
double export_rows_rate(const struct export_rows *rows, size_t column);

/* Whether the channel's meter was lost at some time between two moments of UTC. *at says where to look
 * on: 0 at first, and then with later moments. */
bool export_rows_is_gap(const struct export_rows *rows, size_t column, int64_t from_ns,
			int64_t to_ns, size_t *at);

/* 1: a row; 0: the end; else -errno. Chunks that are damaged are left out and counted. */
int export_rows_next(struct export_rows *rows, struct export_row *row, struct err *err);

/* How many were, and what the first was. */
size_t export_rows_damaged(const struct export_rows *rows, const char **first);

#endif
