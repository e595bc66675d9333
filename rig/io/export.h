/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats that runs and recordings are exported to: each file export_FORMAT.c is one. */
#ifndef COLDRIG_EXPORT_H
#define COLDRIG_EXPORT_H

#include <stdbool.h>

#include "err.h"
#include "export_rows.h"

struct export_format {
	const char *name;
	const char *suffix;
	bool needs_rate; /* a grid of time; others keep the times as they are */
	/* Writes all rows to a new file. rate_hz is that of the grid; 0: as the fastest channel. */
	int (*write)(struct export_rows *rows, double rate_hz, const char *path, struct err *err);
};

extern const struct export_format export_csv, export_hdf5, export_sr;

#endif
