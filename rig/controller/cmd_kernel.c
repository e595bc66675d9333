/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd_kernel.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

/* Runs kernel/NAME of the source tree in place of this process: it has its own messages and statuses. */
static int run_script(int argc, char **argv)
{
	const char *dir = getenv("COLDRIG_KERNEL_SCRIPTS");
	char path[PATH_MAX];
	struct err err;

	(void)argc;
	snprintf(path, sizeof(path), "%s/%s", dir && *dir ? dir : COLDRIG_KERNEL_SCRIPTS, argv[0]);
	argv[0] = path;
	execv(path, argv);
	err_set(&err, -errno,
		"%s: %s: run coldrig from a clone, or name its folder kernel in "
		"COLDRIG_KERNEL_SCRIPTS",
		path, strerror(errno));
	return command_fail(EXIT_LAB, &err);
}

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the name */
} subcommands[] = {
	{"list", run_script},
	{"build", run_script},
	{"boot", kernel_boot_command},
};

static int kernel_command(int argc, char **argv)
{
	if (argc < 2)
		return command_usage(&command_kernel, "one of list, build, boot wanted");
	if (strcmp(argv[1], "--help") == 0)
		return command_help(&command_kernel);
	for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return subcommands[i].run(argc - 1, argv + 1);
	}
	return command_usage(&command_kernel, "there is no '%s'", argv[1]);
}

const struct command command_kernel = {
	.name = "kernel",
	.arguments = "list|build|boot [OPTIONS]",
	.what = "kernels and patch series: what there is, building and booting them",
	.help = "  list   stock kernels and series known, and what of them is here\n"
		"  build  modules of a patch series, to be loaded into its stock kernel\n"
		"  boot   boots a kernel on a target by kexec\n\n"
		"'coldrig kernel build --help' and 'coldrig kernel boot --help' tell more.\n",
	.run = kernel_command,
};
