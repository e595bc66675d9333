/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes as text that JSON can carry: base64 of RFC 4648, padded. */
#ifndef COLDRIG_BASE64_H
#define COLDRIG_BASE64_H

#include <stddef.h>

/* The text, to be freed with free(). NULL when out of memory. */
char *base64_encode(const void *bytes, size_t n);

/* *bytes, to be freed with free(), and *n. -EINVAL for anything but whole, padded base64; -ENOMEM. */
int base64_decode(const char *text, void **bytes, size_t *n);

#endif
