/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HDF5, its only includer: a group for each channel with three datasets of the same length, time_ns,
 * error_ns and value. docs/export.md has the attributes.
 */
#include <hdf5.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"

#define ROWS_AT_ONCE 65536
#define DEFLATE	     1

/* What a channel has that was not written yet. */
struct column {
	hid_t time, error, value;
	hsize_t written;
	size_t n;
	int64_t *time_ns, *error_ns;
	double *values;
};

static int put_text(hid_t object, const char *name, const char *text)
{
	hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR), attribute;
	herr_t bad;

	bad = H5Tset_size(type, strlen(text) + 1) < 0;
	attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	bad |= attribute < 0 || H5Awrite(attribute, type, text) < 0;
	H5Aclose(attribute);
	H5Sclose(space);
	H5Tclose(type);
	return bad ? -EIO : 0;
}

/* One that grows. */
static hid_t make_dataset(hid_t group, const char *name, hid_t type, const char *unit)
{
	hsize_t none = 0, most = H5S_UNLIMITED, chunk = ROWS_AT_ONCE;
	hid_t space = H5Screate_simple(1, &none, &most), layout = H5Pcreate(H5P_DATASET_CREATE);
	hid_t set = H5I_INVALID_HID;

	if (H5Pset_chunk(layout, 1, &chunk) >= 0 && H5Pset_shuffle(layout) >= 0 &&
	    H5Pset_deflate(layout, DEFLATE) >= 0)
		set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
	if (set >= 0 && put_text(set, "unit", unit) < 0) {
		H5Dclose(set);
		set = H5I_INVALID_HID;
	}
	H5Pclose(layout);
	H5Sclose(space);
	return set;
}

/* A name of HDF5 has no slash in it. */
static void group_name(const struct export_rows *rows, size_t i, char out[static EXPORT_NAME_SIZE])
{
	export_rows_name(rows, i, out);
	for (char *at = out; (at = strchr(at, '/')); at++)
		*at = '_';
}

/* "P/1" and "P_1" would be one group: the later one gets another "_". */
static void make_unique(hid_t file, char name[static EXPORT_NAME_SIZE])
{
	size_t n = strlen(name);

	while (n < EXPORT_NAME_SIZE - 1 && H5Lexists(file, name, H5P_DEFAULT) > 0) {
		name[n++] = '_';
		name[n] = '\0';
	}
}

static int open_column(hid_t file, const struct export_rows *rows, size_t i, struct column *c)
{
	size_t n;
	const char *unit = export_rows_columns(rows, &n)[i].unit;
	char name[EXPORT_NAME_SIZE];
	hid_t group;
	int r = 0;

	group_name(rows, i, name);
	c->time_ns = malloc(ROWS_AT_ONCE * sizeof(*c->time_ns));
	c->error_ns = malloc(ROWS_AT_ONCE * sizeof(*c->error_ns));
	c->values = malloc(ROWS_AT_ONCE * sizeof(*c->values));
	if (!c->time_ns || !c->error_ns || !c->values)
		return -ENOMEM;
	make_unique(file, name);
	group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	c->time = make_dataset(group, "time_ns", H5T_STD_I64LE, "ns");
	c->error = make_dataset(group, "error_ns", H5T_STD_I64LE, "ns");
	c->value = make_dataset(group, "value", H5T_IEEE_F64LE, unit);
	if (group < 0 || c->time < 0 || c->error < 0 || c->value < 0)
		r = -EIO;
	if (r == 0)
		r = put_text(c->time, "clock", "UTC since 1970-01-01, by the controller");
	H5Gclose(group);
	return r;
}

static int append(hid_t set, hid_t type, const void *from, hsize_t at, hsize_t n)
{
	hsize_t size = at + n;
	hid_t space, memory;
	int r = -EIO;

	if (H5Dset_extent(set, &size) < 0)
		return -EIO;
	space = H5Dget_space(set);
	memory = H5Screate_simple(1, &n, NULL);
	if (H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, NULL, &n, NULL) >= 0 &&
	    H5Dwrite(set, type, memory, space, H5P_DEFAULT, from) >= 0)
		r = 0;
	H5Sclose(memory);
	H5Sclose(space);
	return r;
}

static int flush_column(struct column *c)
{
	int r = 0;

	if (c->n)
		r = append(c->time, H5T_NATIVE_INT64, c->time_ns, c->written, c->n);
	if (r == 0 && c->n)
		r = append(c->error, H5T_NATIVE_INT64, c->error_ns, c->written, c->n);
	if (r == 0 && c->n)
		r = append(c->value, H5T_NATIVE_DOUBLE, c->values, c->written, c->n);
	c->written += c->n;
	c->n = 0;
	return r;
}

static int take_row(struct column *columns, const struct export_row *row)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < row->n; i++) {
		struct column *c = &columns[row->cells[i].column];

		c->time_ns[c->n] = row->utc_ns;
		c->error_ns[c->n] = row->error_ns;
		c->values[c->n++] = row->cells[i].value;
		if (c->n == ROWS_AT_ONCE)
			r = flush_column(c);
	}
	return r;
}

static int close_column(struct column *c)
{
	int r = flush_column(c);

	H5Dclose(c->time);
	H5Dclose(c->error);
	H5Dclose(c->value);
	free(c->time_ns);
	free(c->error_ns);
	free(c->values);
	return r;
}

/* -EIO without words is HDF5's. */
static int write_columns(hid_t file, struct export_rows *rows, struct column *columns, size_t n,
			 struct err *err)
{
	struct export_row row;
	size_t opened = 0;
	int r = 0, more = 0;

	while (r == 0 && opened < n) {
		r = open_column(file, rows, opened, &columns[opened]);
		opened++;
	}
	while (r == 0 && (more = export_rows_next(rows, &row, err)) > 0)
		r = take_row(columns, &row);
	if (r == 0)
		r = more;
	for (size_t i = 0; i < opened; i++) {
		int closed = close_column(&columns[i]);

		r = r < 0 ? r : closed;
	}
	return r;
}

static int hdf5_write(struct export_rows *rows, double rate_hz, const char *path, struct err *err)
{
	size_t n;
	struct column *columns;
	hid_t file;
	int r;

	(void)rate_hz;
	export_rows_columns(rows, &n);
	columns = calloc(n, sizeof(*columns));
	if (!columns)
		return err_set(err, -ENOMEM, "no memory");
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* it prints a stack of its own */
	file = H5Fcreate(path, H5F_ACC_EXCL, H5P_DEFAULT, H5P_DEFAULT);
	if (file < 0) {
		free(columns);
		return err_set(err, -EIO, "%s: HDF5 cannot make it", path);
	}
	r = put_text(file, "source", "coldrig");
	if (r == 0)
		r = write_columns(file, rows, columns, n, err);
	if (H5Fclose(file) < 0 && r == 0)
		r = -EIO;
	if (r < 0 && !err->text[0])
		err_set(err, r, "%s: HDF5 cannot write: %s", path,
			r == -EIO ? "is the disk full?" : strerror(-r));
	free(columns);
	return r;
}

const struct export_format export_hdf5 = {"hdf5", ".h5", false, hdf5_write};
