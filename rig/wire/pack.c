/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pack.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

uint32_t pack_crc32(const void *bytes, size_t n)
{
	return (uint32_t)crc32_z(0, bytes, n);
}

int pack_deflate(const void *bytes, size_t n, void **out, size_t *out_n)
{
	uLongf size = compressBound((uLong)n);
	void *buffer = malloc(size);

	if (!buffer)
		return -ENOMEM;
	if (compress2(buffer, &size, bytes, (uLong)n, Z_BEST_SPEED) != Z_OK) {
		free(buffer);
		return -ENOMEM;
	}
	*out = buffer;
	*out_n = size;
	return 0;
}

int pack_inflate(const void *bytes, size_t n, void *out, size_t want)
{
	uLongf size = (uLongf)want;

	if (uncompress(out, &size, bytes, (uLong)n) != Z_OK || size != want)
		return -EBADMSG;
	return 0;
}
