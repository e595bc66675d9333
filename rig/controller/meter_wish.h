/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the subcommands of `coldrig meter` that read one have in common: what is wished for, until when. */
#ifndef COLDRIG_METER_WISH_H
#define COLDRIG_METER_WISH_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "meter.h"
#include "meter_choice.h"
#include "yaml_number.h"

#define METER_WISH_CHANNELS_MAX 64

/* Its strings are argv's. */
struct meter_wish {
	const char *lab, *word; /* as meter_choice_make() takes them */
	const char *channels[METER_WISH_CHANNELS_MAX];
	size_t channels_n; /* 0: all */
	double rate_hz;	   /* 0: the lab's, or 10 Hz */
	int64_t start_ns;  /* 0: the lab's, or 2 s */
	bool is_json;
};

/* For getopt_long(); a subcommand lists those that it takes, and its own ones with other letters. */
#define METER_WISH_LAB                                                                             \
	{                                                                                          \
		"lab", required_argument, NULL, 'l'                                                \
	}
#define METER_WISH_CHANNEL                                                                         \
	{                                                                                          \
		"channel", required_argument, NULL, 'c'                                            \
	}
#define METER_WISH_RATE                                                                            \
	{                                                                                          \
		"rate", required_argument, NULL, 'r'                                               \
	}
#define METER_WISH_START                                                                           \
	{                                                                                          \
		"start-limit", required_argument, NULL, 's'                                        \
	}
#define METER_WISH_JSON                                                                            \
	{                                                                                          \
		"json", no_argument, NULL, 'j'                                                     \
	}

/* Takes an option of the subcommand's own: 0, or an exit status after a complaint. */
typedef int meter_wish_own(int letter, const char *value, void *context);

/*
 * Parses a subcommand's options and its one word; own may be NULL. 0, or an exit status after a
 * complaint.
 */
int meter_wish_parse(int argc, char **argv, const struct option *table, meter_wish_own *own,
		     void *context, struct meter_wish *out);

/* A quantity of more than 0, the value of an option: 0, or an exit status after a complaint. */
int meter_wish_quantity(const char *subcommand, const char *option, const char *text,
			enum yaml_quantity quantity, double *out);

/* The options for that meter; its strings are those of both. */
struct meter_options meter_wish_options(const struct meter_wish *wish,
					const struct meter_choice *choice);

/* From here on SIGINT, SIGTERM and SIGHUP only ask for an end. */
void meter_wish_catch_signals(void);
bool meter_wish_is_over(void);

#endif
