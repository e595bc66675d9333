/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "incidents.h"

#include <errno.h>
#include <stdlib.h>

int incidents_add_console(struct incidents *incidents, const struct incidents_console *console)
{
	struct incidents_console *grown = realloc(
		incidents->console, (incidents->console_n + 1) * sizeof(*incidents->console));

	if (!grown)
		return -ENOMEM;
	incidents->console = grown;
	grown[incidents->console_n++] = *console;
	return 0;
}

int incidents_add_recovery(struct incidents *incidents, const struct incidents_recovery *recovery)
{
	struct incidents_recovery *grown =
		realloc(incidents->recoveries,
			(incidents->recoveries_n + 1) * sizeof(*incidents->recoveries));

	if (!grown)
		return -ENOMEM;
	incidents->recoveries = grown;
	grown[incidents->recoveries_n++] = *recovery;
	return 0;
}

int incidents_add_left_out(struct incidents *incidents, const struct incidents_left_out *left_out)
{
	struct incidents_left_out *grown = realloc(
		incidents->left_out, (incidents->left_out_n + 1) * sizeof(*incidents->left_out));

	if (!grown)
		return -ENOMEM;
	incidents->left_out = grown;
	grown[incidents->left_out_n++] = *left_out;
	return 0;
}

void incidents_free(struct incidents *incidents)
{
	free(incidents->console);
	free(incidents->recoveries);
	free(incidents->left_out);
	*incidents = (struct incidents){0};
}

const struct incidents_left_out *incidents_find_left_out(const struct incidents *incidents, int arm,
							 int device)
{
	for (size_t i = 0; i < incidents->left_out_n; i++) {
		if (incidents->left_out[i].arm == arm && incidents->left_out[i].device == device)
			return &incidents->left_out[i];
	}
	return NULL;
}

struct incidents_summary incidents_of_arm(const struct incidents *incidents, int arm)
{
	struct incidents_summary s = {0};

	for (size_t i = 0; i < incidents->recoveries_n; i++) {
		const struct incidents_recovery *r = &incidents->recoveries[i];

		if (r->arm != arm)
			continue;
		s.recoveries++;
		if (!r->back)
			continue;
		s.back++;
		s.by[r->by]++;
		if (r->took_ns > s.longest_ns)
			s.longest_ns = r->took_ns;
	}
	for (size_t i = 0; i < incidents->console_n; i++) {
		if (incidents->console[i].arm != arm)
			continue;
		s.console[incidents->console[i].event.kind]++;
		s.console_n++;
	}
	return s;
}
