/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labs from YAML files (docs/lab.md). */
#ifndef COLDRIG_LABFILE_H
#define COLDRIG_LABFILE_H

#include "err.h"
#include "lab.h"

/*
 * Reads and checks a lab. On failure *out is untouched and err says "FILE:LINE:COLUMN: what: why"
 * for what is wrong in the text, "FILE: why" for a file that cannot be read. -EINVAL for bad input,
 * else the errno of reading. Freed with lab_free().
 */
int labfile_load(const char *path, struct lab **out, struct err *err);

/* The same from text that is at hand; path is used for messages and kept in the lab. */
int labfile_parse(const char *path, const char *text, struct lab **out, struct err *err);

#endif
