/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "baseline.h"
#include "bind.h"
#include "child.h"
#include "endurance.h"
#include "find.h"
#include "keeper.h"
#include "kmsg.h"
#include "ktap.h"
#include "params.h"
#include "test.h"

#define EXIT_BAIL 3

struct suite {
	const struct options *options;
	struct found found[ROLES_N];
	struct saved saved;
	struct keeper keeper;
	struct ktap ktap;
	int kmsg; /* -1 when the kernel's log cannot be read */
	int signal;
};

/* Each ended by NULL. */
static const struct test *const tables_series[] = {tests_p0, tests_p1, tests_p2, tests_p3,
						   tests_p4, tests_p5, NULL};
static const struct test *const tables_endurance[] = {tests_endurance, NULL};

static bool is_chosen(const struct options *options, const struct test *test)
{
	return !options->filter || fnmatch(options->filter, test->name, FNM_EXTMATCH) == 0;
}

/* Calls each(suite, test) for the tests chosen until one returns false. */
static void each_test(struct suite *suite,
		      bool (*each)(struct suite *suite, const struct test *test))
{
	const struct test *const *table =
		suite->options->endurance ? tables_endurance : tables_series;

	for (; *table; table++) {
		for (const struct test *test = *table; test->name; test++) {
			if (is_chosen(suite->options, test) && !each(suite, test))
				return;
		}
	}
}

static bool list_one(struct suite *suite, const struct test *test)
{
	(void)suite;
	printf("%s\t%s\t%s\n", test->name, device_role_name(test->role), test->proves);
	return true;
}

void suite_list(const struct options *options)
{
	struct suite suite = {.options = options};

	each_test(&suite, list_one);
}

static bool count_one(struct suite *suite, const struct test *test)
{
	(void)test;
	suite->ktap.number++;
	return true;
}

static void say_plan(struct suite *suite)
{
	each_test(suite, count_one);
	ktap_plan(suite->ktap.number);
	suite->ktap.number = 0;
}

static void say_devices(const struct suite *suite)
{
	struct utsname name;

	uname(&name);
	printf("# kernel: %s %s\n", name.release, name.version);
	for (size_t i = 0; i < ROLES_N; i++) {
		const struct found *found = &suite->found[i];

		printf("# %s: %s", device_role_name((enum role)i),
		       found->there ? found->device.bdf : found->why);
		for (size_t j = 1; found->there && j < found->device.functions_n; j++)
			printf(" %s", found->device.functions[j]);
		putchar('\n');
	}
}

/* The role has no device any more. */
static void lose(struct found *found, const char *why)
{
	char bdf[BDF_SIZE];

	/* A copy: to the compiler found->why may overlap what else is in found. */
	snprintf(bdf, sizeof(bdf), "%s", found->device.bdf);
	found->there = false;
	snprintf(found->why, sizeof(found->why), "%s: %.128s", bdf, why);
}

/* A device that nobody can open any more: the roles that would use it are gone. */
static void give_up(struct suite *suite, int group, const char *why)
{
	keeper_leave_group(&suite->keeper, group);
	for (size_t i = 0; i < ROLES_N; i++) {
		struct found *found = &suite->found[i];

		if (found->there && found->device.group == group)
			lose(found, why);
	}
}

struct job {
	const struct test *test;
	const struct device *device;
};

static void run_job(const void *what)
{
	const struct job *job = what;

	baseline(job->device);
	job->test->run(job->device);
}

/* Whatever the test itself has seen. */
static void look_at_log(const struct suite *suite, struct child_result *result)
{
	struct verdict *verdict = &result->verdict;
	char complaint[200];

	if (!kmsg_complaint(suite->kmsg, complaint, sizeof(complaint)))
		return;
	if (verdict->outcome == OUTCOME_FAIL) {
		size_t n = strlen(verdict->notes);

		snprintf(verdict->notes + n, sizeof(verdict->notes) - n, "the kernel says: %s",
			 complaint);
		return;
	}
	verdict->outcome = OUTCOME_FAIL;
	snprintf(verdict->reason, sizeof(verdict->reason), "the kernel says: %s", complaint);
}

static bool run_one(struct suite *suite, const struct test *test)
{
	struct found *found = &suite->found[test->role];
	struct job job = {test, &found->device};
	struct child_result result = {.verdict.outcome = OUTCOME_SKIP};
	char why[HARM_TEXT_SIZE];

	if (found->there)
		child_run(run_job, &job, suite->options->timeout_s, suite->keeper.fd, &result);
	else
		snprintf(result.verdict.reason, sizeof(result.verdict.reason), "%s", found->why);
	look_at_log(suite, &result);
	ktap_result(&suite->ktap, test->name, &result);
	if (result.stuck) {
		snprintf(why, sizeof(why), "%s hangs in the kernel and holds it", test->name);
		give_up(suite, found->device.group, why);
	}
	suite->signal = result.signal ? result.signal : child_signal();
	return !suite->signal;
}

static void release_job(const void *what)
{
	const struct device *device = what;
	int r = bind_release_all(device);

	check(r == 0, "its driver does not let it go: %s", strerror(-r));
}

/* From here on devices have no driver: each test binds what it needs, with the right parameters. */
static void release_devices(struct suite *suite)
{
	for (size_t i = 0; i < ROLES_N && !suite->signal; i++) {
		struct found *found = &suite->found[i];
		struct child_result result;

		if (!found->there)
			continue;
		child_run(release_job, &found->device, suite->options->timeout_s, suite->keeper.fd,
			  &result);
		suite->signal = result.signal;
		if (result.stuck) {
			give_up(suite, found->device.group,
				"its driver hangs when asked to let go");
		} else if (result.verdict.outcome != OUTCOME_PASS) {
			lose(found, result.verdict.reason);
		}
	}
}

/* Devices that are bound to vfio-pci and not ours would be counted wrong by some kernels. */
static const char *why_no_params(const struct saved *saved)
{
	const char *why = NULL;
	struct dirent *entry;
	char bdf[BDF_SIZE];
	DIR *dir = opendir("/sys/bus/pci/drivers/vfio-pci");

	if (!dir)
		return "vfio-pci is not loaded";
	while ((entry = readdir(dir))) {
		if (device_parse_bdf(entry->d_name, bdf) && !saved_has(saved, bdf))
			why = "a device that is not under test is bound to vfio-pci";
	}
	closedir(dir);
	return why;
}

static const char *prepare(struct suite *suite)
{
	int r;

	if (geteuid() != 0)
		return "it must be run by root";
	if (access("/sys/bus/pci/drivers/vfio-pci", F_OK) < 0)
		return "vfio-pci is not loaded: modprobe vfio-pci vfio_iommu_type1";
	if (access("/dev/vfio/vfio", F_OK) < 0)
		return "there is no /dev/vfio/vfio: modprobe vfio_iommu_type1";
	find_devices(suite->options->given, suite->found);
	for (size_t i = 0; i < ROLES_N; i++) {
		if (suite->found[i].there && !saved_add(&suite->saved, &suite->found[i].device))
			return "the devices' groups are too large for it";
	}
	saved_add_params(&suite->saved);
	params_forbid(why_no_params(&suite->saved));
	r = keeper_start(&suite->keeper, &suite->saved);
	return r < 0 ? strerror(-r) : NULL;
}

static int exit_status(const struct suite *suite, int restored)
{
	if (suite->signal)
		return 128 + suite->signal;
	return suite->ktap.failed || restored < 0;
}

int suite_run(const struct options *options)
{
	struct suite suite = {.options = options};
	const char *why;
	int restored;

	child_init();
	endurance_set_cycles(options->endurance);
	say_plan(&suite);
	why = prepare(&suite);
	if (why) {
		ktap_bail(why);
		return EXIT_BAIL;
	}
	say_devices(&suite);
	release_devices(&suite);
	params_reset();
	suite.kmsg = kmsg_open();
	if (!suite.signal)
		each_test(&suite, run_one);
	if (suite.signal)
		ktap_bail(strsignal(suite.signal));
	restored = keeper_end(&suite.keeper);
	ktap_end(&suite.ktap);
	return exit_status(&suite, restored);
}
