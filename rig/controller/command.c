/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>

int command_fail(int status, const struct err *err)
{
	fprintf(stderr, "coldrig: %s\n", err->text);
	return status;
}

int command_usage(const struct command *command, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "coldrig: %s: ", command->name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "; try 'coldrig %s --help'\n", command->name);
	return EXIT_USAGE;
}

int command_help(const struct command *command)
{
	printf("Usage: coldrig %s %s\n\n%s.\n%s%s", command->name, command->arguments,
	       command->what, command->help[0] ? "\n" : "", command->help);
	return EXIT_AS_EXPECTED;
}
