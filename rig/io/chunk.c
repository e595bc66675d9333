/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "chunk.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"
#include "squeeze.h"

static void put_le(uint8_t *at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

/* Small differences of either sign as small numbers. */
static uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t coded)
{
	return coded >> 1 ^ (coded & 1 ? UINT64_MAX : 0);
}

/* Readings. */

enum column { TIME, ERROR, CHANNEL, VALUE, COLUMNS };

/* How a value is kept: as it is, or as an integer that is divided by 10^digits. */
enum form { FORM_DOUBLE, FORM_FLOAT, FORM_DECIMAL_DOUBLE, FORM_DECIMAL_FLOAT, FORMS };

#define READINGS_HEADER 24
#define SHIFT_MAX	30
#define DIGITS_MAX	9
#define CHANNELS_APART	64 /* channels this far apart share their last value */

struct readings {
	unsigned shift; /* times are in steps of 2^shift ns */
	enum form form;
	unsigned digits;
	unsigned width[COLUMNS]; /* bytes */
	int64_t first;		 /* time of the first, in steps */
	uint32_t pace;		 /* mean distance, in steps */
	uint64_t column[COLUMNS][CHUNK_READINGS_MAX];
};

/* What was unpacked lies on steps already and stays there: rounding has made its errors larger, which would allow
 * larger steps. */
static unsigned choose_shift(const struct meter_sample *samples, size_t n)
{
	int64_t least = INT64_MAX;
	uint64_t bits = 0;
	unsigned shift = 0, steps = 0;

	for (size_t i = 0; i < n; i++) {
		if (samples[i].error_ns < least)
			least = samples[i].error_ns;
		bits |= (uint64_t)samples[i].t_ns | (uint64_t)samples[i].error_ns;
	}
	while (shift < SHIFT_MAX && least >> (shift + 1) >= 16)
		shift++;
	while (steps < shift && !(bits >> steps & 1))
		steps++;
	return steps ? steps : shift;
}

static int64_t round_to_steps(int64_t t_ns, unsigned shift)
{
	int64_t half = shift ? (int64_t)1 << (shift - 1) : 0;

	return (t_ns + half) >> shift;
}

static void code_times(struct readings *r, const struct meter_sample *samples, size_t n)
{
	uint64_t step_ns = (uint64_t)1 << r->shift, mean;
	int64_t last;

	r->first = last = round_to_steps(samples[0].t_ns, r->shift);
	mean = (uint64_t)round_to_steps(samples[n - 1].t_ns, r->shift) - (uint64_t)r->first;
	mean /= n > 1 ? n - 1 : 1;
	r->pace = mean > UINT32_MAX ? 0 : (uint32_t)mean;
	for (size_t i = 0; i < n; i++) {
		int64_t t = round_to_steps(samples[i].t_ns, r->shift);
		int64_t moved_ns = (int64_t)((uint64_t)t * step_ns - (uint64_t)samples[i].t_ns);

		r->column[TIME][i] = i == 0 ? 0 : zigzag((uint64_t)t - (uint64_t)last - r->pace);
		r->column[ERROR][i] =
			((uint64_t)samples[i].error_ns + (uint64_t)llabs(moved_ns) + step_ns - 1) >>
			r->shift;
		r->column[CHANNEL][i] = samples[i].channel;
		last = t;
	}
}

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static double from_decimal(int64_t number, unsigned digits, bool is_float)
{
	static const double powers[DIGITS_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4,
						      1e5, 1e6, 1e7, 1e8, 1e9};
	double value = (double)number / powers[digits];

	return is_float ? (double)(float)value : value;
}

/* Is value the nearest to a number of so many decimals? */
static bool to_decimal(double value, unsigned digits, bool is_float, int64_t *number)
{
	double scaled = value * pow(10, digits);

	if (!(fabs(scaled) < 9e15))
		return false;
	*number = llround(scaled);
	return same_bits(from_decimal(*number, digits, is_float), value);
}

static enum form choose_form(const struct meter_sample *samples, size_t n, unsigned *digits)
{
	bool is_float = true;
	int64_t number;

	for (size_t i = 0; i < n && is_float; i++)
		is_float = same_bits((double)(float)samples[i].value, samples[i].value);
	*digits = 0;
	for (size_t i = 0; i < n && *digits <= DIGITS_MAX; i++) {
		while (*digits <= DIGITS_MAX &&
		       !to_decimal(samples[i].value, *digits, is_float, &number))
			++*digits;
	}
	if (*digits <= DIGITS_MAX)
		return is_float ? FORM_DECIMAL_FLOAT : FORM_DECIMAL_DOUBLE;
	*digits = 0;
	return is_float ? FORM_FLOAT : FORM_DOUBLE;
}

static uint64_t code_value(const struct readings *r, double value)
{
	float single = (float)value;
	uint32_t bits32;
	uint64_t bits64;
	int64_t number = 0;

	switch (r->form) {
	case FORM_FLOAT:
		memcpy(&bits32, &single, sizeof(bits32));
		return bits32;
	case FORM_DOUBLE:
		memcpy(&bits64, &value, sizeof(bits64));
		return bits64;
	default:
		to_decimal(value, r->digits, r->form == FORM_DECIMAL_FLOAT, &number);
		return (uint64_t)number;
	}
}

static double decode_value(const struct readings *r, uint64_t code)
{
	uint32_t bits32 = (uint32_t)code;
	float single;
	double value;

	switch (r->form) {
	case FORM_FLOAT:
		memcpy(&single, &bits32, sizeof(single));
		return (double)single;
	case FORM_DOUBLE:
		memcpy(&value, &code, sizeof(value));
		return value;
	default:
		return from_decimal((int64_t)code, r->digits, r->form == FORM_DECIMAL_FLOAT);
	}
}

static void code_values(struct readings *r, const struct meter_sample *samples, size_t n)
{
	uint64_t last[CHANNELS_APART] = {0};

	r->form = choose_form(samples, n, &r->digits);
	for (size_t i = 0; i < n; i++) {
		uint64_t *before = &last[samples[i].channel % CHANNELS_APART];
		uint64_t code = code_value(r, samples[i].value);

		r->column[VALUE][i] = zigzag(code - *before);
		*before = code;
	}
}

/* Each column byte by byte, all lowest bytes first: noise is kept from what hardly changes. */
static size_t columns_to_planes(struct readings *r, size_t n, uint8_t *out)
{
	uint8_t *at = out;

	for (size_t c = 0; c < COLUMNS; c++) {
		uint64_t all = 0;

		for (size_t i = 0; i < n; i++)
			all |= r->column[c][i];
		for (r->width[c] = 0; all; r->width[c]++) {
			for (size_t i = 0; i < n; i++)
				*at++ = (uint8_t)(r->column[c][i] >> (8 * r->width[c]));
			all >>= 8;
		}
	}
	return (size_t)(at - out);
}

static void columns_from_planes(struct readings *r, size_t n, const uint8_t *in)
{
	for (size_t c = 0; c < COLUMNS; c++) {
		memset(r->column[c], 0, n * sizeof(r->column[c][0]));
		for (unsigned b = 0; b < r->width[c]; b++) {
			for (size_t i = 0; i < n; i++)
				r->column[c][i] |= (uint64_t)*in++ << (8 * b);
		}
	}
}

static void put_header(const struct readings *r, uint8_t *out)
{
	memset(out, 0, READINGS_HEADER);
	out[0] = (uint8_t)r->shift;
	out[1] = (uint8_t)r->form;
	out[2] = (uint8_t)r->digits;
	for (size_t c = 0; c < COLUMNS; c++)
		out[4 + c] = (uint8_t)r->width[c];
	put_le(out + 8, (uint64_t)r->first, 8);
	put_le(out + 16, r->pace, 4);
}

static int get_header(struct readings *r, const uint8_t *in, size_t *row)
{
	*row = 0;
	r->shift = in[0];
	r->form = in[1];
	r->digits = in[2];
	for (size_t c = 0; c < COLUMNS; c++) {
		r->width[c] = in[4 + c];
		if (r->width[c] > 8)
			return -EBADMSG;
		*row += r->width[c];
	}
	r->first = (int64_t)get_le(in + 8, 8);
	r->pace = (uint32_t)get_le(in + 16, 4);
	return r->shift > SHIFT_MAX || r->form >= FORMS || r->digits > DIGITS_MAX ? -EBADMSG : 0;
}

int chunk_pack_readings(const struct meter_sample *samples, size_t n, void **out, size_t *out_n)
{
	struct readings *r = malloc(sizeof(*r));
	uint8_t *planes = malloc(n * COLUMNS * 8), *whole = NULL;
	void *packed = NULL;
	size_t packed_n = 0;
	int ret = -ENOMEM;

	assert(n > 0 && n <= CHUNK_READINGS_MAX);
	if (r && planes) {
		r->shift = choose_shift(samples, n);
		code_times(r, samples, n);
		code_values(r, samples, n);
		ret = pack_deflate(planes, columns_to_planes(r, n, planes), &packed, &packed_n);
	}
	if (ret == 0) {
		whole = malloc(READINGS_HEADER + packed_n);
		ret = whole ? 0 : -ENOMEM;
	}
	if (ret == 0) {
		put_header(r, whole);
		memcpy(whole + READINGS_HEADER, packed, packed_n);
		*out = whole;
		*out_n = READINGS_HEADER + packed_n;
	}
	free(packed);
	free(planes);
	free(r);
	return ret;
}

static void decode_readings(const struct readings *r, size_t n, struct meter_sample *samples)
{
	uint64_t last[CHANNELS_APART] = {0}, t = (uint64_t)r->first;

	for (size_t i = 0; i < n; i++) {
		uint64_t *before = &last[r->column[CHANNEL][i] % CHANNELS_APART];

		if (i > 0)
			t += unzigzag(r->column[TIME][i]) + r->pace;
		*before += unzigzag(r->column[VALUE][i]);
		samples[i] = (struct meter_sample){
			.t_ns = (int64_t)(t << r->shift),
			.error_ns = (int64_t)(r->column[ERROR][i] << r->shift),
			.channel = (uint32_t)r->column[CHANNEL][i],
			.value = decode_value(r, *before),
		};
	}
}

int chunk_unpack_readings(const void *bytes, size_t bytes_n, struct meter_sample *samples, size_t n)
{
	struct readings *r = NULL;
	uint8_t *planes = NULL;
	size_t row;
	int ret;

	if (n == 0 || n > CHUNK_READINGS_MAX || bytes_n < READINGS_HEADER)
		return -EBADMSG;
	r = malloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	ret = get_header(r, bytes, &row);
	if (ret == 0) {
		planes = malloc(n * row + 1);
		ret = planes ? pack_inflate((const uint8_t *)bytes + READINGS_HEADER,
					    bytes_n - READINGS_HEADER, planes, n * row)
			     : -ENOMEM;
	}
	if (ret == 0) {
		columns_from_planes(r, n, planes);
		decode_readings(r, n, samples);
	}
	free(planes);
	free(r);
	return ret;
}

/* Blocks. */

#define BLOCK_HEADER 48

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values of blocks are kept as they are");

size_t chunk_block_bound(size_t n)
{
	return BLOCK_HEADER + squeeze_bound(n * sizeof(float));
}

size_t chunk_pack_block(const struct meter_block *block, const float *values, void *out)
{
	uint8_t *at = out;

	put_le(at, block->channel, 4);
	put_le(at + 4, block->n, 4);
	put_le(at + 8, block->rate_hz, 8);
	put_le(at + 16, block->first, 8);
	put_le(at + 24, (uint64_t)block->start_ns, 8);
	put_le(at + 32, (uint64_t)block->error_ns, 8);
	put_le(at + 40, (uint64_t)block->arrived_ns, 8);
	return BLOCK_HEADER + squeeze(values, block->n * sizeof(float), at + BLOCK_HEADER);
}

int chunk_unpack_block(const void *bytes, size_t bytes_n, struct meter_block *block, float **values)
{
	const uint8_t *at = bytes;
	int ret;

	if (bytes_n < BLOCK_HEADER)
		return -EBADMSG;
	*block = (struct meter_block){
		.channel = (uint32_t)get_le(at, 4),
		.n = (uint32_t)get_le(at + 4, 4),
		.rate_hz = get_le(at + 8, 8),
		.first = get_le(at + 16, 8),
		.start_ns = (int64_t)get_le(at + 24, 8),
		.error_ns = (int64_t)get_le(at + 32, 8),
		.arrived_ns = (int64_t)get_le(at + 40, 8),
	};
	if (block->n == 0 || block->n > METER_BLOCK_MAX || block->rate_hz == 0)
		return -EBADMSG;
	*values = malloc(block->n * sizeof(float));
	if (!*values)
		return -ENOMEM;
	ret = squeeze_expand(at + BLOCK_HEADER, bytes_n - BLOCK_HEADER, *values,
			     block->n * sizeof(float));
	if (ret) {
		free(*values);
		*values = NULL;
	}
	return ret;
}
