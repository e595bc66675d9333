/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "clock.h"

#include <stdlib.h>

static int64_t way_ns(const struct clock_ping *p)
{
	return (p->received_ns - p->sent_ns) - (p->answered_ns - p->taken_ns);
}

struct clock_mark clock_mark_from(const struct clock_ping *pings, size_t n)
{
	const struct clock_ping *best = pings;

	for (size_t i = 1; i < n; i++) {
		if (way_ns(&pings[i]) < way_ns(best))
			best = &pings[i];
	}
	return (struct clock_mark){
		.controller_ns = best->sent_ns + (best->received_ns - best->sent_ns) / 2,
		.target_ns = best->taken_ns + (best->answered_ns - best->taken_ns) / 2,
		.error_ns = llabs(way_ns(best)) / 2 + 1,
	};
}

static int64_t beyond(const struct clock_mark *mark, int64_t target_ns, int64_t *error_ns)
{
	int64_t distance_ns = target_ns - mark->target_ns;

	if (error_ns)
		*error_ns =
			mark->error_ns + (int64_t)((double)llabs(distance_ns) * CLOCK_DRIFT_MAX);
	return mark->controller_ns + distance_ns;
}

int64_t clock_to_controller(const struct clock_mark *marks, size_t n, int64_t target_ns,
			    int64_t *error_ns)
{
	const struct clock_mark *a, *b;
	size_t i = 0;
	double share;

	while (i < n && marks[i].target_ns <= target_ns)
		i++;
	if (i == 0)
		return beyond(&marks[0], target_ns, error_ns);
	if (i == n)
		return beyond(&marks[n - 1], target_ns, error_ns);
	a = &marks[i - 1];
	b = &marks[i];
	share = (double)(target_ns - a->target_ns) / (double)(b->target_ns - a->target_ns);
	if (error_ns)
		*error_ns = a->error_ns > b->error_ns ? a->error_ns : b->error_ns;
	return a->controller_ns + (int64_t)(share * (double)(b->controller_ns - a->controller_ns));
}
