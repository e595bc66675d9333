/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "export_grid.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAP_DISTANCES 10

struct line {
	int64_t t_ns; /* of the latest reading */
	double value;
	bool any;
	int64_t gap_ns; /* readings this far apart have nothing between them */
	size_t gap;	/* where its meter's gaps are looked at */
	uint64_t next;	/* point to be made */
	float *points;	/* from grid->begin on */
};

struct export_grid {
	struct export_rows *rows;
	struct meter_block time; /* for the moments of points */
	uint64_t total, begin;	 /* points in all; the first of the window */
	size_t window, room;	 /* a channel may be ahead of another by room - window points */
	size_t lines_n;
	struct export_row row; /* read already, if has_row: too late for the window before */
	bool has_row, ended;
	struct line lines[];
};

static int64_t point_ns(const struct export_grid *g, uint64_t point)
{
	return meter_block_time_ns(&g->time, point);
}

static int64_t gap_ns(double rate_hz)
{
	return rate_hz > 0 ? (int64_t)(GAP_DISTANCES * 1e9 / rate_hz) + 1 : 1;
}

static int make_lines(struct export_grid *g)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < g->lines_n; i++) {
		g->lines[i].gap_ns = gap_ns(export_rows_rate(g->rows, i));
		if (g->lines[i].gap_ns > longest_ns)
			longest_ns = g->lines[i].gap_ns;
	}
	g->room = g->window + (size_t)((double)longest_ns * 1e-9 * (double)g->time.rate_hz) + 2;
	for (size_t i = 0; i < g->lines_n; i++) {
		g->lines[i].points = malloc(g->room * sizeof(float));
		if (!g->lines[i].points)
			return -ENOMEM;
	}
	return 0;
}

/* Times are rounded in the file, so the first row may be beside the begin that is told of it. */
static int begin_with_first_row(struct export_grid *g, struct err *err)
{
	int r = export_rows_next(g->rows, &g->row, err);

	g->has_row = r > 0;
	g->ended = r == 0;
	if (g->has_row && llabs(g->row.utc_ns - g->time.start_ns) <= g->row.error_ns)
		g->time.start_ns = g->row.utc_ns;
	return r < 0 ? r : 0;
}

int export_grid_new(struct export_rows *rows, uint64_t rate_hz, size_t window,
		    struct export_grid **out, struct err *err)
{
	struct export_extent extent;
	struct export_grid *g;
	size_t n;
	double span;
	int r;

	export_rows_columns(rows, &n);
	export_rows_extent(rows, &extent);
	g = calloc(1, sizeof(*g) + n * sizeof(g->lines[0]));
	if (!g)
		return err_set(err, -ENOMEM, "no memory");
	g->rows = rows;
	g->lines_n = n;
	g->window = window;
	g->time = (struct meter_block){.rate_hz = rate_hz, .start_ns = extent.t0_ns};
	r = begin_with_first_row(g, err);
	span = (double)(extent.t1_ns - g->time.start_ns) * 1e-9 * (double)rate_hz;
	g->total = g->has_row ? (uint64_t)llround(floor(fmax(span, 0) + 1e-3)) + 1 : 0;
	if (r == 0 && make_lines(g) < 0)
		r = err_set(err, -ENOMEM, "no memory for %zu points of %zu channels", window, n);
	if (r < 0) {
		export_grid_free(g);
		return r;
	}
	*out = g;
	return 0;
}

void export_grid_free(struct export_grid *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->lines_n; i++)
		free(g->lines[i].points);
	free(g);
}

uint64_t export_grid_points(const struct export_grid *g)
{
	return g->total;
}

/* Points up to a moment, that moment included. */
static void draw(struct export_grid *g, struct line *l, int64_t t_ns, double value, bool joined)
{
	for (int64_t at_ns; l->next < g->total && l->next < g->begin + g->room &&
			    (at_ns = point_ns(g, l->next)) <= t_ns;
	     l->next++) {
		double y = value;

		if (at_ns != t_ns && joined)
			y = l->value + (value - l->value) * (double)(at_ns - l->t_ns) /
					       (double)(t_ns - l->t_ns);
		else if (at_ns != t_ns)
			y = NAN;
		l->points[l->next - g->begin] = (float)y;
	}
}

static void take_cell(struct export_grid *g, const struct export_row *row,
		      const struct export_cell *cell)
{
	struct line *l = &g->lines[cell->column];
	bool joined = l->any && row->utc_ns - l->t_ns <= l->gap_ns &&
		      !export_rows_is_gap(g->rows, cell->column, l->t_ns, row->utc_ns, &l->gap);

	draw(g, l, row->utc_ns, cell->value, joined);
	l->t_ns = row->utc_ns;
	l->value = cell->value;
	l->any = true;
}

/* A channel that has nothing up to a moment that late has a gap there. */
static void close_gaps(struct export_grid *g, int64_t now_ns)
{
	for (size_t i = 0; i < g->lines_n; i++) {
		struct line *l = &g->lines[i];

		if (!l->any || now_ns - l->t_ns > l->gap_ns)
			draw(g, l, now_ns - l->gap_ns, NAN, false);
	}
}

/* Or leaves it, if it is so late that all channels have a gap until after the window. */
static void take_row(struct export_grid *g)
{
	close_gaps(g, g->row.utc_ns);
	g->has_row = point_ns(g, g->begin + g->room - 1) < g->row.utc_ns;
	for (size_t i = 0; !g->has_row && i < g->row.n; i++)
		take_cell(g, &g->row, &g->row.cells[i]);
}

static bool is_full(const struct export_grid *g, uint64_t end)
{
	for (size_t i = 0; i < g->lines_n; i++) {
		if (g->lines[i].next < end)
			return false;
	}
	return true;
}

static void slide(struct export_grid *g)
{
	uint64_t by = g->lines[0].next - g->begin;

	by = by < g->window ? by : g->window;
	for (size_t i = 0; i < g->lines_n; i++) {
		struct line *l = &g->lines[i];
		uint64_t have = l->next - g->begin;

		if (have > by)
			memmove(l->points, l->points + by, (have - by) * sizeof(float));
	}
	g->begin += by;
}

long export_grid_next(struct export_grid *g, const float **out, struct err *err)
{
	uint64_t end;
	int r = 1;

	slide(g);
	end = g->begin + g->window < g->total ? g->begin + g->window : g->total;
	while (!g->ended && !is_full(g, end)) {
		r = g->has_row ? 1 : export_rows_next(g->rows, &g->row, err);
		if (r < 0)
			return r;
		g->ended = r == 0;
		if (!g->ended)
			take_row(g);
	}
	for (size_t i = 0; i < g->lines_n; i++) {
		if (g->ended)
			draw(g, &g->lines[i], INT64_MAX, NAN, false);
		out[i] = g->lines[i].points;
	}
	return (long)(end - g->begin);
}
