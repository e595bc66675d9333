/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add(struct gaps *gaps, const struct rail_gap *gap)
{
	struct rail_gap *grown = realloc(gaps->all, (gaps->n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	gaps->all = grown;
	grown[gaps->n++] = *gap;
	return 0;
}

const struct rail_gap *gaps_last(const struct gaps *gaps, int segment, size_t meter)
{
	for (size_t i = gaps->n; i-- > 0;) {
		if (gaps->all[i].meter == meter && gaps->all[i].segment == segment)
			return &gaps->all[i];
	}
	return NULL;
}

int gaps_take(struct gaps *gaps, const struct store_entry *entry, size_t meter)
{
	const char *event = msg_get_str(entry->body, "event");
	int64_t t_ns = msg_get_int(entry->body, "t_ns", entry->t_ns);
	struct rail_gap *last = (struct rail_gap *)gaps_last(gaps, entry->segment, meter);
	struct rail_gap gap = {.meter = meter, .segment = entry->segment, .to_ns = INT64_MAX};
	bool is_open = last && last->to_ns == INT64_MAX;
	int64_t replayed_ns = msg_get_int(entry->body, "gap_ns", 0);

	if (replayed_ns > 0) {
		gap.from_ns = msg_get_int(entry->body, "last_ns", t_ns);
		gap.to_ns = gap.from_ns + replayed_ns;
		return add(gaps, &gap);
	}
	if (strcmp(event, "lost") == 0 && !is_open) {
		/* Run files of before tell no last reading. */
		gap.from_ns = msg_get_int(entry->body, "last_ns", t_ns);
		return add(gaps, &gap);
	}
	if (strcmp(event, "ready") != 0)
		return 0;
	if (is_open) {
		/* Run files of before tell no first reading. */
		last->to_ns = msg_get_int(entry->body, "first_ns", t_ns);
		return 0;
	}
	gap.from_ns = INT64_MIN;
	gap.to_ns = t_ns;
	return add(gaps, &gap);
}

bool gaps_is_between(const struct rail_gap *gap, int64_t from_ns, int64_t to_ns)
{
	int64_t middle_ns;

	if (gap->from_ns == INT64_MIN)
		return false;
	middle_ns = gap->from_ns + (gap->to_ns - gap->from_ns) / 2;
	return from_ns < middle_ns && middle_ns < to_ns;
}

void gaps_free(struct gaps *gaps)
{
	free(gaps->all);
	*gaps = (struct gaps){0};
}
