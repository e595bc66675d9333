/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "level.h"

#include <math.h>

/* Twice the 95 % interval, so that noise alone is hardly ever taken for power. */
#define FLOOR_COVERAGE 2.0

struct level level_from(const struct stats_mean *stats, const struct lab_accuracy *accuracy)
{
	struct level l = {
		.valid = stats->n >= LEVEL_SAMPLES_MIN && isfinite(stats->mean) &&
			 isfinite(stats->u95),
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

/* Half of the reference has half of its uncertainty. */
static struct level_judgement against(const struct level *window, const struct level *reference)
{
	double threshold_w = reference->mean_w / 2;
	double margin_w = stats_combine(window->u95_w, reference->u95_w / 2);

	if (window->mean_w - margin_w >= threshold_w)
		return judged(false, threshold_w, "above half of the powered level");
	if (window->mean_w + margin_w < threshold_w)
		return judged(true, threshold_w, "below half of the powered level");
	return unjudged("half of the powered level lies within the window's uncertainty");
}

/* Where D3hot is unknown or draws nothing, below half of D0 is not enough: it may be D3hot. */
static struct level_judgement against_d0(const struct level *window, const struct level *d0,
					 const struct level *d3hot)
{
	struct level_judgement j = against(window, d0);

	if (j.meter != METER_COLD)
		return j;
	if (is_noise(window))
		return judged(true, j.threshold_w, "below half of D0, and nothing but noise");
	if (!d3hot->valid)
		return unjudged("this may be D3hot, whose level was not measured");
	return judged(false, FLOOR_COVERAGE * window->u95_w,
		      "above the meter's noise, while D3hot itself draws nothing");
}

struct level_judgement level_judge(const struct level *window, const struct level *d0,
				   const struct level *d3hot)
{
	if (!window->valid)
		return unjudged("no usable samples in the window");
	if (!d3hot->valid && !d0->valid)
		return unjudged("no level of this run to compare with");
	if (d3hot->valid && !is_noise(d3hot))
		return against(window, d3hot);
	if (!d0->valid || is_noise(d0))
		return unjudged("the meter cannot tell this device from nothing");
	return against_d0(window, d0, d3hot);
}
