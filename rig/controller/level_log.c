/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "level_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state_word.h"

/* A level as it was measured: read again when it is known how late its meters are. */
struct level_log_window {
	int segment, arm, device;
	bool is_d0;
	int64_t from_ns, to_ns;
};

int level_log_init(struct level_log *log, const struct plan *plan, const struct lab_target *target)
{
	size_t n = plan->arms_n * target->devices_n;

	*log = (struct level_log){.devices_n = target->devices_n};
	log->all = calloc(n, sizeof(*log->all));
	if (!log->all)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		log->all[i].d0.why = log->all[i].d3hot.why = "its level was not measured";
	return 0;
}

void level_log_free(struct level_log *log)
{
	free(log->all);
	free(log->open);
}

struct result_levels *level_log_of(const struct level_log *log, int arm, int device)
{
	return &log->all[(size_t)arm * log->devices_n + (size_t)device];
}

static struct result_power *power_of(const struct level_log *log, const struct level_log_window *w)
{
	struct result_levels *levels = level_log_of(log, w->arm, w->device);

	return w->is_d0 ? &levels->d0 : &levels->d3hot;
}

static int read_level(const struct level_log *log, const struct level_log_window *w,
		      const struct readings *readings, struct err *err)
{
	struct result_power *power = power_of(log, w);
	struct readings_window window;
	int r = readings_load(readings, w->segment, w->device, w->from_ns, w->to_ns, 0, &window,
			      err);

	if (r < 0)
		return r;
	power->level = window.level;
	power->why = power->level.valid ? NULL : "no usable samples";
	readings_window_free(&window);
	return 0;
}

int level_log_take(struct level_log *log, const struct store_entry *entry, int device,
		   const struct readings *readings, struct err *err)
{
	struct state_word begin = state_word_read(msg_get(entry->body, "begin"));
	struct state_word end = state_word_read(msg_get(entry->body, "end"));
	struct state_word word = state_word_weaker(&begin, &end);
	struct level_log_window *grown,
		w = {
			.segment = entry->segment,
			.arm = entry->arm,
			.device = device,
			.is_d0 = strcmp(msg_get_str(entry->body, "state"), "D0") == 0,
			.from_ns = msg_get_int(entry->body, "t0_ns", -1),
			.to_ns = msg_get_int(entry->body, "t1_ns", -1),
		};

	*power_of(log, &w) =
		(struct result_power){.why = "the device could not be brought to this state"};
	if (w.from_ns < 0 || word.sysfs != (w.is_d0 ? SYSFS_ACTIVE : SYSFS_D3HOT))
		return 0;
	grown = realloc(log->open, (log->open_n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	log->open = grown;
	log->open[log->open_n++] = w;
	return read_level(log, &w, readings, err);
}

int level_log_read_again(struct level_log *log, const struct readings *readings, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < log->open_n; i++)
		r = read_level(log, &log->open[i], readings, err);
	return r;
}

void level_log_close(struct level_log *log)
{
	log->open_n = 0;
}
