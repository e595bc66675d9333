/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_lab.h"
#include "command.h"
#include "lab_check.h"
#include "labfile.h"
#include "rig.h"
#include "target_use.h"

struct options {
	const char *lab, *target;
	bool exercise, json;
};

static const struct command command_check = {
	.name = "lab check",
	.arguments = "--lab LAB [--target NAME] [--exercise] [--json]",
	.what = "look whether all is there that a lab file says",
	.help = "  --lab FILE     the lab (docs/lab.md)\n"
		"  --target NAME  only this target\n"
		"  --exercise     also drive the lines: reset, perst, power off and on. This "
		"takes\n"
		"                 the target down\n"
		"  --json         for machines\n"
		"\n"
		"Without --exercise nothing is driven: lines are opened and read, targets and "
		"meters\n"
		"are asked. Exit status: 0 all is well, 2 bad usage or bad input, 3 something is "
		"not.\n",
	.run = lab_check_command,
};

struct output {
	bool json;
	struct msg *findings; /* of --json */
	const char *target;   /* whose findings are being printed */
	int n;
};

static void print_finding(const struct msg *finding, struct output *out)
{
	const char *target = msg_get_str(finding, "target"), *text = msg_get_str(finding, "text");
	const struct msg *active = msg_get(finding, "active");
	const char *what = msg_get_str(finding, "what");
	bool is_long = strcmp(what, "transport") == 0 || strcmp(what, "console") == 0;
	const char *now = msg_is_null(active)			   ? ""
			  : msg_get_bool(finding, "active", false) ? "active"
								   : "inactive";

	if (out->n++ == 0 || (target && (!out->target || strcmp(target, out->target) != 0)))
		printf("%s%s%s\n", out->n > 1 ? "\n" : "", target ? "target " : "meters",
		       target ? target : "");
	else if (!target && out->target)
		puts("\nmeters");
	printf("  %-10s %-10s %-9s %-8s  %s\n", what, is_long ? "" : msg_get_str(finding, "name"),
	       msg_get_str(finding, "state"), now, text);
	fflush(stdout);
}

static void on_finding(const struct msg *finding, void *context)
{
	struct output *out = context;
	static char target[128];

	if (out->json) {
		msg_add(out->findings, msg_copy(finding));
		return;
	}
	print_finding(finding, out);
	snprintf(target, sizeof(target), "%s",
		 msg_get_str(finding, "target") ? msg_get_str(finding, "target") : "");
	out->target = *target ? target : NULL;
}

static void print_json(const struct lab *lab, struct msg *findings, bool ok)
{
	struct msg *all = msg_object();
	char *text;

	msg_set_str(all, "lab", lab->name);
	msg_set_bool(all, "ok", ok);
	msg_set(all, "checks", findings);
	text = msg_dump_pretty(all);
	puts(text);
	free(text);
	msg_free(all);
}

static int check(const struct options *o, const struct lab *lab, const struct lab_target *target)
{
	struct output out = {.json = o->json, .findings = o->json ? msg_array() : NULL};
	const struct lab_check_options options = {
		.lab = lab,
		.target = target,
		.exercise = o->exercise,
		.found = on_finding,
		.context = &out,
	};
	int failed = lab_check(&options);

	if (o->json)
		print_json(lab, out.findings, failed == 0 && !rig_is_interrupted());
	if (rig_is_interrupted())
		fprintf(stderr, "coldrig: lab %s: stopped by the user\n", lab->name);
	else if (failed)
		fprintf(stderr, "coldrig: lab %s: %d of its checks failed\n", lab->name, failed);
	return failed || rig_is_interrupted() ? EXIT_LAB : EXIT_AS_EXPECTED;
}

static int start(const struct options *o)
{
	const struct lab_target *target = NULL;
	struct lab *lab = NULL;
	struct err err = {""};
	int status, r = labfile_load(o->lab, &lab, &err);

	if (r == 0 && o->target)
		r = target_use_find(lab, o->target, &target, &err);
	status = r < 0 ? command_fail(EXIT_USAGE, &err) : check(o, lab, target);
	lab_free(lab);
	return status;
}

static const struct option long_options[] = {
	{"lab", required_argument, NULL, 'l'}, {"target", required_argument, NULL, 't'},
	{"exercise", no_argument, NULL, 'e'},  {"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},      {0},
};

int lab_check_command(int argc, char **argv)
{
	struct options o = {0};
	int c;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'l')
			o.lab = optarg;
		else if (c == 't')
			o.target = optarg;
		else if (c == 'e')
			o.exercise = true;
		else if (c == 'j')
			o.json = true;
		else if (c == 'h')
			return command_help(&command_check);
		else
			return command_usage(&command_check,
					     "unknown option or missing value: '%s'",
					     argv[optind - 1]);
	}
	if (optind < argc)
		return command_usage(&command_check, "unexpected argument '%s'", argv[optind]);
	if (!o.lab)
		return command_usage(&command_check, "--lab is needed");
	target_use_signals();
	return start(&o);
}
