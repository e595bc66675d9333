/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "series.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "wiring.h"

#define ALL_METERS (-1)

/* One rail's reading, in watts of the rail. */
struct reading {
	int64_t t_ns, error_ns;
	size_t rail;
	double power_w;
};

struct readings {
	struct reading *all;
	size_t n;
};

static int add_meter(struct readings *out, const struct meter_sample *samples, size_t n,
		     const struct lab_target *target, const struct lab_device *device, size_t meter)
{
	struct reading *grown = realloc(out->all, (out->n + n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	out->all = grown;
	for (size_t i = 0; i < n; i++) {
		const struct lab_rail *rail =
			wiring_rail(target, device, meter, samples[i].channel);

		if (!rail)
			continue;
		out->all[out->n++] = (struct reading){
			.t_ns = samples[i].t_ns,
			.error_ns = samples[i].error_ns,
			.rail = (size_t)(rail - device->rails),
			.power_w = samples[i].value_w * rail->factor,
		};
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct reading *x = a, *y = b;

	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->rail < y->rail ? -1 : x->rail > y->rail;
}

/* Sums the rails at each reading; those of one meter only, unless it is ALL_METERS. */
static int sum_rails(const struct readings *in, const struct lab_device *device, int meter,
		     struct series *out)
{
	size_t rails_n = device->rails_n;
	double *last = malloc((rails_n + 1) * sizeof(*last));

	out->n = 0;
	out->samples = malloc((in->n + 1) * sizeof(*out->samples));
	if (!last || !out->samples) {
		free(last);
		return -ENOMEM;
	}
	for (size_t i = 0; i < rails_n; i++)
		last[i] = meter == ALL_METERS || device->rails[i].meter == (size_t)meter ? NAN : 0;
	for (size_t i = 0; i < in->n; i++) {
		double sum = 0;

		last[in->all[i].rail] = in->all[i].power_w;
		for (size_t j = 0; j < rails_n; j++)
			sum += last[j];
		if (isnan(sum))
			continue;
		out->samples[out->n++] = (struct edge_sample){
			.t_ns = in->all[i].t_ns,
			.error_ns = in->all[i].error_ns,
			.power_w = sum,
		};
	}
	free(last);
	return 0;
}

static const struct align_marks as_they_came;

/* Loads what a meter says of a device within [from_ns, to_ns], in times less its lag. */
static int load_meter(struct store *store, int segment, const struct lab_target *target,
		      const struct lab_device *device, size_t meter,
		      const struct align_marks *marks, int64_t from_ns, int64_t to_ns,
		      struct readings *out, struct err *err)
{
	/* Of one clock's times to the other's: the lag hardly changes over as much as it is. */
	int64_t from_lag_ns = align_lag(marks, from_ns, NULL);
	int64_t to_lag_ns = align_lag(marks, to_ns, NULL);
	struct meter_sample *samples;
	size_t n;
	int r = store_load_samples(store, segment, (int)meter, from_ns + from_lag_ns,
				   to_ns + to_lag_ns, &samples, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		samples[i].t_ns -= align_lag(marks, samples[i].t_ns, NULL);
	r = add_meter(out, samples, n, target, device, meter);
	free(samples);
	return r;
}

static int finish(struct readings *readings, const struct lab_device *device, int meter,
		  struct series *out)
{
	int r;

	if (readings->n)
		qsort(readings->all, readings->n, sizeof(readings->all[0]), by_time);
	r = sum_rails(readings, device, meter, out);
	if (r < 0)
		series_free(out);
	return r;
}

int series_load(struct store *store, int segment, const struct lab *lab,
		const struct lab_target *target, const struct lab_device *device,
		const struct align_marks *marks, int64_t from_ns, int64_t to_ns, struct series *out,
		struct err *err)
{
	struct readings readings = {0};
	int r = 0;

	*out = (struct series){0};
	for (size_t m = 0; r == 0 && m < lab->meters_n; m++)
		r = load_meter(store, segment, target, device, m, &marks[m], from_ns, to_ns,
			       &readings, err);
	if (r == 0)
		r = finish(&readings, device, ALL_METERS, out);
	free(readings.all);
	return r;
}

int series_load_raw(struct store *store, int segment, const struct lab_target *target,
		    const struct lab_device *device, size_t meter, int64_t from_ns, int64_t to_ns,
		    struct series *out, struct err *err)
{
	struct readings readings = {0};
	int r = load_meter(store, segment, target, device, meter, &as_they_came, from_ns, to_ns,
			   &readings, err);

	*out = (struct series){0};
	if (r == 0)
		r = finish(&readings, device, (int)meter, out);
	free(readings.all);
	return r;
}

void series_free(struct series *series)
{
	free(series->samples);
	*series = (struct series){0};
}

int series_cut(const struct series *series, int64_t from_ns, int64_t to_ns, double **out, size_t *n)
{
	double *x = malloc((series->n + 1) * sizeof(*x));

	if (!x)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < series->n; i++) {
		if (series->samples[i].t_ns >= from_ns && series->samples[i].t_ns <= to_ns)
			x[(*n)++] = series->samples[i].power_w;
	}
	*out = x;
	return 0;
}
