/* SPDX-License-Identifier: GPL-3.0-or-later */
/* coldrig-agent: options, and a session over standard input and output. */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "host.h"
#include "protocol.h"
#include "session.h"

static const char usage[] =
	"Usage: coldrig-agent [--root DIR]\n"
	"\n"
	"Runs on a target, as root, and does what a Coldrig controller asks for over its\n"
	"standard input and output. Not for people: try coldrig on another machine.\n"
	"\n"
	"  --root DIR   put DIR before /sys, /proc and /dev, for tests\n"
	"  --version    the agent's version and the protocol's\n"
	"  --help       this text\n";

enum option_id { OPTION_ROOT = 1, OPTION_VERSION, OPTION_HELP };

static const struct option options[] = {
	{"root", required_argument, NULL, OPTION_ROOT},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

static int bad_usage(const char *why)
{
	host_say("%s: try coldrig-agent --help", why);
	return 2;
}

int main(int argc, char **argv)
{
	struct session_config config = {
		.in = STDIN_FILENO, .out = STDOUT_FILENO, .root = "", .version = COLDRIG_VERSION};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case OPTION_ROOT:
			config.root = optarg;
			break;
		case OPTION_VERSION:
			printf("coldrig-agent %s, protocol %d\n", COLDRIG_VERSION,
			       PROTOCOL_VERSION);
			return 0;
		case OPTION_HELP:
			fputs(usage, stdout);
			return 0;
		default:
			return bad_usage("bad option");
		}
	}
	if (optind < argc)
		return bad_usage("it takes no arguments");
	return session_run(&config);
}
