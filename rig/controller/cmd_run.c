/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "labfile.h"
#include "lock.h"
#include "meter.h"
#include "planfile.h"
#include "rig.h"
#include "runfile.h"
#include "runner.h"
#include "target_use.h"
#include "vlab.h"

struct options {
	const char *lab, *plan, *target, *dir;
	bool is_json, is_quiet;
};

static int take_lock(const struct lab *lab, const struct lab_target *target, const char *dir,
		     struct lock **lock, struct err *err)
{
	char user[2 * PATH_MAX], cwd[PATH_MAX] = "";

	if (dir[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		cwd[0] = 0;
	snprintf(user, sizeof(user), "the run in %s%s%s", cwd, cwd[0] ? "/" : "", dir);
	return target_use_lock(lab, target, user, lock, err);
}

/* What must be there before anything is started. */
static int check_kernels(const struct plan *plan, const struct lab_target *target, struct err *err)
{
	int r = 0;

	if (strcmp(target->transport, "virtual") != 0)
		return 0;
	for (size_t i = 0; r == 0 && i < plan->arms_n; i++) {
		char *dir = NULL;

		r = vlab_kernel_dir(plan->arms[i].kernel, &dir, err);
		free(dir);
		if (r == 0 && plan->arms[i].kexec.present && plan->arms[i].kexec.from) {
			r = vlab_kernel_dir(plan->arms[i].kexec.from, &dir, err);
			free(r == 0 ? dir : NULL);
		}
	}
	return r;
}

static size_t outcomes_n(const struct runfile *run)
{
	size_t n;

	analysis_outcomes(run->analysis, &n);
	return n;
}

/* Publishes what there is and prints it. */
static int finish(const struct runfile *run, const struct options *options,
		  struct runfile_word *word, struct err *err)
{
	char *text = NULL;
	int r = runfile_summary(run, &text, word, err);

	if (r == 0)
		r = runfile_publish(run, text, err);
	if (r == 0 && options->is_json)
		puts(text);
	else if (r == 0 && outcomes_n(run))
		r = runfile_print(run, stdout, err);
	free(text);
	return r;
}

static void say_resume(const struct runfile *run)
{
	size_t n = outcomes_n(run);

	if (n)
		fprintf(stderr,
			"coldrig: %s: %zu of %zu cycles are done and safe; go on with "
			"'coldrig resume %s'\n",
			run->dir, n, runner_count(run->plan, run->target), run->dir);
}

/* Runs what is left of a run that is open, with its lock taken. */
static int carry_out(struct runfile *run, const struct options *options)
{
	struct journal journal = {
		.store = run->store, .analysis = run->analysis, .arm = -1, .cycle = -1};
	struct progress progress;
	struct runner runner = {
		.lab = run->lab,
		.target = run->target,
		.plan = run->plan,
		.run_dir = run->dir,
		.target_files = target_use_files(),
		.journal = &journal,
		.progress = &progress,
	};
	struct err err = {""}, finish_err = {""};
	struct runfile_word word = {0};
	int r;

	progress_init(&progress, outcomes_n(run), runner_count(run->plan, run->target),
		      options->is_quiet);
	r = journal.segment = store_begin_segment(run->store, COLDRIG_VERSION, &err);
	if (r > 0)
		r = store_commit(run->store, &err);
	if (r == 0)
		r = runner_run(&runner, &err);
	progress_end(&progress);
	if (r < 0)
		command_fail(EXIT_LAB, &err);
	/* A disk that is full takes no summary either: say the first thing only. */
	if (r != -ENOSPC && finish(run, options, &word, &finish_err) < 0) {
		command_fail(EXIT_LAB, &finish_err);
		r = r < 0 ? r : -EIO;
	}
	if (r < 0) {
		say_resume(run);
		return EXIT_LAB;
	}
	if (word.is_rejected)
		return command_fail(EXIT_LAB, &word.rejection);
	return word.limits_ok ? EXIT_AS_EXPECTED : EXIT_LIMITS;
}

/* A meter that nobody can drive is found before anything is started. */
static int check_meters(const struct lab *lab, struct err *err)
{
	for (size_t i = 0; i < lab->meters_n; i++) {
		const struct lab_meter *meter = &lab->meters[i];
		struct err why = {""};

		if (meter_check_driver(meter->spec, &why) < 0)
			return err_set(err, -EINVAL, "%s:%zu:%zu: spec: %s", lab->path,
				       meter->spec_line, meter->spec_column, why.text);
	}
	return 0;
}

static int load(const struct options *options, struct lab **lab, struct plan **plan,
		const struct lab_target **target, struct err *err)
{
	const char *name;
	int r = labfile_load(options->lab, lab, err);

	if (r == 0)
		r = check_meters(*lab, err);
	if (r == 0)
		r = planfile_load(options->plan, *lab, plan, err);
	if (r < 0)
		return r;
	name = options->target ? options->target : (*plan)->target;
	*target = name ? lab_find_target(*lab, name) : &(*lab)->targets[0];
	if (!*target)
		return err_set(err, -EINVAL, "%s: there is no target %s in it", options->lab, name);
	return 0;
}

static int start(const struct options *options)
{
	struct lab *lab = NULL;
	struct plan *plan = NULL;
	const struct lab_target *target = NULL;
	struct runfile run = {0};
	struct lock *lock = NULL;
	struct err err = {""};
	int status = EXIT_USAGE;
	int r = load(options, &lab, &plan, &target, &err);

	if (r == 0) {
		status = EXIT_LAB;
		r = check_kernels(plan, target, &err);
	}
	if (r == 0)
		r = take_lock(lab, target, options->dir, &lock, &err);
	if (r < 0) {
		plan_free(plan);
		lab_free(lab);
		return command_fail(status, &err);
	}
	r = runfile_create(options->dir, lab, plan, target, &run, &err);
	if (r < 0)
		status = command_fail(r == -EEXIST ? EXIT_USAGE : EXIT_LAB, &err);
	else
		status = carry_out(&run, options);
	runfile_close(&run);
	lock_release(lock);
	return status;
}

static const struct option long_options[] = {
	{"lab", required_argument, NULL, 'l'},	  {"plan", required_argument, NULL, 'p'},
	{"target", required_argument, NULL, 't'}, {"out", required_argument, NULL, 'o'},
	{"json", no_argument, NULL, 'j'},	  {"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},	  {0},
};

/* 0, or -1 with the status to exit with. */
static int parse(const struct command *command, int argc, char **argv, struct options *o,
		 int *status)
{
	int c;

	optind = 1;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'l':
			o->lab = optarg;
			break;
		case 'p':
			o->plan = optarg;
			break;
		case 't':
			o->target = optarg;
			break;
		case 'o':
			o->dir = optarg;
			break;
		case 'j':
			o->is_json = true;
			break;
		case 'q':
			o->is_quiet = true;
			break;
		case 'h':
			*status = command_help(command);
			return -1;
		default:
			*status = command_usage(command, "unknown option or missing value: '%s'",
						argv[optind - 1]);
			return -1;
		}
	}
	return 0;
}

static int run_command(int argc, char **argv)
{
	struct options o = {0};
	char dir[128];
	time_t now = time(NULL);
	struct tm tm;
	int status;

	if (parse(&command_run, argc, argv, &o, &status) < 0)
		return status;
	if (optind < argc)
		return command_usage(&command_run, "unexpected argument '%s'", argv[optind]);
	if (!o.lab || !o.plan)
		return command_usage(&command_run, "--lab and --plan are needed");
	if (!o.dir) {
		localtime_r(&now, &tm);
		strftime(dir, sizeof(dir), "out/run-%Y%m%d-%H%M%S", &tm);
		o.dir = dir;
	}
	target_use_signals();
	return start(&o);
}

static int resume_command(int argc, char **argv)
{
	struct options o = {0};
	struct runfile run;
	struct lock *lock = NULL;
	struct err err = {""};
	int r, status;

	if (parse(&command_resume, argc, argv, &o, &status) < 0)
		return status;
	if (optind != argc - 1)
		return command_usage(&command_resume, "one run directory is needed");
	if (o.lab || o.plan || o.dir || o.target)
		return command_usage(&command_resume, "a run goes on with its own lab and plan");
	target_use_signals();
	r = runfile_open(argv[optind], false, &run, &err);
	status = EXIT_USAGE;
	if (r == 0) {
		status = EXIT_LAB;
		r = check_kernels(run.plan, run.target, &err);
	}
	if (r == 0)
		r = take_lock(run.lab, run.target, run.dir, &lock, &err);
	status = r < 0 ? command_fail(status, &err) : carry_out(&run, &o);
	runfile_close(&run);
	lock_release(lock);
	return status;
}

const struct command command_run = {
	.name = "run",
	.arguments = "--lab LAB --plan PLAN [--target NAME] [--out DIR] [--json] [--quiet]",
	.what = "carry out a plan on a lab",
	.help = "  --lab FILE     the lab: targets, meters, wiring (docs/lab.md)\n"
		"  --plan FILE    the plan: arms, scenarios, cycles, limits (docs/plan.md)\n"
		"  --target NAME  which of the lab's targets\n"
		"  --out DIR      where the run goes; out/run-DATE-TIME if not given\n"
		"  --json         print summary.json instead of the table\n"
		"  --quiet        no progress\n",
	.run = run_command,
};

const struct command command_resume = {
	.name = "resume",
	.arguments = "DIR [--json] [--quiet]",
	.what = "go on with a run that was stopped or killed",
	.help = "Finished cycles are kept and not run again.\n",
	.run = resume_command,
};
