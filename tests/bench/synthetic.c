/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * synthetic SECONDS FILE: a recording of 3 channels at 1 kHz each, as a meter with 4 significant digits
 * that is polled over a network would give it, by a clock that does not wait. docs/bench.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "recording.h"

#define CHANNELS 3
#define RATE_HZ	 1000

static uint64_t state = 1;

static double uniform(void)
{
	state = state * 6364136223846793005U + 1442695040888963407U;
	return (double)(state >> 33) / 2147483648.0;
}

static double gaussian(void)
{
	return sqrt(-2 * log(uniform() + 1e-12)) * cos(2 * acos(-1) * uniform());
}

/* To 4 significant digits, as libsigrok's floats. */
static double as_meter(double value)
{
	double step = pow(10, floor(log10(fabs(value))) - 3);

	return (double)(float)(round(value / step) * step);
}

/* Half of a round trip of 25 us and more; one in a hundred comes up to 1 ms late. */
static struct meter_sample sample(int64_t i)
{
	static const double levels[CHANNELS] = {12.34, 3.3, 41.7};
	int64_t error_ns = 12000 + (int64_t)(fabs(gaussian()) * 9000);

	if (uniform() < 0.01)
		error_ns += (int64_t)(uniform() * 1e6);
	return (struct meter_sample){
		.t_ns = 1000000000 + i * 1000000000 / (CHANNELS * RATE_HZ) + error_ns +
			(int64_t)(uniform() * 20000),
		.error_ns = error_ns,
		.channel = (uint32_t)(i % CHANNELS),
		.value = as_meter(levels[i % CHANNELS] * (1 + 0.005 * gaussian())),
	};
}

static int fail(const struct err *err)
{
	fprintf(stderr, "synthetic: %s\n", err->text);
	return 1;
}

int main(int argc, char **argv)
{
	struct recording *recording;
	struct err err = {""};
	int64_t n = argc == 3 ? (int64_t)(atof(argv[1]) * CHANNELS * RATE_HZ) : 0;
	int r = n > 0 ? 0 : err_set(&err, -1, "usage: synthetic SECONDS FILE");

	if (r == 0)
		r = recording_create(argv[2], "synthetic", "synthetic", &recording, &err);
	if (r < 0)
		return fail(&err);
	for (uint32_t c = 0; r == 0 && c < CHANNELS; c++) {
		struct meter_event event = {.kind = METER_EVENT_CHANNEL, .channel = c, .unit = "W"};

		snprintf(event.text, sizeof(event.text), "P%u", c + 1);
		r = recording_add_event(recording, &event, &err);
	}
	for (int64_t i = 0; r == 0 && i < n; i++) {
		const struct meter_sample s = sample(i);

		r = recording_add_samples(recording, &s, 1, &err);
		/* Chunks as record makes them, twice a second of the meter's time. */
		if (r == 0 && i % (CHANNELS * RATE_HZ / 2) == 0)
			r = recording_flush(recording, &err);
	}
	if (r == 0)
		r = recording_commit(recording, true, &err);
	recording_close(recording);
	return r < 0 ? fail(&err) : 0;
}
