/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "endurance.h"

#define TIMEOUT_S	20
#define TIMEOUT_MAX_S	86400
#define TIMEOUT_CYCLE_S 3

enum option_value {
	OPTION_ROLE = 256, /* the first of ROLES_N */
	OPTION_FILTER = OPTION_ROLE + ROLES_N,
	OPTION_TIMEOUT,
	OPTION_ENDURANCE,
	OPTION_LIST,
	OPTION_HELP,
};

static const struct option known[] = {
	{"endpoint", required_argument, NULL, OPTION_ROLE + ROLE_ENDPOINT},
	{"pf", required_argument, NULL, OPTION_ROLE + ROLE_PF},
	{"pme", required_argument, NULL, OPTION_ROLE + ROLE_PME},
	{"set", required_argument, NULL, OPTION_ROLE + ROLE_SET},
	{"filter", required_argument, NULL, OPTION_FILTER},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"endurance", required_argument, NULL, OPTION_ENDURANCE},
	{"list", no_argument, NULL, OPTION_LIST},
	{"help", no_argument, NULL, OPTION_HELP},
	{0},
};

void options_usage(void)
{
	puts("Usage: vfio-pm-conformance [OPTION...]\n"
	     "\n"
	     "Tests the power management of vfio-pci on the running kernel. Prints KTAP. Takes\n"
	     "devices from their drivers, and gives them back on every way out.\n"
	     "\n"
	     "  --endpoint BDF    a device with PCI power management and a memory BAR\n"
	     "  --pf BDF          an SR-IOV physical function, its VFs not enabled\n"
	     "  --pme BDF         a device with PME support bits in its PMC\n"
	     "  --set BDF         a function that shares slot and IOMMU group with another\n"
	     "                    (those not given are looked for among devices not in use)\n"
	     "  --filter PATTERN  only tests whose name matches, as 'p1-*', '@(A|B)'\n"
	     "  --timeout S       time limit of a test, 20 s by default\n"
	     "  --endurance N     instead: N times the same thing, and what is lost by it; 3 s\n"
	     "                    for each are added to the default time limit\n"
	     "  --list            names of tests, the role each needs, and what each proves\n"
	     "  --help            this text\n"
	     "\n"
	     "Exit status: 0 no test failed, 1 one did or something was not restored,\n"
	     "2 bad usage, 3 the suite could not run, 128 + n ended by signal n.");
}

static bool complain(const char *what, const char *value)
{
	fprintf(stderr, "vfio-pm-conformance: %s%s: try --help\n", what, value);
	return false;
}

static bool parse_number(const char *text, const char *what, unsigned min, unsigned max,
			 unsigned *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (end == text || *end || errno || value < min || value > max) {
		fprintf(stderr,
			"vfio-pm-conformance: no number of %s from %u to %u: %s: try --help\n",
			what, min, max, text);
		return false;
	}
	*number = (unsigned)value;
	return true;
}

static bool take(int option, struct options *options)
{
	switch (option) {
	case OPTION_FILTER:
		options->filter = optarg;
		return true;
	case OPTION_TIMEOUT:
		return parse_number(optarg, "seconds", 1, TIMEOUT_MAX_S, &options->timeout_s);
	case OPTION_ENDURANCE:
		return parse_number(optarg, "cycles", ENDURANCE_MIN, ENDURANCE_MAX,
				    &options->endurance);
	case OPTION_LIST:
		return options->list = true;
	case OPTION_HELP:
		return options->help = true;
	default:
		if (option < OPTION_ROLE || option >= OPTION_ROLE + ROLES_N)
			return complain("bad option", "");
		return device_parse_bdf(optarg, options->given[option - OPTION_ROLE]) ||
		       complain("no address of a PCI function: ", optarg);
	}
}

bool options_parse(int argc, char **argv, struct options *options)
{
	int option;

	*options = (struct options){0};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (!take(option, options))
			return false;
	}
	if (!options->timeout_s)
		options->timeout_s = TIMEOUT_S + options->endurance * TIMEOUT_CYCLE_S;
	return optind == argc || complain("unexpected argument: ", argv[optind]);
}
