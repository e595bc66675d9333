/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "edge.h"

#include <math.h>

#include "unit.h"

#define STEP_NS	 100
#define ERROR_NS 7

/* One reading each STEP_NS, 1 for each '#', 0 for each '.', a gap for each ' '. */
static size_t draw(const char *picture, struct edge_sample *out)
{
	size_t n = 0;

	for (; picture[n]; n++)
		out[n] = (struct edge_sample){
			.t_ns = (int64_t)n * STEP_NS,
			.error_ns = ERROR_NS,
			.power_w = picture[n] == '#'   ? 1
				   : picture[n] == '.' ? 0
						       : NAN,
		};
	return n;
}

/* -1, or the index of the first reading past the edge. */
static int find(const char *picture, int64_t from_ns, bool falling)
{
	struct edge_sample samples[32];
	struct edge edge;

	if (!edge_find(samples, draw(picture, samples), from_ns, 0.5, falling, &edge))
		return -1;
	CU_ASSERT_EQUAL(edge.error_ns, STEP_NS / 2 + ERROR_NS);
	CU_ASSERT_EQUAL(edge.t_ns % STEP_NS, STEP_NS / 2);
	return (int)(edge.t_ns / STEP_NS) + 1;
}

static void edges_lie_between_the_reading_before_and_the_one_after(void)
{
	static const struct {
		const char *picture;
		int falling, rising;
	} rows[] = {
		{"###...", 3, -1},
		{"...###", -1, 3},
		{"######", -1, -1},
		{"......", -1, -1},
		{"##..##..", 2, 4},
		{"", -1, -1},
		{"#", -1, -1},
		{"#..", 1, -1},
		/* An outlier is no edge; its way back cannot be told from the end of a pulse. */
		{"###.###", -1, 4},
		{"### ...", -1, -1},
		{"... ###", -1, -1},
		{"##. ...", -1, -1},
		{"## ##..", 5, -1},
		{"...#...", 4, -1},
		{"###.", -1, -1},
		{"#.#..#..", 3, -1},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		CU_ASSERT_EQUAL(find(rows[i].picture, 0, true), rows[i].falling);
		CU_ASSERT_EQUAL(find(rows[i].picture, 0, false), rows[i].rising);
	}
}

static void an_edge_counts_if_its_reading_after_is_not_before_the_start(void)
{
	const char picture[] = "##..##..##..";

	CU_ASSERT_EQUAL(find(picture, 2 * STEP_NS, true), 2);
	CU_ASSERT_EQUAL(find(picture, 2 * STEP_NS + 1, true), 6);
	CU_ASSERT_EQUAL(find(picture, 9 * STEP_NS, true), 10);
	CU_ASSERT_EQUAL(find(picture, 11 * STEP_NS, true), -1);
}

static void a_reading_on_the_threshold_is_above_it(void)
{
	const struct edge_sample samples[] = {{0, 0, 1}, {10, 0, 0.5}, {20, 0, 0.4}, {30, 0, 0.4}};
	struct edge edge;

	CU_ASSERT_TRUE(edge_find(samples, 4, 0, 0.5, true, &edge));
	CU_ASSERT_EQUAL(edge.t_ns, 15);
}

static void the_error_is_half_the_gap_and_the_worse_of_both_times(void)
{
	const struct edge_sample samples[] = {{0, 40, 1}, {1000, 300, 0}, {1010, 1, 0}};
	struct edge edge = {0};

	CU_ASSERT_TRUE(edge_find(samples, 3, 0, 0.5, true, &edge));
	CU_ASSERT_EQUAL(edge.t_ns, 500);
	CU_ASSERT_EQUAL(edge.error_ns, 500 + 300);
}

static const struct unit_case cases[] = {
	{"edges lie between the reading before and the one after",
	 edges_lie_between_the_reading_before_and_the_one_after},
	{"an edge counts if its reading after is not before the start",
	 an_edge_counts_if_its_reading_after_is_not_before_the_start},
	{"a reading on the threshold is above it", a_reading_on_the_threshold_is_above_it},
	{"the error is half the gap and the worse of both times",
	 the_error_is_half_the_gap_and_the_worse_of_both_times},
};

int main(void)
{
	return unit_run("edge", cases, UNIT_COUNT(cases));
}
