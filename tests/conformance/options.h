/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONFORMANCE_OPTIONS_H
#define CONFORMANCE_OPTIONS_H

#include <stdbool.h>

#include "device.h"

struct options {
	char given[ROLES_N][BDF_SIZE]; /* empty: to be found */
	const char *filter;	       /* of glob(7), or NULL */
	unsigned timeout_s;
	unsigned endurance; /* cycles; 0: the tests of the series */
	bool list, help;
};

/* False after having said on stderr what is wrong. */
bool options_parse(int argc, char **argv, struct options *options);

void options_usage(void);

#endif
