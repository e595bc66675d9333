/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comma-separated values, RFC 4180: a line for each moment, a column for each channel. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"

static void put_name(FILE *file, const char *name, const char *unit)
{
	bool quote = strpbrk(name, ",\"\r\n") != NULL;

	fputs(quote ? ",\"" : ",", file);
	for (; *name; name++) {
		if (*name == '"')
			putc('"', file);
		putc(*name, file);
	}
	if (*unit)
		fprintf(file, "_%s", unit);
	if (quote)
		putc('"', file);
}

static void put_header(FILE *file, const struct export_rows *rows)
{
	char name[EXPORT_NAME_SIZE];
	size_t n;

	export_rows_columns(rows, &n);
	fputs("utc_s,monotonic_s,error_s", file);
	for (size_t i = 0; i < n; i++) {
		export_rows_name(rows, i, name);
		put_name(file, name, export_rows_unit(rows, i));
	}
	putc('\n', file);
}

static void put_seconds(FILE *file, int64_t t_ns)
{
	uint64_t size = t_ns < 0 ? -(uint64_t)t_ns : (uint64_t)t_ns;

	fprintf(file, "%s%" PRIu64 ".%09" PRIu64, t_ns < 0 ? "-" : "", size / 1000000000,
		size % 1000000000);
}

/* As short as comes back to the same value; what is no number is left empty. */
static void put_value(FILE *file, double value)
{
	bool is_float = (double)(float)value == value;
	char text[32];

	putc(',', file);
	if (value != value)
		return;
	snprintf(text, sizeof(text), "%.*g", is_float ? 6 : 15, value);
	if (is_float ? strtof(text, NULL) != (float)value : strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.*g", is_float ? 9 : 17, value);
	fputs(text, file);
}

static void put_row(FILE *file, const struct export_row *row, size_t columns_n)
{
	put_seconds(file, row->utc_ns);
	putc(',', file);
	put_seconds(file, row->monotonic_ns);
	putc(',', file);
	put_seconds(file, row->error_ns);
	for (size_t column = 0; column < columns_n; column++) {
		const struct export_cell *cell = NULL;

		for (size_t i = 0; i < row->n; i++) {
			if (row->cells[i].column == column)
				cell = &row->cells[i];
		}
		if (cell)
			put_value(file, cell->value);
		else
			putc(',', file);
	}
	putc('\n', file);
}

static int csv_write(struct export_rows *rows, double rate_hz, const char *path, struct err *err)
{
	FILE *file = fopen(path, "wxe");
	struct export_row row;
	size_t columns_n;
	int r;

	(void)rate_hz;
	if (!file)
		return err_set(err, -errno, "%s: cannot make it: %s", path, strerror(errno));
	export_rows_columns(rows, &columns_n);
	put_header(file, rows);
	while ((r = export_rows_next(rows, &row, err)) > 0 && !ferror(file))
		put_row(file, &row, columns_n);
	if (ferror(file) | fclose(file))
		return err_set(err, -ENOSPC, "%s: cannot write: %s", path, strerror(errno));
	return r;
}

const struct export_format export_csv = {"csv", ".csv", false, csv_write};
