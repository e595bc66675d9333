/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "level.h"

#include <math.h>

/* Twice the 95 % interval, so that noise alone is hardly ever taken for power. */
#define FLOOR_COVERAGE 2.0

struct level level_from(const struct stats_mean *stats, const struct lab_accuracy *accuracy)
{
	struct level l = {
		.valid = stats->n >= LEVEL_SAMPLES_MIN,
		.mean_w = stats->mean,
		.sd_w = stats->sd,
		.n = stats->n,
	};
	double meter_w = stats_combine(accuracy->gain * stats->mean, accuracy->offset_w);

	l.u95_w = stats_combine(stats->u95, meter_w);
	return l;
}

static bool is_noise(const struct level *l)
{
	return l->mean_w <= FLOOR_COVERAGE * l->u95_w;
}

static struct level_judgement judged(bool cold, double threshold_w, const char *why)
{
	return (struct level_judgement){cold ? METER_COLD : METER_NOT_COLD, threshold_w, why};
}

static struct level_judgement unjudged(const char *why)
{
	return (struct level_judgement){METER_NONE, NAN, why};
}

static struct level_judgement against(const struct level *window, const struct level *reference)
{
	double threshold_w = reference->mean_w / 2;
	double apart_w = reference->mean_w - window->mean_w;

	if (window->mean_w + window->u95_w >= threshold_w)
		return judged(false, threshold_w, "above half of the powered level");
	if (apart_w <= stats_combine(reference->u95_w, window->u95_w))
		return unjudged("the window and the powered level lie within their uncertainty");
	return judged(true, threshold_w, "below half of the powered level");
}

struct level_judgement level_judge(const struct level *window, const struct level *d0,
				   const struct level *d3hot)
{
	const struct level *reference = d3hot->valid ? d3hot : d0;

	if (!window->valid)
		return unjudged("no usable samples in the window");
	if (!reference->valid)
		return unjudged("no level of this run to compare with");
	if (!is_noise(reference))
		return against(window, reference);
	if (!d0->valid || is_noise(d0))
		return unjudged("the meter cannot tell this device from nothing");
	return judged(is_noise(window), FLOOR_COVERAGE * window->u95_w,
		      "compared with the meter's noise: D3hot itself draws nothing");
}
