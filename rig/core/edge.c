/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "edge.h"

#include <math.h>

static bool is_beyond(const struct edge_sample *s, double threshold_w, bool falling)
{
	return falling ? s->power_w < threshold_w : s->power_w >= threshold_w;
}

static bool is_confirmed(const struct edge_sample *s, size_t n, double threshold_w, bool falling)
{
	if (n < EDGE_CONFIRM)
		return false;
	for (size_t i = 0; i < EDGE_CONFIRM; i++) {
		if (!is_beyond(&s[i], threshold_w, falling))
			return false;
	}
	return true;
}

bool edge_find(const struct edge_sample *samples, size_t n, int64_t from_ns, double threshold_w,
	       bool falling, struct edge *out)
{
	for (size_t i = 1; i < n; i++) {
		const struct edge_sample *a = &samples[i - 1], *b = &samples[i];

		if (b->t_ns < from_ns || isnan(a->power_w) || is_beyond(a, threshold_w, falling) ||
		    !is_confirmed(b, n - i, threshold_w, falling))
			continue;
		out->t_ns = a->t_ns + (b->t_ns - a->t_ns) / 2;
		out->error_ns = (b->t_ns - a->t_ns) / 2 +
				(a->error_ns > b->error_ns ? a->error_ns : b->error_ns);
		return true;
	}
	return false;
}
