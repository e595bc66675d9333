/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Subcommands: each file cmd_NAME.c exports one, main.c lists them, help prints the list. */
#ifndef COLDRIG_COMMAND_H
#define COLDRIG_COMMAND_H

#include "err.h"

enum exit_status {
	EXIT_AS_EXPECTED = 0,
	EXIT_LIMITS = 1, /* a verdict or comparison failed the plan's limits */
	EXIT_USAGE = 2,	 /* bad usage or bad input */
	EXIT_LAB = 3	 /* the lab failed, or the user stopped it */
};

struct command {
	const char *name;
	const char *arguments;		   /* for the usage line */
	const char *what;		   /* one line of help */
	const char *help;		   /* options and more, several lines */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct command command_run, command_resume, command_replay, command_meter,
	command_kernel;

/* "coldrig: what: why" on stderr; returns status. */
int command_fail(int status, const struct err *err);
int command_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --help was asked for: prints it and returns EXIT_AS_EXPECTED. */
int command_help(const struct command *command);

#endif
