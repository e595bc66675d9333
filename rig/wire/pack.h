/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums and compression; the only includer of zlib. */
#ifndef COLDRIG_PACK_H
#define COLDRIG_PACK_H

#include <stddef.h>
#include <stdint.h>

uint32_t pack_crc32(const void *bytes, size_t n);

/* Compresses into a new buffer, zlib's format; *out is freed with free(). -ENOMEM. */
int pack_deflate(const void *bytes, size_t n, void **out, size_t *out_n);

/* Expands to exactly want bytes; -EBADMSG if it does not come out so. */
int pack_inflate(const void *bytes, size_t n, void *out, size_t want);

#endif
