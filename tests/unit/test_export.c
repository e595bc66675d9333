/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "export_grid.h"
#include "unit.h"

#define MS ((int64_t)1000000)

static char dir[] = "/tmp/coldrig-export-XXXXXX";
static char path[64], out[64];
static struct store *store;

static void begin(void)
{
	unlink(path);
	CU_ASSERT_EQUAL_FATAL(store_create(path, STORE_PAGES_CHUNKS, &store, NULL), 0);
	CU_ASSERT_EQUAL(store_begin_segment(store, "test", NULL), 1);
}

static void put(int meter, int64_t t_ns, uint32_t channel, double value)
{
	const struct meter_sample sample = {
		.t_ns = t_ns, .error_ns = 5, .channel = channel, .value = value};

	CU_ASSERT_EQUAL(store_append_samples(store, 1, meter, &sample, 1, NULL), 0);
}

static void put_block(uint32_t channel, const float *values, uint32_t n, uint64_t first)
{
	const struct meter_block block = {
		.channel = channel, .n = n, .rate_hz = 1000, .first = first, .start_ns = 50};
	uint8_t *packed = malloc(chunk_block_bound(n));
	size_t packed_n = chunk_pack_block(&block, values, packed);

	CU_ASSERT_EQUAL(store_append_block(store, 1, 0, &block, packed, packed_n, NULL), 0);
	free(packed);
}

static struct export_rows *open_rows(int64_t from_ns, int64_t to_ns)
{
	struct export_rows *rows = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(export_rows_open(store, from_ns, to_ns, &rows, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
	return rows;
}

static void meters_are_merged_in_the_order_of_time(void)
{
	static const struct {
		int64_t t_ns;
		size_t column;
		double value;
	} want[] = {{1000, 0, 1}, {1500, 2, 10}, {2000, 1, 2}, {2500, 2, 20}, {3000, 0, 3}};
	struct export_rows *rows;
	struct export_row row;
	char name[EXPORT_NAME_SIZE];

	begin();
	store_put_channel(store, 0, "slot", 0, "P1", "W", NULL);
	store_put_channel(store, 0, "slot", 1, "P2", "W", NULL);
	store_put_channel(store, 4, "wall", 7, "P", "W", NULL);
	put(4, 1500, 7, 10);
	put(4, 2500, 7, 20);
	put(0, 1000, 0, 1);
	put(0, 2000, 1, 2);
	put(0, 3000, 0, 3);
	rows = open_rows(0, INT64_MAX);
	export_rows_name(rows, 2, name);
	CU_ASSERT_STRING_EQUAL(name, "wall.P");
	for (size_t i = 0; i < UNIT_COUNT(want); i++) {
		CU_ASSERT_EQUAL_FATAL(export_rows_next(rows, &row, NULL), 1);
		CU_ASSERT(row.monotonic_ns == want[i].t_ns && row.n == 1 && row.error_ns == 5);
		CU_ASSERT(row.cells[0].column == want[i].column &&
			  row.cells[0].value == want[i].value);
	}
	CU_ASSERT_EQUAL(export_rows_next(rows, &row, NULL), 0);
	CU_ASSERT_EQUAL(export_rows_next(rows, &row, NULL), 0);
	export_rows_close(rows);
	store_close(store);
}

static void from_and_to_count_from_the_first_sample(void)
{
	struct export_rows *rows;
	struct export_row row;
	size_t n = 0;

	begin();
	store_put_channel(store, 0, "m", 0, "P", "W", NULL);
	for (int64_t i = 0; i < 10; i++)
		put(0, 5000 + i * 100, 0, (double)i);
	rows = open_rows(200, 500);
	while (export_rows_next(rows, &row, NULL) > 0) {
		CU_ASSERT_EQUAL(row.cells[0].value, (double)(2 + n));
		n++;
	}
	CU_ASSERT_EQUAL(n, 4);
	export_rows_close(rows);
	store_close(store);
}

/* The grid of all windows of a file, one after the other. */
static size_t draw(uint64_t rate_hz, size_t window, float points[2][4096])
{
	struct export_rows *rows = open_rows(0, INT64_MAX);
	struct export_grid *grid = NULL;
	const float *at[EXPORT_COLUMNS_MAX];
	size_t n = 0, columns_n;
	long now;

	export_rows_columns(rows, &columns_n);
	CU_ASSERT_EQUAL_FATAL(export_grid_new(rows, rate_hz, window, &grid, NULL), 0);
	while ((now = export_grid_next(grid, at, NULL)) > 0) {
		CU_ASSERT_FATAL(n + (size_t)now <= 4096);
		for (size_t c = 0; c < columns_n && c < 2; c++)
			memcpy(points[c] + n, at[c], (size_t)now * sizeof(float));
		n += (size_t)now;
	}
	CU_ASSERT_EQUAL(now, 0);
	CU_ASSERT_EQUAL(n, export_grid_points(grid));
	export_grid_free(grid);
	export_rows_close(rows);
	return n;
}

/* A reading is kept in steps of at most a 16th of its error: here of 2^12 ns. */
static void a_first_reading_that_is_rounded_to_earlier_is_there(void)
{
	const struct meter_sample sample = {
		.t_ns = ((int64_t)1000000 << 12) + 1, .error_ns = 100000, .value = 1};
	static float points[2][4096];
	struct export_rows *rows;
	struct export_row row;

	begin();
	store_put_channel(store, 0, "slot", 0, "P1", "W", NULL);
	CU_ASSERT_EQUAL(store_append_samples(store, 1, 0, &sample, 1, NULL), 0);
	rows = open_rows(0, INT64_MAX);
	CU_ASSERT_EQUAL(export_rows_next(rows, &row, NULL), 1);
	CU_ASSERT(row.monotonic_ns < sample.t_ns);
	export_rows_close(rows);
	CU_ASSERT_EQUAL(draw(1, 4096, points), 1);
	CU_ASSERT_EQUAL(points[0][0], 1);
	store_close(store);
}

static void channels_of_blocks_share_a_row(void)
{
	static const float a[] = {1, 2}, b[] = {3, 4};
	struct export_rows *rows;
	struct export_row row;

	begin();
	store_put_channel(store, 0, "m", 0, "A", "V", NULL);
	store_put_channel(store, 0, "m", 1, "B", "V", NULL);
	put_block(0, a, 2, 0);
	put_block(1, b, 2, 0);
	put_block(0, b, 2, 2);
	put_block(1, a, 2, 2);
	rows = open_rows(0, INT64_MAX);
	CU_ASSERT_EQUAL(export_rows_rate(rows, 0), 1000);
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL_FATAL(export_rows_next(rows, &row, NULL), 1);
		CU_ASSERT(row.n == 2 && row.monotonic_ns == 50 + i * MS);
		CU_ASSERT_EQUAL(row.cells[0].value, (double)(i < 2 ? a : b)[i % 2]);
		CU_ASSERT_EQUAL(row.cells[1].value, (double)(i < 2 ? b : a)[i % 2]);
	}
	CU_ASSERT_EQUAL(export_rows_next(rows, &row, NULL), 0);
	export_rows_close(rows);
	store_close(store);
}

static void a_grid_is_exact_on_readings_straight_between_and_nan_in_gaps(void)
{
	static float points[2][4096], small[2][4096];
	size_t n, bad = 0, nans = 0;

	begin();
	store_put_channel(store, 0, "m", 0, "A", "W", NULL);
	store_put_channel(store, 0, "m", 1, "B", "W", NULL);
	/* 100 readings 10 ms apart of each, B 5 ms later; then 3 s nothing; then 100 more. */
	for (int64_t i = 0; i < 200; i++) {
		int64_t t_ns = i * 10 * MS + (i < 100 ? 0 : 3000 * MS);

		put(0, t_ns, 0, (double)i);
		put(0, t_ns + 5 * MS, 1, (double)-i);
	}
	n = draw(200, 4096, points);
	CU_ASSERT_EQUAL(n, 1000);
	for (size_t i = 0; i < n; i++) {
		bool gap = i > 198 && i < 800, is_nan = isnan(points[0][i]);
		double a = (double)i / 2 - (i < 800 ? 0 : 300);

		nans += is_nan;
		if (gap != is_nan && i < 999)
			bad++;
		else if (!is_nan && fabs((double)points[0][i] - a) > 1e-4)
			bad++;
	}
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT(nans >= 600 && nans <= 603);
	CU_ASSERT_TRUE(isnan(points[1][0])); /* B has nothing yet */
	CU_ASSERT_EQUAL(points[1][1], 0);
	CU_ASSERT_DOUBLE_EQUAL(points[1][2], -0.5, 1e-6);
	/* However it is cut. */
	for (size_t window = 1; window < 1200; window = window * 3 + 1) {
		CU_ASSERT_EQUAL(draw(200, window, small), n);
		CU_ASSERT_EQUAL(memcmp(points[0], small[0], n * sizeof(float)), 0);
		CU_ASSERT_EQUAL(memcmp(points[1], small[1], n * sizeof(float)), 0);
	}
	store_close(store);
}

static void tell(const char *event, int64_t t_ns, int64_t last_ns, int64_t gap_ns)
{
	struct msg *body = msg_object();
	struct store_entry entry = {
		.kind = "meter", .segment = 1, .arm = -1, .cycle = -1, .body = body};

	msg_set_str(body, "meter", "m");
	msg_set_str(body, "event", event);
	msg_set_int(body, "t_ns", t_ns);
	if (last_ns)
		msg_set_int(body, "last_ns", last_ns);
	if (gap_ns)
		msg_set_int(body, "gap_ns", gap_ns);
	CU_ASSERT_EQUAL(store_append(store, &entry, NULL), 0);
	msg_free(body);
}

/* Few readings, so that by their distances a loss of 5 s would be none. */
static void is_never_bridged(bool is_replay)
{
	static float points[2][4096];
	struct export_rows *rows;
	size_t n;

	begin();
	store_put_channel(store, 0, "m", 0, "A", "W", NULL);
	for (int64_t i = 0; i < 6; i++)
		put(0, 1000 * MS + i * 1000 * MS + (i < 3 ? 0 : 4000 * MS), 0, 1);
	tell("ready", 900 * MS, 0, 0);
	if (is_replay) {
		tell("note", 3000 * MS, 3000 * MS, 5000 * MS);
	} else {
		tell("lost", 3400 * MS, 3000 * MS, 0);
		tell("ready", 8000 * MS, 0, 0);
	}
	tell("ready", 20000 * MS, 0, 0); /* as in a second arm: it says nothing of the first one */
	rows = open_rows(0, INT64_MAX);
	CU_ASSERT_DOUBLE_EQUAL(export_rows_rate(rows, 0), 5.0 / 4, 1e-6);
	export_rows_close(rows);
	n = draw(2, 4096, points);
	CU_ASSERT_EQUAL(n, 19);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(isnan(points[0][i]) != 0, i > 4 && i < 14);
	store_close(store);
}

static void a_loss_in_the_journal_is_never_bridged(void)
{
	is_never_bridged(false);
	is_never_bridged(true);
}

static void a_grid_at_the_rate_of_blocks_has_their_values(void)
{
	static float values[3000], points[2][4096];

	for (size_t i = 0; i < 3000; i++)
		values[i] = (float)sin((double)i);
	begin();
	store_put_channel(store, 0, "m", 0, "A", "V", NULL);
	put_block(0, values, 1700, 0);
	put_block(0, values + 1700, 1300, 1700);
	CU_ASSERT_EQUAL(draw(1000, 999, points), 3000);
	CU_ASSERT_EQUAL(memcmp(values, points[0], sizeof(values)), 0);
	store_close(store);
}

static void a_csv_has_units_in_its_names_and_empty_cells(void)
{
	struct export_rows *rows;
	char text[512] = "", *line;
	FILE *file;

	begin();
	store_put_channel(store, 0, "m", 0, "P,1", "W", NULL);
	store_put_channel(store, 0, "m", 1, "n", "", NULL);
	put(0, 1000000001, 0, (double)12.34F);
	put(0, 2000000000, 1, 0.1);
	unlink(out);
	rows = open_rows(0, INT64_MAX);
	CU_ASSERT_EQUAL(export_csv.write(rows, 0, out, NULL), 0);
	export_rows_close(rows);
	store_close(store);
	file = fopen(out, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	line = strtok(text, "\n");
	CU_ASSERT_STRING_EQUAL(line, "utc_s,monotonic_s,error_s,\"P,1_W\",n");
	line = strchr(strtok(NULL, "\n"), ',');
	CU_ASSERT_STRING_EQUAL(line, ",1.000000001,0.000000005,12.34,");
	line = strchr(strtok(NULL, "\n"), ',');
	CU_ASSERT_STRING_EQUAL(line, ",2.000000000,0.000000005,,0.1");
	CU_ASSERT_PTR_NULL(strtok(NULL, "\n"));
}

static void a_file_without_samples_is_refused(void)
{
	struct export_rows *rows = NULL;
	struct err err = {""};

	begin();
	CU_ASSERT_EQUAL(export_rows_open(store, 0, INT64_MAX, &rows, &err), -ENODATA);
	CU_ASSERT(err.text[0] && !rows);
	store_close(store);
}

static const struct unit_case cases[] = {
	{"meters are merged in the order of time", meters_are_merged_in_the_order_of_time},
	{"from and to count from the first sample", from_and_to_count_from_the_first_sample},
	{"a first reading that is rounded to earlier is there",
	 a_first_reading_that_is_rounded_to_earlier_is_there},
	{"channels of blocks share a row", channels_of_blocks_share_a_row},
	{"a loss in the journal is never bridged", a_loss_in_the_journal_is_never_bridged},
	{"a grid is exact on readings, straight between, and NaN in gaps",
	 a_grid_is_exact_on_readings_straight_between_and_nan_in_gaps},
	{"a grid at the rate of blocks has their values",
	 a_grid_at_the_rate_of_blocks_has_their_values},
	{"a csv has units in its names and empty cells",
	 a_csv_has_units_in_its_names_and_empty_cells},
	{"a file without samples is refused", a_file_without_samples_is_refused},
};

int main(void)
{
	int status;

	if (!mkdtemp(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/r.db", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	status = unit_run("export", cases, UNIT_COUNT(cases));
	unlink(path);
	unlink(out);
	rmdir(dir);
	return status;
}
