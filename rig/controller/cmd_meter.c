/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd_meter.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "meter.h"
#include "yaml_number.h"

#define START_LIMIT_HELP                                                                           \
	"  --start-limit TIME  how long a meter may take until it is ready, such as '5 s' (2 s; "  \
	"60 "                                                                                      \
	"s\n                      at most)\n"

static const struct meter_subcommand subcommands[] = {
	{"scan", "[SPEC] [OPTIONS]", "list the meters that answer",
	 "Without a SPEC each of libsigrok's drivers for instruments looks where it can look by "
	 "itself,\nwhich is mostly USB.\n\n"
	 "  --start-limit TIME  how long each driver may look, such as '5 s' (2 s; 60 s at most)\n"
	 "  --json              a JSON object a line\n",
	 cmd_meter_scan},
	{"show", "(SPEC | --lab LAB NAME) [OPTIONS]",
	 "tell who a meter is, its channels with their units, and its settings",
	 "A unit comes with a channel's first reading.\n\n" START_LIMIT_HELP
	 "  --json              all of it as a JSON object\n",
	 cmd_meter_show},
	{"read", "(SPEC | --lab LAB NAME) [OPTIONS]", "print readings as they come",
	 "  --channel NAME      read this channel; may be given several times (all)\n"
	 "  --count N           end after N readings (10; 0: on Ctrl-C)\n"
	 "  --rate RATE         readings a second over all channels, such as '20 "
	 "Hz'\n" START_LIMIT_HELP "  --json              a JSON object a line\n",
	 cmd_meter_read},
	{"record", "(SPEC | --lab LAB NAME) --out FILE [OPTIONS]", "read a meter to disk",
	 "  --out FILE          a new file; 'coldrig export' makes others of it\n"
	 "  --channel NAME      read this channel; may be given several times (all)\n"
	 "  --rate RATE         readings a second over all channels, such as '3 kHz' (10 Hz); a\n"
	 "                      meter that sends at a rate of its own has it in its spec\n"
	 "  --duration TIME     end after this time, such as '10 s' (on Ctrl-C)\n"
	 "  --samples N         end after N samples of each channel\n" START_LIMIT_HELP
	 "  --json              what was recorded as a JSON object\n\n"
	 "What is in the file survives whatever happens to this program, half a second later.\n",
	 cmd_meter_record},
};

#define SUBCOMMANDS_N (sizeof(subcommands) / sizeof(subcommands[0]))

int cmd_meter_usage(const char *name, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "coldrig: meter %s: ", name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "; try 'coldrig meter %s --help'\n", name);
	return EXIT_USAGE;
}

int cmd_meter_start_limit(const char *name, const char *text, int64_t *out_ns)
{
	struct err why;
	double seconds;

	if (yaml_number_quantity(text, YAML_DURATION, &seconds, &why) < 0)
		return cmd_meter_usage(name, "--start-limit %s: %s", text, why.text);
	if (!(seconds * 1e9 >= 1 && seconds * 1e9 <= (double)METER_START_MAX_NS))
		return cmd_meter_usage(name, "--start-limit %s: want more than 0, at most %g s",
				       text, (double)METER_START_MAX_NS * 1e-9);
	*out_ns = (int64_t)(seconds * 1e9);
	return 0;
}

static int meter_help(void)
{
	printf("Usage: coldrig meter %s\n\n%s.\n\n", command_meter.arguments, command_meter.what);
	for (size_t i = 0; i < SUBCOMMANDS_N; i++)
		printf("  %-7s %s\n", subcommands[i].name, subcommands[i].what);
	puts("\nSPEC is libsigrok's own form, as 'sigrok-cli --driver' takes it. 'coldrig meter "
	     "NAME\n--help' tells more.");
	return EXIT_AS_EXPECTED;
}

static int subcommand_help(const struct meter_subcommand *sub)
{
	printf("Usage: coldrig meter %s %s\n\n%s.\n%s%s", sub->name, sub->arguments, sub->what,
	       sub->help[0] ? "\n" : "", sub->help);
	return EXIT_AS_EXPECTED;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return true;
	}
	return false;
}

static int meter_command(int argc, char **argv)
{
	if (argc < 2)
		return command_usage(&command_meter, "one of its subcommands wanted");
	if (strcmp(argv[1], "--help") == 0)
		return meter_help();
	for (size_t i = 0; i < SUBCOMMANDS_N; i++) {
		if (strcmp(argv[1], subcommands[i].name) != 0)
			continue;
		if (wants_help(argc - 1, argv + 1))
			return subcommand_help(&subcommands[i]);
		return subcommands[i].run(argc - 1, argv + 1);
	}
	return command_usage(&command_meter, "there is no '%s'", argv[1]);
}

const struct command command_meter = {
	.name = "meter",
	.arguments = "SUBCOMMAND [OPTIONS]",
	.what = "find and read meters, whatever libsigrok can read",
	.help = "",
	.run = meter_command,
};
