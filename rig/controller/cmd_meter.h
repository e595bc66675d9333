/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Subcommands of `coldrig meter`: each file cmd_meter_NAME.c has one. */
#ifndef COLDRIG_CMD_METER_H
#define COLDRIG_CMD_METER_H

#include <stdint.h>

#include "command.h"

struct meter_subcommand {
	const char *name;
	const char *arguments;		   /* for the usage line */
	const char *what;		   /* one line of help */
	const char *help;		   /* its options, several lines, or "" */
	int (*run)(int argc, char **argv); /* argv[0] is the name; returns the exit status */
};

int cmd_meter_scan(int argc, char **argv);
int cmd_meter_show(int argc, char **argv);
int cmd_meter_read(int argc, char **argv);
int cmd_meter_record(int argc, char **argv);

/* "coldrig: meter NAME: what; try ..." on stderr; returns EXIT_USAGE. */
int cmd_meter_usage(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The value of --start-limit: 0, or EXIT_USAGE after a complaint. */
int cmd_meter_start_limit(const char *name, const char *text, int64_t *out_ns);

#endif
