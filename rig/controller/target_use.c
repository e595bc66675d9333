/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "target_use.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

const char *target_use_files(void)
{
	const char *dir = getenv("COLDRIG_TARGET_FILES");

	return dir && *dir ? dir : COLDRIG_TARGET_FILES;
}

static void on_signal(int number)
{
	if (rig_is_interrupted()) { /* the second time at once; the agent restores by itself */
		signal(number, SIG_DFL);
		raise(number);
	}
	rig_interrupt();
}

void target_use_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

int target_use_find(const struct lab *lab, const char *name, const struct lab_target **target,
		    struct err *err)
{
	*target = name ? lab_find_target(lab, name) : &lab->targets[0];
	if (!*target)
		return err_set(err, -EINVAL, "%s: there is no target %s in it", lab->path, name);
	if (!name && lab->targets_n > 1)
		return err_set(err, -EINVAL, "%s: it has %zu targets: which one? --target",
			       lab->path, lab->targets_n);
	return 0;
}

int target_use_lock(const struct lab *lab, const struct lab_target *target, const char *user,
		    struct lock **lock, struct err *err)
{
	char identity[PATH_MAX + 256], holder[2 * PATH_MAX + 128], real[PATH_MAX], when[32];
	time_t now = time(NULL);
	struct tm tm;

	/* A virtual target is made by its lab file, a real one is where its transport leads. */
	if (strcmp(target->transport, "virtual") != 0)
		snprintf(identity, sizeof(identity), "%s", target->transport);
	else
		snprintf(identity, sizeof(identity), "virtual:%s#%s",
			 realpath(lab->path, real) ? real : lab->path, target->name);
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%F %T", &tm);
	snprintf(holder, sizeof(holder), "%s (process %d, since %s)", user, getpid(), when);
	if (lock_take(identity, holder, lock, err) < 0) {
		struct err why = *err;

		return err_set(err, -EBUSY, "target %s: %.400s", target->name, why.text);
	}
	return 0;
}
