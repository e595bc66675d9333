/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static const struct command *const commands[] = {
	&command_run,
	&command_resume,
	&command_replay,
	&command_meter,
	&command_export,
	&command_kernel,
	&command_lab,
};

#define COMMANDS_N (sizeof(commands) / sizeof(commands[0]))

static int help(FILE *out)
{
	fputs("Usage: coldrig COMMAND [OPTIONS]\n\n"
	      "Proves whether PCIe devices reach D3cold, what that saves, and if not, why not.\n\n",
	      out);
	for (size_t i = 0; i < COMMANDS_N; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->what);
	fputs("\n'coldrig COMMAND --help' tells more. Exit status: 0 all as expected, 1 a verdict "
	      "or\n"
	      "comparison failed the plan's limits, 2 bad usage or bad input, 3 the lab failed.\n",
	      out);
	return out == stdout ? EXIT_AS_EXPECTED : EXIT_USAGE;
}

/* What is opened later must not get the number of a stream that was closed, and what is written to it. */
static void hold_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int run_command(int argc, char **argv)
{
	if (argc < 2)
		return help(stderr);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return help(stdout);
	if (strcmp(argv[1], "--version") == 0) {
		puts("coldrig " COLDRIG_VERSION);
		return EXIT_AS_EXPECTED;
	}
	for (size_t i = 0; i < COMMANDS_N; i++) {
		if (strcmp(argv[1], commands[i]->name) == 0)
			return commands[i]->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "coldrig: unknown command '%s'; try 'coldrig --help'\n", argv[1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int status;

	/* A peer that goes away, and a file that may not grow, are errors of calls here. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	hold_streams();
	status = run_command(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_AS_EXPECTED) {
		fputs("coldrig: not all of the output could be written\n", stderr);
		status = EXIT_LAB;
	}
	return status;
}
