/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd_lab.h"

#include <string.h>

#include "command.h"

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the name */
} subcommands[] = {
	{"check", lab_check_command},
	{"line", lab_line_command},
};

static int lab_command(int argc, char **argv)
{
	if (argc < 2)
		return command_usage(&command_lab, "one of check, line wanted");
	if (strcmp(argv[1], "--help") == 0)
		return command_help(&command_lab);
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	}
	return command_usage(&command_lab, "there is no '%s'", argv[1]);
}

const struct command command_lab = {
	.name = "lab",
	.arguments = "check|line [OPTIONS]",
	.what = "what a lab file wires: checking it, and driving a line by hand",
	.help = "  check  looks whether lines, targets and meters are there and answer\n"
		"  line   reads, watches, switches or presses one line\n\n"
		"'coldrig lab check --help' and 'coldrig lab line --help' tell more.\n",
	.run = lab_command,
};
