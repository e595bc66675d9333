/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"
#include "suite.h"

#define EXIT_USAGE 2

int main(int argc, char **argv)
{
	struct options options;

	if (!options_parse(argc, argv, &options))
		return EXIT_USAGE;
	if (options.help) {
		options_usage();
		return 0;
	}
	if (options.list) {
		suite_list(&options);
		return 0;
	}
	return suite_run(&options);
}
