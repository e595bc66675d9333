/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sigrok's session file, version 2, as sigrok-cli and PulseView open it: a zip archive, through libzip,
 * its only includer. libsigrok's own writer makes the archive anew for each packet, and loses units.
 */
#include <zip.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "export_grid.h"

#define WINDOW 262144 /* values in a file of the archive: PulseView is slow with many small ones */
#define LEVEL  1

/* The archive asks for its files one after the other when it is closed: windows are made then. */
struct session {
	struct export_grid *grid;
	const float *points[EXPORT_COLUMNS_MAX];
	long window; /* which is made, -1: none yet */
	long points_n;
	struct err *err;
	int code; /* of what went wrong in a window */
};

struct part {
	struct session *session;
	long window;
	size_t column;
	zip_uint64_t bytes, read;
	zip_error_t error;
};

static zip_int64_t part_open(struct part *part)
{
	struct session *s = part->session;

	while (s->window < part->window && s->code == 0) {
		s->points_n = export_grid_next(s->grid, s->points, s->err);
		s->code = s->points_n < 0 ? (int)s->points_n : 0;
		s->window++;
	}
	part->read = 0;
	if (s->code == 0 && s->window == part->window &&
	    (zip_uint64_t)s->points_n * sizeof(float) == part->bytes)
		return 0;
	zip_error_set(&part->error, ZIP_ER_INTERNAL, 0);
	return -1;
}

static zip_int64_t part_read(struct part *part, void *data, zip_uint64_t size)
{
	zip_uint64_t left = part->bytes - part->read;

	size = size < left ? size : left;
	memcpy(data, (const char *)part->session->points[part->column] + part->read, size);
	part->read += size;
	return (zip_int64_t)size;
}

static zip_int64_t part_stat(const struct part *part, void *data)
{
	zip_stat_t *stat = data;

	zip_stat_init(stat);
	stat->valid = ZIP_STAT_SIZE;
	stat->size = part->bytes;
	return sizeof(*stat);
}

static zip_int64_t part_command(void *context, void *data, zip_uint64_t size,
				zip_source_cmd_t command)
{
	struct part *part = context;

	switch (command) {
	case ZIP_SOURCE_OPEN:
		return part_open(part);
	case ZIP_SOURCE_READ:
		return part_read(part, data, size);
	case ZIP_SOURCE_CLOSE:
		return 0;
	case ZIP_SOURCE_STAT:
		return part_stat(part, data);
	case ZIP_SOURCE_ERROR:
		return zip_error_to_data(&part->error, data, size);
	case ZIP_SOURCE_FREE:
		free(part);
		return 0;
	case ZIP_SOURCE_SUPPORTS:
		return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ,
						      ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
						      ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
	default:
		zip_error_set(&part->error, ZIP_ER_OPNOTSUPP, 0);
		return -1;
	}
}

/* Takes the source over. */
static bool add_source(zip_t *zip, const char *name, zip_source_t *source)
{
	zip_int64_t index;

	if (!source)
		return false;
	index = zip_file_add(zip, name, source, 0);
	if (index < 0) {
		zip_source_free(source);
		return false;
	}
	return zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_DEFLATE, LEVEL) == 0;
}

static bool add_text(zip_t *zip, const char *name, char *text)
{
	return text && add_source(zip, name, zip_source_buffer(zip, text, strlen(text), 1));
}

static bool add_part(zip_t *zip, struct session *session, long window, size_t column, size_t n)
{
	struct part *part = calloc(1, sizeof(*part));
	zip_source_t *source;
	char name[64];

	if (!part)
		return false;
	*part = (struct part){
		.session = session, .window = window, .column = column, .bytes = n * sizeof(float)};
	zip_error_init(&part->error);
	snprintf(name, sizeof(name), "analog-1-%zu-%ld", column + 1, window + 1);
	source = zip_source_function(zip, part_command, part);
	if (!source)
		free(part);
	return add_source(zip, name, source);
}

/* A GLib key file; a line's end in a name would be another key. */
static char *metadata(const struct export_rows *rows, uint64_t rate_hz)
{
	char *text = NULL, name[EXPORT_NAME_SIZE];
	size_t size, n;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	export_rows_columns(rows, &n);
	fprintf(file,
		"[global]\nsigrok version=0.5.2\n\n[device 1]\nsamplerate=%" PRIu64
		"\ntotal analog=%zu\n",
		rate_hz, n);
	for (size_t i = 0; i < n; i++) {
		export_rows_name(rows, i, name);
		name[strcspn(name, "\r\n\\")] = 0;
		fprintf(file, "analog%zu=%s", i + 1, name);
		if (*export_rows_unit(rows, i))
			fprintf(file, " [%s]", export_rows_unit(rows, i));
		putc('\n', file);
	}
	fclose(file);
	return text;
}

static bool add_all(zip_t *zip, struct session *session, const struct export_rows *rows,
		    uint64_t rate_hz)
{
	uint64_t total = export_grid_points(session->grid), done = 0;
	size_t n;
	bool ok = add_text(zip, "version", strdup("2")) &&
		  add_text(zip, "metadata", metadata(rows, rate_hz));

	export_rows_columns(rows, &n);
	for (long window = 0; ok && done < total; window++) {
		size_t now = total - done < WINDOW ? (size_t)(total - done) : WINDOW;

		for (size_t i = 0; ok && i < n; i++)
			ok = add_part(zip, session, window, i, now);
		done += now;
	}
	return ok;
}

static int sr_fill(zip_t *zip, struct session *session, const struct export_rows *rows,
		   uint64_t rate_hz, const char *path)
{
	int r = 0;

	if (!add_all(zip, session, rows, rate_hz)) {
		r = err_set(session->err, -ENOMEM, "%s: %s", path, zip_strerror(zip));
		zip_discard(zip);
	} else if (zip_close(zip) < 0) {
		r = session->code < 0 ? session->code
				      : err_set(session->err, -ENOSPC, "%s: cannot write: %s", path,
						zip_strerror(zip));
		zip_discard(zip);
	}
	return r;
}

static int sr_write(struct export_rows *rows, double rate_hz, const char *path, struct err *err)
{
	struct session session = {.window = -1, .err = err};
	struct export_extent extent;
	zip_t *zip;
	int r, code = 0;

	export_rows_extent(rows, &extent);
	if (!(rate_hz > 0))
		rate_hz = extent.rate_hz - 1e-6;
	rate_hz = rate_hz > 1 ? ceil(rate_hz) : 1; /* sigrok has no fractions of a hertz */
	r = export_grid_new(rows, (uint64_t)rate_hz, WINDOW, &session.grid, err);
	if (r < 0)
		return r;
	zip = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
	if (zip)
		r = sr_fill(zip, &session, rows, (uint64_t)rate_hz, path);
	else
		r = err_set(err, -EIO, "%s: cannot make it", path);
	export_grid_free(session.grid);
	return r;
}

const struct export_format export_sr = {"sr", ".sr", true, sr_write};
