/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows resampled to a grid of time, window by window. A point is the reading of that moment, or lies on
 * the line between the two around it. Where a channel has no reading for ten times its mean distance
 * there is a gap, and the points in it are NaN.
 */
#ifndef COLDRIG_EXPORT_GRID_H
#define COLDRIG_EXPORT_GRID_H

#include "export_rows.h"

struct export_grid;

/* rate_hz is a whole number; window points of each channel at a time. rows are borrowed. Freed with
 * export_grid_free(). */
int export_grid_new(struct export_rows *rows, uint64_t rate_hz, size_t window,
		    struct export_grid **out, struct err *err);
void export_grid_free(struct export_grid *grid);

/* Points of each channel, in all. */
uint64_t export_grid_points(const struct export_grid *grid);

/* Makes the next window; out[c] points at the values of channel c, valid until the next call. Returns
 * their number, 0 at the end, or -errno. */
long export_grid_next(struct export_grid *grid, const float **out, struct err *err);

#endif
