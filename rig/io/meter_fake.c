/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A meter that makes its readings up. "fake:w=W" and "fake:square=LOW/HIGH/PERIOD_MS" have channels
 * of watts of any name; "fake:v=V:a=A" has volts on a channel whose name begins with V, amperes
 * with I, watts with P.
 */
#include "meter_backend.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fake {
	double low_w, high_w;
	int64_t half_ns; /* 0: always low_w */
	bool supply;	 /* volts and amperes: */
	double v, a;
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

static int fake_parse_square(const char *square, struct fake *out)
{
	double period_ms;

	if (!(square = fake_number(square, '/', &out->low_w)) ||
	    !(square = fake_number(square, '/', &out->high_w)) ||
	    !fake_number(square, '\0', &period_ms) || period_ms < 0.001 || period_ms > 1e9)
		return -EINVAL;
	out->half_ns = (int64_t)(period_ms * 5e5);
	return 0;
}

static int fake_parse(const struct meter_spec *spec, struct fake *out)
{
	const char *w = meter_spec_get(spec, "w"), *square = meter_spec_get(spec, "square");
	const char *v = meter_spec_get(spec, "v"), *a = meter_spec_get(spec, "a");

	memset(out, 0, sizeof(*out));
	out->supply = v && a;
	if (spec->options_n == 2 && out->supply)
		return fake_number(v, '\0', &out->v) && fake_number(a, '\0', &out->a) ? 0 : -EINVAL;
	if (spec->options_n == 1 && w)
		return fake_number(w, '\0', &out->low_w) ? 0 : -EINVAL;
	if (spec->options_n == 1 && square)
		return fake_parse_square(square, out);
	return -EINVAL;
}

static int fake_check(const struct meter_options *options, const struct meter_spec *spec,
		      struct err *err)
{
	struct fake fake;

	if (fake_parse(spec, &fake))
		return err_set(err, -EINVAL,
			       "meter spec '%.200s': want fake:w=W, fake:square=LOW/HIGH/PERIOD_MS "
			       "or fake:v=V:a=A",
			       options->spec);
	return 0;
}

/* What a channel of this name measures; NULL: there is none. */
static const char *fake_unit(const struct fake *fake, const char *name)
{
	static const char *const units[] = {"V", "A", "W"};
	const char *letters = "VIP", *at = *name ? strchr(letters, *name) : NULL;

	if (!fake->supply)
		return "W";
	return at ? units[at - letters] : NULL;
}

static double fake_value(const struct fake *fake, const char *unit, int64_t since_ns)
{
	if (*unit == 'V')
		return fake->v;
	if (*unit == 'A')
		return fake->a;
	if (fake->supply)
		return fake->v * fake->a;
	return fake->half_ns && since_ns / fake->half_ns % 2 ? fake->high_w : fake->low_w;
}

static void fake_run(const struct meter_options *options, const struct meter_spec *spec,
		     struct meter_link *link)
{
	static const struct meter_identity identity = {.vendor = "coldrig", .model = "fake"};
	static const char *const all[] = {"P1", "V1", "I1"};
	const char *const *names = options->channels_n ? options->channels : all;
	int64_t start = meter_now_ns(), due = start;
	int64_t period = (int64_t)(1e9 / options->rate_hz);
	size_t channel = 0, n = options->channels_n;
	struct fake fake;

	if (fake_parse(spec, &fake))
		meter_link_hopeless(link, "the spec cannot be read");
	if (!n)
		n = fake.supply ? 3 : 1;
	for (size_t i = 0; i < n; i++) {
		if (!fake_unit(&fake, names[i]))
			meter_link_hopeless(link, "no channel '%s', the meter has: P1 V1 I1",
					    names[i]);
	}
	meter_link_ready(link, &identity);
	for (size_t i = 0; i < n; i++)
		meter_link_channel(link, i, names[i], fake_unit(&fake, names[i]));
	while (!meter_link_stopping()) {
		struct meter_sample sample = {.channel = (uint32_t)channel};

		meter_link_wait(link, due);
		if (meter_link_stopping())
			break;
		sample.t_ns = meter_now_ns();
		sample.value =
			fake_value(&fake, fake_unit(&fake, names[channel]), sample.t_ns - start);
		meter_link_sample(link, &sample);
		channel = (channel + 1) % n;
		due = meter_next_due(due, period, meter_now_ns());
	}
}

const struct meter_backend meter_fake_backend = {
	.driver = "fake",
	.check = fake_check,
	.run = fake_run,
};
