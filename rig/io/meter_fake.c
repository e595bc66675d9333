/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A meter that makes its watts up: "fake:w=W" or "fake:square=LOW/HIGH/PERIOD_MS". */
#include "meter_backend.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fake {
	double low_w, high_w;
	int64_t half_ns; /* 0: always low_w */
};

/* Reads one number that ends with end; returns what follows it, NULL if there is none such. */
static const char *fake_number(const char *text, char end, double *out)
{
	char *stop;

	*out = strtod(text, &stop);
	if (stop == text || *stop != end || !isfinite(*out))
		return NULL;
	return end ? stop + 1 : stop;
}

static int fake_parse(const struct meter_spec *spec, struct fake *out)
{
	const char *w = meter_spec_get(spec, "w"), *square = meter_spec_get(spec, "square");
	double period_ms;

	memset(out, 0, sizeof(*out));
	if (spec->options_n != 1)
		return -EINVAL;
	if (w)
		return fake_number(w, '\0', &out->low_w) ? 0 : -EINVAL;
	if (!square || !(square = fake_number(square, '/', &out->low_w)) ||
	    !(square = fake_number(square, '/', &out->high_w)) ||
	    !fake_number(square, '\0', &period_ms) || period_ms < 0.001 || period_ms > 1e9)
		return -EINVAL;
	out->half_ns = (int64_t)(period_ms * 5e5);
	return 0;
}

static int fake_check(const struct meter_options *options, const struct meter_spec *spec,
		      struct err *err)
{
	struct fake fake;

	if (fake_parse(spec, &fake))
		return err_set(
			err, -EINVAL,
			"meter spec '%.200s': want fake:w=W or fake:square=LOW/HIGH/PERIOD_MS",
			options->spec);
	return 0;
}

static void fake_run(const struct meter_options *options, const struct meter_spec *spec,
		     struct meter_link *link)
{
	int64_t start = meter_now_ns(), due = start;
	int64_t period = (int64_t)(1e9 / options->rate_hz);
	struct fake fake;
	size_t channel = 0;

	if (fake_parse(spec, &fake))
		meter_link_lost(link, "the spec cannot be read");
	meter_link_event(link, METER_EVENT_READY, "coldrig fake - -");
	while (!meter_link_stopping()) {
		struct meter_sample sample = {.channel = (uint32_t)channel};

		meter_sleep_until(due);
		sample.t_ns = meter_now_ns();
		sample.value_w = fake.low_w;
		if (fake.half_ns && (sample.t_ns - start) / fake.half_ns % 2)
			sample.value_w = fake.high_w;
		meter_link_sample(link, &sample);
		channel = (channel + 1) % options->channels_n;
		due = meter_next_due(due, period, meter_now_ns());
	}
}

const struct meter_backend meter_fake_backend = {
	.driver = "fake",
	.check = fake_check,
	.run = fake_run,
};
