/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A chunk of samples as the bytes that stand in a run file: docs/run-file.md has them one by one.
 * Two codings: readings, each with its own time and error, of any channels; and blocks, the values of
 * one channel on a grid of time. A chunk decodes without any other. Pure functions.
 */
#ifndef COLDRIG_CHUNK_H
#define COLDRIG_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "meter.h"

enum chunk_coding { CHUNK_READINGS = 1, CHUNK_BLOCK = 2 };

#define CHUNK_READINGS_MAX 4096

/*
 * Readings are kept in steps of 2^k ns, at most a 16th of the chunk's least error; what rounding
 * moves is added to the error, so that the true moment still lies within. Values are kept exactly.
 * n is 1 to CHUNK_READINGS_MAX; *out is freed with free(). -ENOMEM.
 */
int chunk_pack_readings(const struct meter_sample *samples, size_t n, void **out, size_t *out_n);

/* Exactly n readings; -EBADMSG if the bytes hold something else. */
int chunk_unpack_readings(const void *bytes, size_t bytes_n, struct meter_sample *samples,
			  size_t n);

/* Bytes that n values of a block need at most. */
size_t chunk_block_bound(size_t n);

/* Values in the unit of the block's channel. Returns the bytes used; out has chunk_block_bound(). */
size_t chunk_pack_block(const struct meter_block *block, const float *values, void *out);

/* *values is freed with free(). -EBADMSG, -ENOMEM. */
int chunk_unpack_block(const void *bytes, size_t bytes_n, struct meter_block *block,
		       float **values);

#endif
