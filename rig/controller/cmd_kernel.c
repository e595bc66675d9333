/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd_kernel.h"

#include <stdio.h>
#include <string.h>

#include "command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} subcommands[] = {
	{"boot", kernel_boot_command},
};

static int kernel_command(int argc, char **argv)
{
	if (argc < 2)
		return command_usage(&command_kernel, "a subcommand is needed");
	if (strcmp(argv[1], "--help") == 0)
		return command_help(&command_kernel);
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	}
	return command_usage(&command_kernel, "no subcommand '%s'", argv[1]);
}

const struct command command_kernel = {
	.name = "kernel",
	.arguments = "boot [OPTIONS]",
	.what = "boot kernels on targets",
	.help = "  boot     boot a kernel on a target by kexec\n"
		"\n"
		"'coldrig kernel boot --help' tells more.\n",
	.run = kernel_command,
};
