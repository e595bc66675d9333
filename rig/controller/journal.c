/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal.h"

#include <time.h>

int64_t journal_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int journal_add(struct journal *journal, const char *kind, struct msg *body,
		const struct outcome **finished, struct err *err)
{
	struct store_entry entry = {
		.t_ns = journal_now_ns(),
		.segment = journal->segment,
		.arm = journal->arm,
		.cycle = journal->cycle,
		.kind = kind,
		.body = body,
	};
	int r = store_append(journal->store, &entry, err);

	if (r == 0)
		r = analysis_feed(journal->analysis, &entry, finished, err);
	msg_free(body);
	return r;
}
