/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_meter.h"
#include "meter_scan.h"
#include "msg.h"

#define DRIVERS_MAX 512

struct scan {
	bool is_json;
	int64_t limit_ns; /* for each driver */
	size_t found;
	char *drivers[DRIVERS_MAX];
	size_t drivers_n;
};

static void print_found(void *context, const struct meter_found *found)
{
	const struct meter_identity *id = &found->identity;
	struct scan *scan = context;
	char text[METER_IDENTITY_SIZE], *dump;
	struct msg *line;

	scan->found++;
	if (!scan->is_json) {
		meter_identity_text(id, text);
		printf("%-40s %s\n", found->spec, text);
		return;
	}
	line = msg_object();
	msg_set_str(line, "spec", found->spec);
	msg_set_str(line, "vendor", id->vendor);
	msg_set_str(line, "model", id->model);
	msg_set_str(line, "version", id->version);
	msg_set_str(line, "serial", id->serial);
	dump = msg_dump(line);
	puts(dump);
	free(dump);
	msg_free(line);
}

static void keep_driver(void *context, const char *name)
{
	struct scan *scan = context;

	if (scan->drivers_n < DRIVERS_MAX)
		scan->drivers[scan->drivers_n++] = strdup(name);
}

/* Each driver looks where it can look by itself; most find nothing, and that is no error. */
static int scan_all(struct scan *scan, struct err *err)
{
	int r = meter_scan_drivers(scan->limit_ns, keep_driver, scan, err);

	for (size_t i = 0; i < scan->drivers_n; i++) {
		struct err why;

		if (r == 0 && scan->drivers[i] &&
		    meter_scan(scan->drivers[i], scan->limit_ns, print_found, scan, &why) ==
			    -ETIMEDOUT)
			fprintf(stderr, "coldrig: %s\n", why.text);
		free(scan->drivers[i]);
	}
	return r;
}

int cmd_meter_scan(int argc, char **argv)
{
	static const struct option table[] = {{"json", no_argument, NULL, 'j'},
					      {"start-limit", required_argument, NULL, 's'},
					      {0}};
	static struct scan scan;
	struct err err = {""};
	int c, r = 0;

	opterr = 0;
	optind = 1;
	scan = (struct scan){.limit_ns = METER_START_NS};
	while (r == 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'j')
			scan.is_json = true;
		else if (c == 's')
			r = cmd_meter_start_limit("scan", optarg, &scan.limit_ns);
		else
			r = cmd_meter_usage("scan", "%s: not an option, or its value is missing",
					    argv[optind - 1]);
	}
	if (r)
		return r;
	if (argc - optind > 1)
		return cmd_meter_usage("scan", "one SPEC at most");
	r = optind < argc ? meter_scan(argv[optind], scan.limit_ns, print_found, &scan, &err)
			  : scan_all(&scan, &err);
	if (r == 0)
		return EXIT_AS_EXPECTED;
	return command_fail(r == -EINVAL ? EXIT_USAGE : EXIT_LAB, &err);
}
