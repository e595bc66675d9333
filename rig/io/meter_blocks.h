/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gathers what a driver delivers at a rate into blocks and hands them to the parent, packed. In the
 * meter's process.
 *
 * Times: the first value of each channel was sampled no earlier than the meter was started, and no
 * value was sampled after it came. So start_ns of all blocks is the moment before the start, and its
 * error the least lead that any packet so far leaves for that. A device whose clock is faster than its
 * driver says has values that come before their time; then the error grows with it.
 */
#ifndef COLDRIG_METER_BLOCKS_H
#define COLDRIG_METER_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "meter_backend.h"

struct meter_blocks;

/* limit: values of each channel that are taken, 0: all. Freed with meter_blocks_free(); NULL: no
 * memory. */
struct meter_blocks *meter_blocks_new(struct meter_link *link, size_t channels_n, uint64_t rate_hz,
				      uint64_t limit);
void meter_blocks_free(struct meter_blocks *blocks);

/* Counting begins anew: values that come from now on were sampled after now_ns. */
void meter_blocks_restart(struct meter_blocks *blocks, int64_t now_ns);

/* n values of a channel that came at now_ns, every stride-th of values. */
void meter_blocks_add(struct meter_blocks *blocks, size_t channel, const float *values,
		      size_t stride, size_t n, int64_t now_ns);

/* Hands over what has waited for a while. */
void meter_blocks_tick(struct meter_blocks *blocks, int64_t now_ns);

/* Hands over all. */
void meter_blocks_flush(struct meter_blocks *blocks);

/* Every channel has as many as the limit says. */
bool meter_blocks_full(const struct meter_blocks *blocks);

#endif
