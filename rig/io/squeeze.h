/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compression that keeps up with memory; the only includer of LZ4. */
#ifndef COLDRIG_SQUEEZE_H
#define COLDRIG_SQUEEZE_H

#include <stddef.h>

/* Most bytes that n bytes can become; n up to 1 GiB. */
size_t squeeze_bound(size_t n);

/* out has squeeze_bound(n) bytes; returns those used. */
size_t squeeze(const void *bytes, size_t n, void *out);

/* Expands to exactly want bytes; -EBADMSG if it does not come out so. */
int squeeze_expand(const void *bytes, size_t n, void *out, size_t want);

#endif
