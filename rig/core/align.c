/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "align.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "stats.h"

#define QUANTILES  40 /* of the readings, between which thresholds are looked for */
#define THRESHOLDS 4

/* An edge of the readings. */
struct seen {
	struct edge edge;
	bool is_up;
};

/* A lag that lets an edge be a step's. */
struct fit {
	int64_t from_ns, to_ns;
	int64_t edge_error_ns;
	size_t step;
};

/* Where the interval of a fit begins or ends, and how many steps agree from here to the next one. */
struct bound {
	int64_t at_ns;
	size_t step;
	int delta;
	size_t agreed;
};

/* One pattern in the edges of one threshold. */
struct search {
	const struct align_step *steps;
	size_t steps_n;
	struct seen *seen;
	size_t seen_n;
	struct fit *fits;
	size_t fits_n;
	int64_t widest_ns;    /* of the fits */
	struct bound *bounds; /* two for each fit */
	size_t bounds_n;
};

struct gap {
	double width_w, middle_w;
};

static int by_power(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int by_gap(const void *a, const void *b)
{
	const struct gap *x = a, *y = b;

	return x->width_w > y->width_w ? -1 : x->width_w < y->width_w;
}

/*
 * Powers that split the readings into two sorts: the middles of the widest gaps between their
 * quantiles. What the device draws in its states is not known here, nor in how many of them it was.
 */
static int find_thresholds(const struct edge_sample *samples, size_t n, double out[THRESHOLDS])
{
	double *power_w = malloc(n * sizeof(*power_w));
	struct gap gaps[QUANTILES - 2];

	if (!power_w)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		power_w[i] = samples[i].power_w;
	qsort(power_w, n, sizeof(*power_w), by_power);
	for (size_t q = 1; q < QUANTILES - 1; q++) {
		double low_w = power_w[q * (n - 1) / QUANTILES];
		double high_w = power_w[(q + 1) * (n - 1) / QUANTILES];

		gaps[q - 1] = (struct gap){high_w - low_w, low_w + (high_w - low_w) / 2};
	}
	free(power_w);
	qsort(gaps, QUANTILES - 2, sizeof(gaps[0]), by_gap);
	for (size_t i = 0; i < THRESHOLDS; i++)
		out[i] = gaps[i].middle_w;
	return 0;
}

static void find_edges(struct search *s, const struct edge_sample *samples, size_t n,
		       double threshold_w)
{
	for (size_t i = 1; i + EDGE_CONFIRM <= n; i++) {
		for (int up = 0; up < 2; up++) {
			struct seen *seen = &s->seen[s->seen_n];

			if (!edge_find(samples + i - 1, 1 + EDGE_CONFIRM, samples[i].t_ns,
				       threshold_w, !up, &seen->edge))
				continue;
			seen->is_up = up;
			s->seen_n++;
		}
	}
}

static int find_fits(struct search *s)
{
	size_t most = s->seen_n * s->steps_n + 1;
	struct fit *fits = realloc(s->fits, most * sizeof(*fits));
	struct bound *bounds = realloc(s->bounds, 2 * most * sizeof(*bounds));

	s->fits = fits ? fits : s->fits;
	s->bounds = bounds ? bounds : s->bounds;
	if (!fits || !bounds)
		return -ENOMEM;
	for (size_t i = 0; i < s->steps_n; i++) {
		const struct align_step *step = &s->steps[i];

		for (size_t j = 0; j < s->seen_n; j++) {
			const struct edge *edge = &s->seen[j].edge;
			struct fit fit = {edge->t_ns - edge->error_ns - step->to_ns,
					  edge->t_ns + edge->error_ns - step->from_ns,
					  edge->error_ns, i};

			if (s->seen[j].is_up != step->is_up || fit.to_ns < ALIGN_LAG_MIN_NS ||
			    fit.from_ns > ALIGN_LAG_MAX_NS)
				continue;
			s->bounds[s->bounds_n++] = (struct bound){fit.from_ns, i, 1, 0};
			s->bounds[s->bounds_n++] = (struct bound){fit.to_ns, i, -1, 0};
			s->fits[s->fits_n++] = fit;
			if (fit.to_ns - fit.from_ns > s->widest_ns)
				s->widest_ns = fit.to_ns - fit.from_ns;
		}
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return y->delta - x->delta; /* what only touches still agrees */
}

/* Counts steps, not edges: of several edges that may be the same step, one is enough. */
static int count_agreed(struct search *s)
{
	int *open = calloc(s->steps_n, sizeof(*open));
	size_t agreed = 0;

	if (!open)
		return -ENOMEM;
	qsort(s->bounds, s->bounds_n, sizeof(*s->bounds), by_place);
	for (size_t i = 0; i < s->bounds_n; i++) {
		struct bound *b = &s->bounds[i];

		agreed -= open[b->step] > 0;
		open[b->step] += b->delta;
		agreed += open[b->step] > 0;
		b->agreed = agreed;
	}
	free(open);
	return 0;
}

/* The lags on which most steps agree: all that lie no further apart than one fit is wide, since they
 * cannot be told apart. */
static size_t most_agreed(const struct search *s, int64_t *from_ns, int64_t *to_ns)
{
	size_t most = 0;

	for (size_t i = 0; i + 1 < s->bounds_n; i++) {
		const struct bound *b = &s->bounds[i];

		if (b->agreed > most)
			*from_ns = b->at_ns;
		if (b->agreed > most || (b->agreed == most && b->at_ns <= *from_ns + s->widest_ns))
			*to_ns = b[1].at_ns;
		if (b->agreed > most)
			most = b->agreed;
	}
	return most;
}

/* The most steps that agree on a lag that is another one. */
static size_t most_elsewhere(const struct search *s, int64_t from_ns, int64_t to_ns)
{
	size_t most = 0;

	for (size_t i = 0; i + 1 < s->bounds_n; i++) {
		const struct bound *b = &s->bounds[i];

		if ((b->at_ns < from_ns - s->widest_ns || b[1].at_ns > to_ns + s->widest_ns) &&
		    b->agreed > most)
			most = b->agreed;
	}
	return most;
}

/* A step's fit that holds at these lags, the one whose middle is nearest to theirs. */
static const struct fit *fit_of(const struct search *s, size_t step, int64_t from_ns, int64_t to_ns)
{
	const struct fit *best = NULL;
	int64_t best_ns = INT64_MAX;

	for (size_t i = 0; i < s->fits_n; i++) {
		const struct fit *f = &s->fits[i];
		int64_t off_ns = llabs(f->from_ns + f->to_ns - from_ns - to_ns);

		if (f->step != step || f->from_ns > to_ns || f->to_ns < from_ns ||
		    off_ns >= best_ns)
			continue;
		best = f;
		best_ns = off_ns;
	}
	return best;
}

/* Squares of how much the fits of the steps up (or down) scatter, added up, looking at their begin (0),
 * their middle (0.5) or their end (1). */
static double scatter2(const struct search *s, int64_t from_ns, int64_t to_ns, bool up,
		       double where, size_t *n)
{
	double sum = 0, squares = 0;

	*n = 0;
	for (size_t i = 0; i < s->steps_n; i++) {
		const struct fit *f = fit_of(s, i, from_ns, to_ns);
		double ns;

		if (!f || s->steps[i].is_up != up)
			continue;
		ns = (double)(f->from_ns - from_ns) + where * (double)(f->to_ns - f->from_ns);
		sum += ns;
		squares += ns * ns;
		(*n)++;
	}
	return *n ? fmax(0, squares - sum * sum / (double)*n) : 0;
}

/* The same that comes of the time between two readings, in which an edge may lie anywhere. */
static double grain2(const struct search *s, int64_t from_ns, int64_t to_ns)
{
	double sum = 0;

	for (size_t i = 0; i < s->steps_n; i++) {
		const struct fit *f = fit_of(s, i, from_ns, to_ns);

		sum += f ? (double)f->edge_error_ns * (double)f->edge_error_ns / 3 : 0;
	}
	return sum;
}

/*
 * Half width of the 95 % interval of the mean of the fits. Where in its time a step comes is not
 * known, but steps of a kind come at about the same place. That they all come early or late is no
 * scatter: it is what the bounds are for.
 */
static double scatter_ns(const struct search *s, int64_t from_ns, int64_t to_ns)
{
	double sum = 0, all = 0;

	for (int up = 0; up < 2; up++) {
		double least = INFINITY;
		size_t n = 0;

		for (int where = 0; where <= 2; where++)
			least = fmin(least, scatter2(s, from_ns, to_ns, up, where / 2.0, &n));
		sum += least;
		all += (double)n;
	}
	sum = fmax(sum, grain2(s, from_ns, to_ns) * (all - 2) / all);
	return stats_t95(all - 2) * sqrt(sum / (all - 2) / all);
}

static void make_mark(const struct search *s, int64_t from_ns, int64_t to_ns, size_t steps,
		      struct align_mark *out)
{
	int64_t begin_ns = s->steps[0].from_ns, end_ns = s->steps[s->steps_n - 1].to_ns;

	out->lag_ns = from_ns + (to_ns - from_ns) / 2;
	out->t_ns = begin_ns + (end_ns - begin_ns) / 2 + out->lag_ns;
	out->error_ns = (to_ns - from_ns) / 2 + 1 + (int64_t)ceil(scatter_ns(s, from_ns, to_ns));
	out->steps = steps;
}

/* Looks for the pattern in the edges of one threshold. */
static int search_one(struct search *s, const struct edge_sample *samples, size_t n,
		      double threshold_w, struct align_mark *out, const char **why)
{
	int64_t from_ns = 0, to_ns = 0;
	size_t most;
	int r;

	s->seen_n = s->fits_n = s->bounds_n = 0;
	s->widest_ns = 0;
	find_edges(s, samples, n, threshold_w);
	r = find_fits(s);
	if (r == 0)
		r = count_agreed(s);
	if (r < 0)
		return r;
	most = most_agreed(s, &from_ns, &to_ns);
	if (most < ALIGN_STEPS_MIN || most < s->steps_n - s->steps_n / 4)
		return 0;
	*why = "the steps fit the readings at more than one lag";
	if (most_elsewhere(s, from_ns, to_ns) >= s->steps_n - s->steps_n / 4)
		return 0;
	make_mark(s, from_ns, to_ns, most, out);
	return 1;
}

static int search_all(struct search *s, const struct edge_sample *samples, size_t n,
		      struct align_mark *out, const char **why)
{
	double thresholds[THRESHOLDS];
	int found = 0, r = find_thresholds(samples, n, thresholds);

	for (size_t i = 0; r == 0 && i < THRESHOLDS; i++) {
		struct align_mark mark;
		int one = search_one(s, samples, n, thresholds[i], &mark, why);

		if (one < 0)
			r = one;
		if (one > 0 && (!found || mark.steps > out->steps)) {
			*out = mark;
			found = 1;
		}
	}
	return r < 0 ? r : found;
}

int align_find(const struct align_step *steps, size_t steps_n, const struct edge_sample *samples,
	       size_t samples_n, struct align_mark *out, const char **why)
{
	struct search s = {.steps = steps, .steps_n = steps_n};
	int r = 0;

	*why = "the target made too few steps";
	if (steps_n < ALIGN_STEPS_MIN)
		return 0;
	*why = "there are no readings of the steps";
	if (samples_n < 1 + EDGE_CONFIRM)
		return 0;
	*why = "the readings do not show the steps";
	s.seen = malloc(samples_n * sizeof(*s.seen));
	r = s.seen ? search_all(&s, samples, samples_n, out, why) : -ENOMEM;
	free(s.seen);
	free(s.fits);
	free(s.bounds);
	return r;
}

static int64_t beyond(const struct align_mark *mark, int64_t t_ns, int64_t *error_ns)
{
	*error_ns = mark->error_ns + (int64_t)(fabs((double)(t_ns - mark->t_ns)) * ALIGN_DRIFT_MAX);
	return mark->lag_ns;
}

int64_t align_lag(const struct align_marks *marks, int64_t t_ns, int64_t *error_ns)
{
	const struct align_mark *a, *b;
	int64_t unasked_ns;
	size_t i = 0;

	error_ns = error_ns ? error_ns : &unasked_ns;
	*error_ns = 0;
	if (marks->n == 0)
		return 0;
	while (i < marks->n && marks->at[i].t_ns <= t_ns)
		i++;
	if (i == 0)
		return beyond(&marks->at[0], t_ns, error_ns);
	if (i == marks->n)
		return beyond(&marks->at[i - 1], t_ns, error_ns);
	a = &marks->at[i - 1];
	b = &marks->at[i];
	*error_ns = a->error_ns > b->error_ns ? a->error_ns : b->error_ns;
	return a->lag_ns + (int64_t)((double)(b->lag_ns - a->lag_ns) * (double)(t_ns - a->t_ns) /
				     (double)(b->t_ns - a->t_ns));
}
