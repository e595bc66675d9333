/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "cmd_lab.h"
#include "command.h"
#include "journal.h"
#include "labfile.h"
#include "rig.h"
#include "target_lines.h"
#include "target_use.h"
#include "yaml_number.h"

struct options {
	const char *lab, *target, *line, *action;
	int64_t for_ns; /* 0: until the user stops it */
};

static const struct command command_line = {
	.name = "lab line",
	.arguments = "--lab LAB [--target NAME] LINE read|on|off|press|watch [--for TIME]",
	.what = "read, watch, switch or press one line of a target by hand",
	.help = "  --lab FILE     the lab (docs/lab.md)\n"
		"  --target NAME  which of the lab's targets; may be left out if it has one\n"
		"  LINE           power, reset, force-off, perst, presence or power-good\n"
		"  read           prints active or inactive\n"
		"  on, off        makes it so, and leaves it so, where the hardware keeps it\n"
		"  press          a button: held as the lab file says; a supply: off, and on "
		"again\n"
		"  watch          prints what it is, and each change with its time (monotonic, "
		"ns)\n"
		"  --for TIME     of watch: how long (10 s); else until it is stopped\n"
		"\n"
		"Exit status: 0 done, 2 bad usage or bad input, 3 it cannot be done.\n",
	.run = lab_line_command,
};

static int switch_line(struct target_lines *lines, enum lab_role role, bool active, struct err *err)
{
	const size_t index = target_lines_index(lines, role);
	int r = lines_set(target_lines_all(lines), index, active, err);

	return r < 0 ? r : lines_keep(target_lines_all(lines), index, err);
}

static int do_on(struct target_lines *lines, enum lab_role role, const struct options *o,
		 struct err *err)
{
	(void)o;
	return switch_line(lines, role, true, err);
}

static int do_off(struct target_lines *lines, enum lab_role role, const struct options *o,
		  struct err *err)
{
	(void)o;
	return switch_line(lines, role, false, err);
}

static int do_press(struct target_lines *lines, enum lab_role role, const struct options *o,
		    struct err *err)
{
	(void)o;
	return target_lines_press(lines, role, err);
}

static int do_read(struct target_lines *lines, enum lab_role role, const struct options *o,
		   struct err *err)
{
	bool active = false;
	int r = target_lines_read(lines, role, &active, err);

	(void)o;
	if (r == 0)
		puts(active ? "active" : "inactive");
	return r;
}

static int do_watch(struct target_lines *lines, enum lab_role role, const struct options *o,
		    struct err *err)
{
	struct lines *all = target_lines_all(lines);
	int64_t end_ns = o->for_ns ? journal_now_ns() + o->for_ns : INT64_MAX;
	int r = lines_watch(all, target_lines_index(lines, role), err);

	while (r == 0 && journal_now_ns() < end_ns && !rig_is_interrupted()) {
		struct pollfd p = {.fd = lines_fd(all), .events = POLLIN};
		struct line_event event;

		(void)poll(&p, 1, 50);
		while (r == 0 && lines_next(all, &event)) {
			if (event.kind == LINE_LOST)
				r = err_set(err, event.code, "%s", event.why.text);
			else if (event.kind == LINE_EDGE)
				printf("%" PRId64 " +-%" PRId64 " %s\n", event.t_ns, event.error_ns,
				       event.active ? "active" : "inactive");
		}
		fflush(stdout);
	}
	return r;
}

static const struct {
	const char *name;
	bool drives;
	int (*run)(struct target_lines *lines, enum lab_role role, const struct options *o,
		   struct err *err);
} actions[] = {
	{"read", false, do_read},  {"on", true, do_on},	       {"off", true, do_off},
	{"press", true, do_press}, {"watch", false, do_watch},
};

#define ACTIONS_N (sizeof(actions) / sizeof(actions[0]))

static int find_role(const char *name, enum lab_role *role)
{
	for (int i = 0; i < LAB_ROLE_COUNT; i++) {
		if (strcmp(name, lab_role_name((enum lab_role)i)) == 0) {
			*role = (enum lab_role)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* One who looks does no harm to a run; one who drives does. */
static int carry_out(const struct options *o, const struct lab *lab,
		     const struct lab_target *target, enum lab_role role, size_t action,
		     struct err *err)
{
	struct target_lines *lines = NULL;
	struct lock *lock = NULL;
	int r = 0;

	if (actions[action].drives)
		r = target_use_lock(lab, target, "coldrig lab line", &lock, err);
	if (r == 0)
		r = target_lines_open_some(lab, target, 1u << role, NULL, &lines, err);
	if (r == 0 && !lines)
		r = err_set(err, -ENOENT, "%s: target %s: %s", lab->path, target->name,
			    target->lines[role].kind == LAB_LINE_NONE
				    ? "this line is wired to nothing"
				    : "this line comes with the virtual target");
	if (r == 0)
		r = actions[action].run(lines, role, o, err);
	target_lines_close(lines);
	lock_release(lock);
	return r;
}

static int start(const struct options *o)
{
	const struct lab_target *target = NULL;
	struct lab *lab = NULL;
	struct err err = {""};
	enum lab_role role;
	size_t action = 0;
	int r;

	while (action < ACTIONS_N && strcmp(o->action, actions[action].name) != 0)
		action++;
	if (action == ACTIONS_N)
		return command_usage(&command_line, "%s: read, on, off, press or watch", o->action);
	if (find_role(o->line, &role) < 0)
		return command_usage(&command_line, "there is no line called %s", o->line);
	if (actions[action].drives && lab_role_is_input(role))
		return command_usage(&command_line, "%s is an input: it can be read or watched",
				     o->line);
	r = labfile_load(o->lab, &lab, &err);
	if (r == 0)
		r = target_use_find(lab, o->target, &target, &err);
	if (r < 0) {
		lab_free(lab);
		return command_fail(EXIT_USAGE, &err);
	}
	r = carry_out(o, lab, target, role, action, &err);
	lab_free(lab);
	return r < 0 ? command_fail(EXIT_LAB, &err) : EXIT_AS_EXPECTED;
}

static const struct option long_options[] = {
	{"lab", required_argument, NULL, 'l'},
	{"target", required_argument, NULL, 't'},
	{"for", required_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int read_for(struct options *o, const char *text)
{
	struct err why = {""};
	double seconds;

	if (yaml_number_quantity(text, YAML_DURATION, &seconds, &why) < 0 || seconds <= 0)
		return command_usage(&command_line, "--for %s: %s", text,
				     *why.text ? why.text : "must be more than 0");
	o->for_ns = (int64_t)(seconds * 1e9);
	return 0;
}

int lab_line_command(int argc, char **argv)
{
	struct options o = {0};
	int c, status = 0;

	optind = 1;
	opterr = 0;
	while (status == 0 && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'l')
			o.lab = optarg;
		else if (c == 't')
			o.target = optarg;
		else if (c == 'f')
			status = read_for(&o, optarg);
		else if (c == 'h')
			return command_help(&command_line);
		else
			status = command_usage(&command_line,
					       "unknown option or missing value: '%s'",
					       argv[optind - 1]);
	}
	if (status)
		return status;
	if (!o.lab)
		return command_usage(&command_line, "--lab is needed");
	if (argc - optind != 2)
		return command_usage(&command_line, "a line and what to do with it are wanted");
	o.line = argv[optind];
	o.action = argv[optind + 1];
	target_use_signals();
	return start(&o);
}
