/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "squeeze.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <lz4.h>

size_t squeeze_bound(size_t n)
{
	assert(n <= LZ4_MAX_INPUT_SIZE);
	return (size_t)LZ4_compressBound((int)n);
}

size_t squeeze(const void *bytes, size_t n, void *out)
{
	return (size_t)LZ4_compress_default(bytes, out, (int)n, (int)squeeze_bound(n));
}

int squeeze_expand(const void *bytes, size_t n, void *out, size_t want)
{
	if (n > INT_MAX || want > INT_MAX)
		return -EBADMSG;
	return LZ4_decompress_safe(bytes, out, (int)n, (int)want) == (int)want ? 0 : -EBADMSG;
}
