/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that a meter's process shares with its parent, for blocks that are too many for a pipe. It
 * has slots, used in turn: the child fills one and says so through the pipe, the parent gives it back.
 */
#ifndef COLDRIG_METER_RING_H
#define COLDRIG_METER_RING_H

#include <stddef.h>

struct meter_ring;

/* Before the fork. Freed with meter_ring_free(). -ENOMEM, -EMFILE. */
int meter_ring_new(struct meter_ring **out);
void meter_ring_free(struct meter_ring *ring);

/* What the child must keep open, and where it has moved it to. */
int meter_ring_fd(const struct meter_ring *ring);
void meter_ring_set_fd(struct meter_ring *ring, int fd);

/* Child: the next slot, waiting until it is free; NULL if a signal came instead. It is chunk_block_bound(
 * METER_BLOCK_MAX) bytes long. */
void *meter_ring_take(struct meter_ring *ring);

/* Parent: what the child put into slot number n, counted from 0 on; and that it may use it again. */
const void *meter_ring_slot(const struct meter_ring *ring, size_t n);
void meter_ring_give_back(struct meter_ring *ring);

#endif
