/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "export.h"
#include "yaml_number.h"

static const struct export_format *const formats[] = {&export_csv, &export_hdf5, &export_sr};

struct options {
	const struct export_format *format;
	const char *in, *out;
	int64_t from_ns, to_ns;
	double rate_hz; /* 0: as the samples are */
};

static int take_format(struct options *o)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i]->name, optarg) == 0)
			o->format = formats[i];
	}
	return o->format ? 0
			 : command_usage(&command_export, "--format %s: csv, hdf5 or sr wanted",
					 optarg);
}

static int take_quantity(const char *option, enum yaml_quantity quantity, double *out)
{
	struct err why;

	if (yaml_number_quantity(optarg, quantity, out, &why) < 0)
		return command_usage(&command_export, "%s %s: %s", option, optarg, why.text);
	return *out >= 0 ? 0 : command_usage(&command_export, "%s %s: is negative", option, optarg);
}

static int take_option(int c, struct options *o, const char *word)
{
	double seconds = 0;
	int r = 0;

	switch (c) {
	case 'f':
		return take_format(o);
	case 'o':
		o->out = optarg;
		return 0;
	case 'b':
		r = take_quantity("--from", YAML_DURATION, &seconds);
		o->from_ns = (int64_t)(seconds * 1e9);
		return r;
	case 'e':
		r = take_quantity("--to", YAML_DURATION, &seconds);
		o->to_ns = (int64_t)(seconds * 1e9);
		return r;
	case 'r':
		return take_quantity("--rate", YAML_RATE, &o->rate_hz);
	default:
		return command_usage(&command_export, "%s: not an option, or its value is missing",
				     word);
	}
}

/* 0, or the exit status of a complaint; -1: help was asked for. */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {{"format", required_argument, NULL, 'f'},
					      {"out", required_argument, NULL, 'o'},
					      {"from", required_argument, NULL, 'b'},
					      {"to", required_argument, NULL, 'e'},
					      {"rate", required_argument, NULL, 'r'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c, r = 0;

	*o = (struct options){.to_ns = INT64_MAX};
	opterr = 0;
	optind = 1;
	while (r == 0 && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'h')
			return -1;
		r = take_option(c, o, argv[optind - 1]);
	}
	if (r == 0 && !o->format)
		r = command_usage(&command_export, "--format is missing: csv, hdf5 or sr");
	if (r == 0 && optind + 1 != argc)
		r = command_usage(&command_export, "one run directory or recording is needed");
	if (r == 0 && o->rate_hz > 0 && !o->format->needs_rate)
		r = command_usage(&command_export,
				  "--rate is for sr: %s keeps the times as they are",
				  o->format->name);
	if (r == 0 && o->from_ns >= o->to_ns)
		r = command_usage(&command_export, "--from must be before --to");
	o->in = argv[optind];
	return r;
}

/* run.db of a directory, or the file itself. */
static char *database(const char *in)
{
	struct stat about;
	char *path;

	if (stat(in, &about) < 0 || !S_ISDIR(about.st_mode))
		return strdup(in);
	return asprintf(&path, "%s/run.db", in) < 0 ? NULL : path;
}

/* DIR/samples.csv, or FILE with another ending. */
static char *default_out(const char *in, const char *suffix)
{
	struct stat about;
	const char *base = strrchr(in, '/'), *dot;
	char *path;
	int n;

	if (stat(in, &about) == 0 && S_ISDIR(about.st_mode))
		return asprintf(&path, "%s/samples%s", in, suffix) < 0 ? NULL : path;
	base = base ? base + 1 : in;
	dot = strrchr(base, '.');
	n = dot && dot != base ? (int)(dot - in) : (int)strlen(in);
	return asprintf(&path, "%.*s%s", n, in, suffix) < 0 ? NULL : path;
}

/* Under another name first: what has the right name is whole. */
static int write_out(const struct options *o, struct export_rows *rows, const char *out,
		     struct err *err)
{
	char *fresh;
	int r;

	if (access(out, F_OK) == 0)
		return err_set(err, -EEXIST, "%s: there is a file already", out);
	if (asprintf(&fresh, "%s.new", out) < 0)
		return -ENOMEM;
	unlink(fresh);
	r = o->format->write(rows, o->rate_hz, fresh, err);
	if (r == 0 && rename(fresh, out) < 0)
		r = err_set(err, -errno, "%s: cannot be made: %s", out, strerror(errno));
	if (r < 0)
		unlink(fresh);
	free(fresh);
	return r;
}

/* The exit status. */
static int tell(const struct options *o, const struct export_rows *rows, const char *out)
{
	const char *first;
	size_t damaged = export_rows_damaged(rows, &first);

	printf("%s\n", out);
	if (!damaged)
		return EXIT_AS_EXPECTED;
	fprintf(stderr, "coldrig: %s; %zu such, all left out of %s\n", first, damaged, out);
	(void)o;
	return EXIT_USAGE;
}

static int export(const struct options *o)
{
	char *path = database(o->in),
	     *out = o->out ? strdup(o->out) : default_out(o->in, o->format->suffix);
	struct export_rows *rows = NULL;
	struct store *store = NULL;
	struct err err = {""};
	int r = path && out ? 0 : err_set(&err, -ENOMEM, "no memory"), status;

	if (r == 0 && access(path, F_OK) < 0)
		r = err_set(&err, -ENOENT, "%s: %s", path, strerror(errno));
	if (r == 0)
		r = store_open(path, true, &store, &err);
	if (r == 0) {
		struct err why = {""};

		r = export_rows_open(store, o->from_ns, o->to_ns, &rows, &why);
		if (r < 0)
			err_set(&err, r, "%s: %s", o->in, why.text);
	}
	if (r == 0)
		r = write_out(o, rows, out, &err);
	status = r == 0 ? tell(o, rows, out)
			: command_fail(r == -ENOSPC || r == -EIO ? EXIT_LAB : EXIT_USAGE, &err);
	export_rows_close(rows);
	store_close(store);
	free(path);
	free(out);
	return status;
}

static int export_command(int argc, char **argv)
{
	struct options options;
	int status = parse(argc, argv, &options);

	if (status < 0)
		return command_help(&command_export);
	return status ? status : export(&options);
}

const struct command command_export = {
	.name = "export",
	.arguments = "--format csv|hdf5|sr (DIR | FILE) [OPTIONS]",
	.what = "samples of a run or recording, for other programs",
	.help = "  --format F   csv, hdf5, or sr: sigrok's, for sigrok-cli and PulseView\n"
		"  --out FILE   a new file (DIR/samples.F, or FILE with another ending)\n"
		"  --from TIME  from so long after the first sample on, such as '1.5 s'\n"
		"  --to TIME    up to so long after the first sample\n"
		"  --rate RATE  sr: points a second; default: as many as the fastest channel has\n",
	.run = export_command,
};
