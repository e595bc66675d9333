/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd_kernel.h"
#include "command.h"
#include "labfile.h"
#include "msg.h"
#include "plan.h"
#include "rig.h"
#include "target_use.h"

#define SECOND INT64_C(1000000000)

struct options {
	const char *lab, *target;
	struct plan_arm arm; /* its strings belong to argv */
};

static const struct command command_boot = {
	.name = "kernel boot",
	.arguments = "--lab LAB [--target NAME] (--kernel K --from K | --image FILE) [OPTIONS]",
	.what = "boot a kernel on a target by kexec, and say what runs before and after",
	.help = "  --lab FILE        the lab (docs/lab.md)\n"
		"  --target NAME     which of the lab's targets; may be left out if it has one\n"
		"  --kernel K        the kernel that must run afterwards. Virtual target: one of "
		"the\n"
		"                    cache; else what uname -r must begin with\n"
		"  --from K          the kernel before. Virtual target: the one of the cache that "
		"is\n"
		"                    powered on; else what uname -r must begin with, any if not "
		"given\n"
		"  --image FILE      real target: the image, a file here (which is sent), or\n"
		"                    target:/PATH for one there\n"
		"  --initrd FILE     likewise\n"
		"  --append STR      added to the command line of the kernel that runs\n"
		"  --syscall WORD    file (kexec -s, the default) or load (kexec -c)\n"
		"\n"
		"A real target is left in the new kernel. A virtual one is powered off again.\n"
		"Exit status: 0 it runs, 2 bad usage or bad input, 3 it does not run.\n",
	.run = kernel_boot_command,
};

/* Options that do not go together, before anything is started. */
static int check(const struct options *o, const struct lab_target *target)
{
	const struct plan_kexec *kexec = &o->arm.kexec;

	if (strcmp(target->transport, "virtual") != 0)
		return kexec->image ? 0
				    : command_usage(&command_boot, "a real target needs --image");
	if (kexec->image || kexec->initrd)
		return command_usage(&command_boot,
				     "the kernels of a virtual target are the cache's: --kernel");
	if (!*o->arm.kernel || !kexec->from)
		return command_usage(&command_boot, "a virtual target needs --kernel and --from");
	return 0;
}

static void tell(const struct rig *rig)
{
	const struct msg *hello = rig_hello(rig), *how = rig_how(rig);
	const struct msg *checked = msg_get(how, "checked");

	printf("before: Linux %s\n", msg_get_str(how, "from"));
	printf("after:  Linux %s %s", msg_get_str(hello, "release"), msg_get_str(hello, "version"));
	for (size_t i = 0; i < msg_count(checked); i++)
		printf("%s%s", i ? ", " : "; as asked for by ", msg_text(msg_at(checked, i)));
	puts(msg_count(checked) ? "" : "; there is nothing to compare it with: give --kernel");
}

static int boot(const struct options *o, const struct lab *lab, const struct lab_target *target)
{
	char name[] = "boot";
	struct plan_arm arm = o->arm;
	const struct plan plan = {
		.arms = &arm,
		.arms_n = 1,
		.answer_limit_ns = 15 * SECOND,
		.boot_limit_ns = 90 * SECOND,
	};
	const struct rig_options options = {
		.lab = lab,
		.target = target,
		.plan = &plan,
		.target_files = target_use_files(),
		.leaves_kernel = true,
	};
	struct lock *lock = NULL;
	struct rig *rig = NULL;
	struct err err = {""};
	int r;

	arm.name = name;
	r = target_use_lock(lab, target, "coldrig kernel boot", &lock, &err);
	if (r == 0)
		r = rig_up(&options, &rig, &err);
	if (r == 0)
		tell(rig);
	rig_down(rig);
	lock_release(lock);
	return r < 0 ? command_fail(r == -EINVAL ? EXIT_USAGE : EXIT_LAB, &err) : EXIT_AS_EXPECTED;
}

static int start(const struct options *o)
{
	const struct lab_target *target = NULL;
	struct lab *lab = NULL;
	struct err err = {""};
	int status, r = labfile_load(o->lab, &lab, &err);

	if (r == 0)
		r = target_use_find(lab, o->target, &target, &err);
	if (r < 0) {
		lab_free(lab);
		return command_fail(EXIT_USAGE, &err);
	}
	status = check(o, target);
	if (status == EXIT_AS_EXPECTED)
		status = boot(o, lab, target);
	lab_free(lab);
	return status;
}

static const struct option long_options[] = {
	{"lab", required_argument, NULL, 'l'},	  {"target", required_argument, NULL, 't'},
	{"kernel", required_argument, NULL, 'k'}, {"from", required_argument, NULL, 'f'},
	{"image", required_argument, NULL, 'i'},  {"initrd", required_argument, NULL, 'r'},
	{"append", required_argument, NULL, 'a'}, {"syscall", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},	  {0},
};

/* An option's place in *o; NULL for --syscall and --help. */
static const char **place_of(struct options *o, int c)
{
	switch (c) {
	case 'l':
		return &o->lab;
	case 't':
		return &o->target;
	case 'k':
		return (const char **)&o->arm.kernel;
	case 'f':
		return (const char **)&o->arm.kexec.from;
	case 'i':
		return (const char **)&o->arm.kexec.image;
	case 'r':
		return (const char **)&o->arm.kexec.initrd;
	case 'a':
		return (const char **)&o->arm.kexec.append;
	default:
		return NULL;
	}
}

static int read_syscall(struct options *o, const char *word)
{
	for (int i = 0; i < PLAN_SYSCALL_COUNT; i++) {
		if (strcmp(word, plan_syscall_name((enum plan_syscall)i)) == 0) {
			o->arm.kexec.syscall = (enum plan_syscall)i;
			return 0;
		}
	}
	return command_usage(&command_boot, "--syscall %s: file or load", word);
}

/* 0 to go on, else *status is what to exit with. */
static int parse(int argc, char **argv, struct options *o, int *status)
{
	int c;

	optind = 1;
	opterr = 0;
	*status = 0;
	while (*status == 0 && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		const char **place = place_of(o, c);

		if (place) {
			*place = optarg;
		} else if (c == 's') {
			*status = read_syscall(o, optarg);
		} else if (c == 'h') {
			*status = command_help(&command_boot);
			return -1;
		} else {
			*status = command_usage(&command_boot,
						"unknown option or missing value: '%s'",
						argv[optind - 1]);
		}
	}
	if (*status == 0 && optind < argc)
		*status = command_usage(&command_boot, "unexpected argument '%s'", argv[optind]);
	if (*status == 0 && !o->lab)
		*status = command_usage(&command_boot, "--lab is needed");
	return *status ? -1 : 0;
}

int kernel_boot_command(int argc, char **argv)
{
	char any[] = "";
	struct options o = {.arm = {.kernel = any,
				    .d3cold_allowed = -1,
				    .kexec = {.present = true, .syscall = PLAN_SYSCALL_FILE}}};
	int status;

	if (parse(argc, argv, &o, &status) < 0)
		return status;
	target_use_signals();
	return start(&o);
}
