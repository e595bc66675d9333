/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "readings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "stats.h"
#include "wiring.h"

int readings_init(struct readings *readings, const struct lab *lab, const struct lab_target *target,
		  const struct plan *plan, struct store *store)
{
	*readings = (struct readings){.lab = lab, .target = target, .store = store};
	return alignment_new(lab, target, plan, &readings->alignment);
}

void readings_free(struct readings *readings)
{
	gaps_free(&readings->gaps);
	alignment_free(readings->alignment);
	free(readings->marks);
}

void readings_begin_boot(struct readings *readings, int arm)
{
	readings->marks_n = 0;
	alignment_begin_boot(readings->alignment, arm);
}

int readings_take_clock(struct readings *readings, const struct store_entry *entry)
{
	struct clock_mark mark = {
		.controller_ns = msg_get_int(entry->body, "controller_ns", -1),
		.target_ns = msg_get_int(entry->body, "target_ns", -1),
		.error_ns = msg_get_int(entry->body, "error_ns", -1),
	};
	struct clock_mark *grown;

	if (mark.controller_ns < 0 || mark.target_ns < 0 || mark.error_ns < 0 ||
	    (readings->marks_n &&
	     mark.target_ns <= readings->marks[readings->marks_n - 1].target_ns))
		return -EBADMSG;
	grown = realloc(readings->marks, (readings->marks_n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	readings->marks = grown;
	readings->marks[readings->marks_n++] = mark;
	return 0;
}

int readings_load(const struct readings *readings, int segment, int device, int64_t from_ns,
		  int64_t to_ns, int64_t lead_ns, struct readings_window *out, struct err *err)
{
	const struct series_gaps gaps = {readings->gaps.all, readings->gaps.n};
	const struct lab_device *dev = &readings->target->devices[device];
	struct lab_accuracy accuracy = wiring_accuracy(readings->lab, dev);
	struct stats_mean stats;
	int r;

	*out = (struct readings_window){0};
	r = series_load(readings->store, segment, readings->lab, readings->target, dev, &gaps,
			alignment_marks(readings->alignment), from_ns - lead_ns, to_ns,
			&out->series, err);
	if (r < 0)
		return r;
	r = series_cut(&out->series, from_ns, to_ns, &out->power_w, &out->n, &out->offset_w);
	if (r < 0) {
		series_free(&out->series);
		return r;
	}
	stats = stats_mean(out->power_w, out->n);
	accuracy.offset_w += out->offset_w;
	out->level = level_from(&stats, &accuracy);
	/* With a gap in it the rest is no measurement of the window, nor of anything else. */
	if (isnan(stats.mean))
		out->n = 0;
	return 0;
}

void readings_window_free(struct readings_window *window)
{
	series_free(&window->series);
	free(window->power_w);
}
