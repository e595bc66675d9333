/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "runfile.h"

/* Is this the text of summary.json? *there is false if there is no such file. */
static bool is_same(const struct runfile *run, const char *text, bool *there)
{
	size_t n = strlen(text);
	char *path = NULL, *was = malloc(n + 2);
	FILE *file = NULL;
	bool same = false;

	*there = false;
	if (was && asprintf(&path, "%s/summary.json", run->dir) >= 0)
		file = fopen(path, "re");
	if (file) {
		*there = true;
		same = fread(was, 1, n + 1, file) == n && memcmp(was, text, n) == 0;
		fclose(file);
	}
	free(path);
	free(was);
	return same;
}

static int replay(const char *dir, bool is_json)
{
	struct runfile run;
	struct err err = {""};
	char *text = NULL;
	struct runfile_word word = {0};
	bool there = false, same = false;
	int r = runfile_open(dir, true, &run, &err), status;

	if (r == 0)
		r = runfile_summary(&run, &text, &word, &err);
	if (r == 0) {
		same = is_same(&run, text, &there);
		if (is_json)
			puts(text);
		else
			r = runfile_print(&run, stdout, &err);
	}
	status = word.limits_ok ? EXIT_AS_EXPECTED : EXIT_LIMITS;
	if (r < 0) {
		status = command_fail(EXIT_USAGE, &err);
	} else if (there && !same) {
		fprintf(stderr, "coldrig: %s/summary.json: differs from what the journal gives\n",
			dir);
		status = EXIT_LIMITS;
	} else {
		fprintf(stderr,
			there ? "coldrig: %s: replayed, summary.json is the same byte for byte\n"
			      : "coldrig: %s: replayed; the run wrote no summary.json yet\n",
			dir);
		if (word.is_rejected)
			status = command_fail(EXIT_LAB, &word.rejection);
	}
	free(text);
	runfile_close(&run);
	return status;
}

static int replay_command(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	bool is_json = false;
	int c;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'h')
			return command_help(&command_replay);
		if (c != 'j')
			return command_usage(&command_replay, "unknown option '%s'",
					     argv[optind - 1]);
		is_json = true;
	}
	if (optind != argc - 1)
		return command_usage(&command_replay, "one run directory is needed");
	return replay(argv[optind], is_json);
}

const struct command command_replay = {
	.name = "replay",
	.arguments = "DIR [--json]",
	.what = "recompute verdicts and figures of a run, offline",
	.help = "Reads run.db alone, changes nothing, and compares with summary.json.\n",
	.run = replay_command,
};
