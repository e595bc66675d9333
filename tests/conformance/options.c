/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT_S     20
#define TIMEOUT_MAX_S 3600

enum option_value {
	OPTION_ROLE = 256, /* the first of ROLES_N */
	OPTION_FILTER = OPTION_ROLE + ROLES_N,
	OPTION_TIMEOUT,
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

static bool parse_timeout(const char *text, unsigned *timeout_s)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (end == text || *end || errno || value < 1 || value > TIMEOUT_MAX_S)
		return complain("no number of seconds from 1 to 3600: ", text);
	*timeout_s = (unsigned)value;
	return true;
}

static bool take(int option, struct options *options)
{
	switch (option) {
	case OPTION_FILTER:
		options->filter = optarg;
		return true;
	case OPTION_TIMEOUT:
		return parse_timeout(optarg, &options->timeout_s);
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

	*options = (struct options){.timeout_s = TIMEOUT_S};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (!take(option, options))
			return false;
	}
	return optind == argc || complain("unexpected argument: ", argv[optind]);
}
