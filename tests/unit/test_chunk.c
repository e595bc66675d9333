/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "unit.h"

static struct meter_sample samples[CHUNK_READINGS_MAX], got[CHUNK_READINGS_MAX];

/* Numbers that look random and are the same each time. */
static uint64_t state = 1;

static uint64_t next_random(void)
{
	state = state * 6364136223846793005U + 1442695040888963407U;
	return state >> 33;
}

static double uniform(void)
{
	return (double)next_random() / 2147483648.0;
}

static double gaussian(void)
{
	return sqrt(-2 * log(uniform() + 1e-12)) * cos(2 * acos(-1) * uniform());
}

/* What rounding to 4 significant digits and libsigrok's floats leave of a value. */
static double as_meter(double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4g", value);
	return (double)strtof(text, NULL);
}

/* Three channels polled in turn, 3000 a second: answers after 25 us and more, some of them late. */
static void poll_three_channels(size_t n)
{
	static const double levels[] = {12.34, 3.3, 41.7};
	int64_t due_ns = 123456789012345;

	for (size_t i = 0; i < n; i++) {
		int64_t error_ns = 12000 + (int64_t)(fabs(gaussian()) * 9000);

		due_ns += 333333;
		if (next_random() % 100 == 0)
			error_ns += (int64_t)(uniform() * 1e6);
		samples[i] = (struct meter_sample){
			.t_ns = due_ns + error_ns + (int64_t)(uniform() * 20000),
			.error_ns = error_ns,
			.channel = (uint32_t)(i % 3),
			.value = as_meter(levels[i % 3] * (1 + 0.005 * gaussian())),
		};
	}
}

/* Packs and unpacks; returns the bytes. */
static size_t there_and_back(size_t n)
{
	void *bytes = NULL;
	size_t bytes_n = 0;

	CU_ASSERT_EQUAL_FATAL(chunk_pack_readings(samples, n, &bytes, &bytes_n), 0);
	memset(got, 0xff, sizeof(got));
	CU_ASSERT_EQUAL(chunk_unpack_readings(bytes, bytes_n, got, n), 0);
	free(bytes);
	return bytes_n;
}

static void the_true_moment_still_lies_within_and_values_are_the_same(void)
{
	size_t bad = 0;
	double widest = 0;

	poll_three_channels(CHUNK_READINGS_MAX);
	there_and_back(CHUNK_READINGS_MAX);
	for (size_t i = 0; i < CHUNK_READINGS_MAX; i++) {
		bad += got[i].t_ns - got[i].error_ns > samples[i].t_ns - samples[i].error_ns;
		bad += got[i].t_ns + got[i].error_ns < samples[i].t_ns + samples[i].error_ns;
		bad += memcmp(&got[i].value, &samples[i].value, sizeof(double)) != 0;
		bad += got[i].channel != samples[i].channel;
		widest = fmax(widest, (double)got[i].error_ns / (double)samples[i].error_ns);
	}
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT(widest > 1 && widest <= 1 + 1.5 / 16);
}

static void what_was_unpacked_packs_to_the_same(void)
{
	poll_three_channels(500);
	there_and_back(500);
	memcpy(samples, got, sizeof(samples));
	there_and_back(500);
	CU_ASSERT_EQUAL(memcmp(samples, got, 500 * sizeof(samples[0])), 0);

	/* Of errors that rounding takes over the bound of the next step; and later by whole steps, in other pieces. */
	for (size_t i = 0; i < 500; i++)
		samples[i].error_ns = 65535 + (i % 7 == 0) * 1000000;
	there_and_back(500);
	memcpy(samples, got + 100, 300 * sizeof(samples[0]));
	for (size_t i = 0; i < 300; i++)
		samples[i].t_ns += (int64_t)77 << 20;
	there_and_back(300);
	CU_ASSERT_EQUAL(memcmp(samples, got, 300 * sizeof(samples[0])), 0);
}

/* 24 h of 3 channels at 1 kHz are 259.2 million samples, which are to fit into 1 GB: 3.858 bytes. */
static void a_day_at_3_khz_fits_into_a_gigabyte(void)
{
	size_t bytes = 0, n = 0;

	for (int i = 0; i < 20; i++) {
		poll_three_channels(1500);
		bytes += there_and_back(1500);
		n += 1500;
	}
	printf("%.3f bytes a reading ", (double)bytes / (double)n);
	CU_ASSERT((double)bytes / (double)n < 3.5);
}

static void all_forms_of_values_come_back_bit_for_bit(void)
{
	static const double sets[][4] = {
		{12.34, -0.001, 5, 999999.5},			 /* decimals */
		{(double)12.34F, (double)-0.001F, 5, 0.5},	 /* decimals, as floats */
		{(double)1.1754944e-38F, (double)3.4e38F, 1, 2}, /* floats */
		{M_PI, 1e300, -1e-300, 0.1},			 /* doubles */
		{NAN, 0.1, INFINITY, -INFINITY},
		{-0.0, 0.0, 1, 2},
		{0, 0, 0, 0},
		{9e15, 1, 2, 3},
	};

	for (size_t s = 0; s < UNIT_COUNT(sets); s++) {
		for (size_t i = 0; i < 4; i++)
			samples[i] = (struct meter_sample){.t_ns = (int64_t)i * 1000,
							   .channel = (uint32_t)(i % 2),
							   .value = sets[s][i]};
		there_and_back(4);
		CU_ASSERT_EQUAL(memcmp(samples, got, 4 * sizeof(samples[0])), 0);
	}
}

static void times_without_an_error_stay_to_the_nanosecond(void)
{
	static const int64_t times[] = {INT64_MIN, -1, 0, 1, 1, INT64_MAX};

	for (size_t i = 0; i < UNIT_COUNT(times); i++)
		samples[i] = (struct meter_sample){.t_ns = times[i],
						   .error_ns = i == 2 ? INT64_MAX : (int64_t)i};
	there_and_back(UNIT_COUNT(times));
	CU_ASSERT_EQUAL(memcmp(samples, got, sizeof(samples[0]) * UNIT_COUNT(times)), 0);
}

/* A checksum finds such bytes first; what comes here must still harm nobody. */
static void damaged_bytes_are_refused_or_give_something_and_no_more(void)
{
	uint8_t *bytes = NULL;
	size_t bytes_n = 0, refused = 0;

	poll_three_channels(100);
	CU_ASSERT_EQUAL_FATAL(chunk_pack_readings(samples, 100, (void **)&bytes, &bytes_n), 0);
	for (size_t i = 0; i < bytes_n; i++) {
		for (int bit = 0; bit < 8; bit += 3) {
			bytes[i] ^= (uint8_t)(1U << bit);
			refused += chunk_unpack_readings(bytes, bytes_n, got, 100) == -EBADMSG;
			bytes[i] ^= (uint8_t)(1U << bit);
		}
	}
	CU_ASSERT(refused > bytes_n);
	for (size_t n = 0; n < bytes_n; n++)
		CU_ASSERT_EQUAL(chunk_unpack_readings(bytes, n, got, 100), -EBADMSG);
	CU_ASSERT_EQUAL(chunk_unpack_readings(bytes, bytes_n, got, 99), -EBADMSG);
	CU_ASSERT_EQUAL(chunk_unpack_readings(bytes, bytes_n, got, 0), -EBADMSG);
	CU_ASSERT_EQUAL(chunk_unpack_readings(bytes, bytes_n, got, SIZE_MAX), -EBADMSG);
	free(bytes);
}

static const struct meter_block a_block = {
	.channel = 3,
	.n = 1000,
	.rate_hz = 48000,
	.first = 5,
	.start_ns = -7,
	.error_ns = 11,
	.arrived_ns = INT64_MAX,
};

static void blocks_come_back_as_they_were(void)
{
	float values[1000], *back = NULL;
	uint8_t *bytes = malloc(chunk_block_bound(1000));
	struct meter_block block = {0};
	size_t n;

	for (size_t i = 0; i < 1000; i++)
		values[i] = i % 7 ? (float)gaussian() : (float)NAN;
	n = chunk_pack_block(&a_block, values, bytes);
	CU_ASSERT(n <= chunk_block_bound(1000));
	CU_ASSERT_EQUAL_FATAL(chunk_unpack_block(bytes, n, &block, &back), 0);
	CU_ASSERT_EQUAL(memcmp(&block, &a_block, sizeof(block)), 0);
	CU_ASSERT_EQUAL(memcmp(values, back, sizeof(values)), 0);
	free(back);
	for (size_t i = 0; i < n; i++) {
		if (chunk_unpack_block(bytes, i, &block, &back) == 0)
			CU_FAIL("a cut block was taken");
	}
	bytes[4] ^= 1; /* n */
	CU_ASSERT_EQUAL(chunk_unpack_block(bytes, n, &block, &back), -EBADMSG);
	CU_ASSERT_PTR_NULL(back);
	free(bytes);
}

static void values_of_a_block_lie_on_the_grid_of_its_rate(void)
{
	static const struct {
		uint64_t rate_hz, first, i;
		int64_t t_ns;
	} rows[] = {
		{1000, 0, 0, 100},
		{1000, 0, 1, 1000100},
		{3, 0, 1, 333333433},
		{3, 2, 1, 1000000100},
		{1000000000, 86400000000000, 7, 86400000000107},
		{7, UINT64_C(7) * 4000000000, 0, 4000000000000000100},
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct meter_block block = {
			.rate_hz = rows[i].rate_hz, .first = rows[i].first, .start_ns = 100};

		CU_ASSERT_EQUAL(meter_block_time_ns(&block, rows[i].i), rows[i].t_ns);
	}
}

static const struct unit_case cases[] = {
	{"the true moment still lies within and values are the same",
	 the_true_moment_still_lies_within_and_values_are_the_same},
	{"what was unpacked packs to the same", what_was_unpacked_packs_to_the_same},
	{"a day at 3 kHz fits into a gigabyte", a_day_at_3_khz_fits_into_a_gigabyte},
	{"all forms of values come back bit for bit", all_forms_of_values_come_back_bit_for_bit},
	{"times without an error stay to the nanosecond",
	 times_without_an_error_stay_to_the_nanosecond},
	{"damaged bytes are refused or give something and no more",
	 damaged_bytes_are_refused_or_give_something_and_no_more},
	{"blocks come back as they were", blocks_come_back_as_they_were},
	{"values of a block lie on the grid of its rate",
	 values_of_a_block_lie_on_the_grid_of_its_rate},
};

int main(void)
{
	return unit_run("chunk", cases, UNIT_COUNT(cases));
}
