/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "series.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wiring.h"

/* One rail's reading, in watts of the rail. */
struct reading {
	int64_t t_ns, error_ns;
	size_t rail;
	double power_w; /* NaN: an end of a gap */
	double offset_w;
};

struct readings {
	struct reading *all;
	size_t n;
};

/* All that a device's rails are made of. */
struct source {
	const struct lab *lab;
	const struct lab_target *target;
	const struct lab_device *device;
	struct series_gaps gaps;	 /* of the segment that is loaded */
	const struct align_marks *marks; /* by meter; NULL: times as they came */
	int64_t from_ns, to_ns;
	struct meter_sample *samples[LAB_METERS_MAX]; /* by meter */
	size_t samples_n[LAB_METERS_MAX];
};

static int add_reading(struct readings *out, const struct reading *reading)
{
	/* Grows at powers of two. */
	if ((out->n & (out->n - 1)) == 0) {
		size_t room = out->n ? 2 * out->n : 1;
		struct reading *grown = realloc(out->all, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		out->all = grown;
	}
	out->all[out->n++] = *reading;
	return 0;
}

/* The readings of one feed's channel. */
static int take_channel(const struct source *s, const struct lab_feed *feed,
			struct rail_channel *out)
{
	const struct meter_sample *samples = s->samples[feed->meter];
	size_t channel = wiring_index(s->target, feed), n = s->samples_n[feed->meter];

	out->n = 0;
	out->readings = malloc((n + 1) * sizeof(*out->readings));
	if (!out->readings)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (samples[i].channel == channel)
			out->readings[out->n++] = (struct rail_reading){
				samples[i].t_ns, samples[i].error_ns, samples[i].value};
	}
	return 0;
}

static int add_watts(struct readings *out, const struct rail_channel *watts, size_t rail,
		     double factor)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < watts->n; i++) {
		const struct rail_reading *w = &watts->readings[i];

		r = add_reading(
			out, &(struct reading){w->t_ns, w->error_ns, rail, w->value * factor, 0});
	}
	return r;
}

/* The gaps of one meter. */
static size_t gaps_of(const struct source *s, size_t meter, struct rail_gap *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->gaps.n; i++) {
		if (s->gaps.gaps[i].meter == meter)
			out[n++] = s->gaps.gaps[i];
	}
	return n;
}

static int add_product(const struct source *s, struct readings *out, size_t rail,
		       const struct rail_channel *volts, const struct rail_channel *amperes)
{
	const struct lab_rail *of = &s->device->rails[rail];
	struct rail_power *power = malloc((amperes->n + 1) * sizeof(*power));
	struct rail_gap *gaps = malloc((s->gaps.n + 1) * sizeof(*gaps));
	int r = power && gaps ? 0 : -ENOMEM;
	size_t n = 0;

	if (r == 0)
		n = rail_multiply(volts, amperes, of->factor, gaps,
				  gaps_of(s, of->feeds[LAB_FEED_VOLTAGE].meter, gaps), power);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_reading(out, &(struct reading){power[i].t_ns, power[i].error_ns, rail,
						       power[i].power_w, power[i].offset_w});
	free(power);
	free(gaps);
	return r;
}

static int add_rail(const struct source *s, struct readings *out, size_t rail)
{
	const struct lab_feed *feeds = s->device->rails[rail].feeds;
	struct rail_channel channels[LAB_FEED_COUNT] = {0};
	int r = 0;

	for (size_t k = 0; r == 0 && k < LAB_FEED_COUNT; k++) {
		const struct lab_meter *meter = &s->lab->meters[feeds[k].meter];

		channels[k].accuracy =
			k == LAB_FEED_CURRENT ? &meter->accuracy.current : &meter->accuracy.voltage;
		if (feeds[k].channel)
			r = take_channel(s, &feeds[k], &channels[k]);
	}
	if (r == 0 && feeds[LAB_FEED_POWER].channel)
		r = add_watts(out, &channels[LAB_FEED_POWER], rail, s->device->rails[rail].factor);
	else if (r == 0)
		r = add_product(s, out, rail, &channels[LAB_FEED_VOLTAGE],
				&channels[LAB_FEED_CURRENT]);
	for (size_t k = 0; k < LAB_FEED_COUNT; k++)
		free(channels[k].readings);
	return r;
}

static bool rail_needs(const struct lab_rail *rail, size_t meter)
{
	for (size_t k = 0; k < LAB_FEED_COUNT; k++) {
		if (rail->feeds[k].channel && rail->feeds[k].meter == meter)
			return true;
	}
	return false;
}

static int add_gap_end(const struct source *s, struct readings *out, size_t rail, int64_t t_ns)
{
	if (t_ns < s->from_ns || t_ns > s->to_ns)
		return 0;
	return add_reading(out, &(struct reading){.t_ns = t_ns, .rail = rail, .power_w = NAN});
}

/* Just after the last reading before it, and just before the first one after it. */
static int add_gaps(const struct source *s, struct readings *out, size_t rail)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->gaps.n; i++) {
		const struct rail_gap *gap = &s->gaps.gaps[i];

		if (!rail_needs(&s->device->rails[rail], gap->meter))
			continue;
		if (gap->from_ns > INT64_MIN)
			r = add_gap_end(s, out, rail, gap->from_ns + 1);
		if (r == 0 && gap->to_ns < INT64_MAX)
			r = add_gap_end(s, out, rail, gap->to_ns - 1);
	}
	return r;
}

static int by_time(const void *a, const void *b)
{
	const struct reading *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->rail < y->rail ? -1 : x->rail > y->rail;
}

/* Sums the rails at each reading. */
static int sum_rails(const struct readings *in, size_t rails_n, struct series *out)
{
	struct reading *last = calloc(rails_n + 1, sizeof(*last));

	out->n = 0;
	out->samples = malloc((in->n + 1) * sizeof(*out->samples));
	out->offset_w = malloc((in->n + 1) * sizeof(*out->offset_w));
	if (!last || !out->samples || !out->offset_w) {
		free(last);
		return -ENOMEM;
	}
	for (size_t i = 0; i < rails_n; i++)
		last[i].power_w = NAN;
	for (size_t i = 0; i < in->n; i++) {
		double sum = 0, offset = 0;

		last[in->all[i].rail] = in->all[i];
		for (size_t j = 0; j < rails_n; j++) {
			sum += last[j].power_w;
			offset += last[j].offset_w;
		}
		if (isnan(sum) && !isnan(in->all[i].power_w))
			continue;
		out->offset_w[out->n] = offset;
		out->samples[out->n++] = (struct edge_sample){
			.t_ns = in->all[i].t_ns,
			.error_ns = in->all[i].error_ns,
			.power_w = sum,
		};
	}
	free(last);
	return 0;
}

/* A time of a meter's readings, less its lag. */
static int64_t on_time(const struct source *s, size_t meter, int64_t t_ns)
{
	return s->marks ? t_ns - align_lag(&s->marks[meter], t_ns, NULL) : t_ns;
}

/* The other way round: a lag hardly changes over as long as it is. */
static int64_t as_read(const struct source *s, size_t meter, int64_t t_ns)
{
	return s->marks ? t_ns + align_lag(&s->marks[meter], t_ns, NULL) : t_ns;
}

static int load_meter(struct source *s, struct store *store, int segment, size_t meter,
		      struct err *err)
{
	int r = store_load_samples(store, segment, (int)meter, as_read(s, meter, s->from_ns),
				   as_read(s, meter, s->to_ns), &s->samples[meter],
				   &s->samples_n[meter], err);

	for (size_t i = 0; r == 0 && i < s->samples_n[meter]; i++)
		s->samples[meter][i].t_ns = on_time(s, meter, s->samples[meter][i].t_ns);
	return r;
}

static int load_meters(struct source *s, struct store *store, int segment, struct err *err)
{
	int r = 0;

	for (size_t m = 0; r == 0 && m < s->lab->meters_n; m++) {
		bool needed = false;

		for (size_t i = 0; i < s->device->rails_n; i++)
			needed = needed || rail_needs(&s->device->rails[i], m);
		if (needed)
			r = load_meter(s, store, segment, m, err);
	}
	return r;
}

static int load_gaps(struct source *s, const struct series_gaps *gaps, int segment)
{
	struct rail_gap *here = malloc((gaps->n + 1) * sizeof(*here));

	if (!here)
		return -ENOMEM;
	s->gaps = (struct series_gaps){here, 0};
	for (size_t i = 0; i < gaps->n; i++) {
		struct rail_gap *gap = &here[s->gaps.n];

		if (gaps->gaps[i].segment != segment)
			continue;
		*gap = gaps->gaps[i];
		if (gap->from_ns > INT64_MIN)
			gap->from_ns = on_time(s, gap->meter, gap->from_ns);
		if (gap->to_ns < INT64_MAX)
			gap->to_ns = on_time(s, gap->meter, gap->to_ns);
		s->gaps.n++;
	}
	return 0;
}

/* Frees the readings, also if they could not be had: r. */
static int make_series(struct readings *readings, int r, size_t rails_n, struct series *out)
{
	if (readings->n)
		qsort(readings->all, readings->n, sizeof(readings->all[0]), by_time);
	if (r == 0)
		r = sum_rails(readings, rails_n, out);
	free(readings->all);
	if (r < 0)
		series_free(out);
	return r;
}

int series_load(struct store *store, int segment, const struct lab *lab,
		const struct lab_target *target, const struct lab_device *device,
		const struct series_gaps *gaps, const struct align_marks *marks, int64_t from_ns,
		int64_t to_ns, struct series *out, struct err *err)
{
	struct source source = {.lab = lab,
				.target = target,
				.device = device,
				.marks = marks,
				.from_ns = from_ns,
				.to_ns = to_ns};
	struct readings readings = {0};
	int r = load_gaps(&source, gaps, segment);

	*out = (struct series){0};
	if (r == 0)
		r = load_meters(&source, store, segment, err);
	for (size_t i = 0; r == 0 && i < device->rails_n; i++) {
		r = add_rail(&source, &readings, i);
		if (r == 0)
			r = add_gaps(&source, &readings, i);
	}
	r = make_series(&readings, r, device->rails_n, out);
	free((void *)source.gaps.gaps);
	for (size_t m = 0; m < LAB_METERS_MAX; m++)
		free(source.samples[m]);
	return r;
}

int series_load_raw(struct store *store, int segment, const struct lab *lab,
		    const struct lab_target *target, const struct lab_device *device, size_t meter,
		    int64_t from_ns, int64_t to_ns, struct series *out, struct err *err)
{
	struct source source = {
		.lab = lab, .target = target, .device = device, .from_ns = from_ns, .to_ns = to_ns};
	struct readings readings = {0};
	size_t rails_n = 0;
	int r = load_meter(&source, store, segment, meter, err);

	*out = (struct series){0};
	for (size_t i = 0; r == 0 && i < device->rails_n; i++) {
		const struct lab_feed *feed = wiring_flow(&device->rails[i], meter);
		struct rail_channel channel = {0};

		if (!feed)
			continue;
		r = take_channel(&source, feed, &channel);
		if (r == 0)
			r = add_watts(&readings, &channel, rails_n++, device->rails[i].factor);
		free(channel.readings);
	}
	r = make_series(&readings, r, rails_n, out);
	free(source.samples[meter]);
	return r;
}

void series_free(struct series *series)
{
	free(series->samples);
	free(series->offset_w);
	*series = (struct series){0};
}

int series_cut(const struct series *series, int64_t from_ns, int64_t to_ns, double **out, size_t *n,
	       double *offset_w)
{
	double *x = malloc((series->n + 1) * sizeof(*x)), sum = 0;

	if (!x)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < series->n; i++) {
		if (series->samples[i].t_ns < from_ns || series->samples[i].t_ns > to_ns)
			continue;
		sum += series->offset_w[i];
		x[(*n)++] = series->samples[i].power_w;
	}
	*offset_w = *n ? sum / (double)*n : 0;
	*out = x;
	return 0;
}
