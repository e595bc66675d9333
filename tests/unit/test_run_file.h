/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run file in a directory of its own, for the tests of what is written to one and read from it. */
#ifndef COLDRIG_TEST_RUN_FILE_H
#define COLDRIG_TEST_RUN_FILE_H

#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static char dir[] = "/tmp/coldrig-run-file-XXXXXX"; /* mkdtemp() fills it in */
static char path[64];				    /* of the run file, in it */

/* A unit_run() with the directory, which is gone afterwards. */
static inline int run_file_run(const char *suite_name, const struct unit_case *cases, size_t n)
{
	char command[100];
	int r;

	if (!mkdtemp(dir))
		return 2;
	snprintf(path, sizeof(path), "%s/run.db", dir);
	r = unit_run(suite_name, cases, n);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) == 0 ? r : 2;
}

#endif
