/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs of the target that the agent runs: found in the usual places, with an end. */
#ifndef COLDRIG_PROGRAM_H
#define COLDRIG_PROGRAM_H

#include <stdint.h>

#include "err.h"
#include "host.h"

/*
 * Runs argv (NULL-terminated, argv[0] a name without a path) and waits for it, at most limit_ns;
 * then it is killed, with all that it started. out_fd gets its standard output, or -1: that is kept
 * for the words, with its standard error. 0 for status 0; -ENOENT there is no such program,
 * -ETIMEDOUT, -EIO any other end; each with words, the program's own last ones among them.
 */
int program_run(const struct host *host, const char *const *argv, int out_fd, int64_t limit_ns,
		struct err *err);

#endif
