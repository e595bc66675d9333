/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int truth_open(struct truth *truth, const char *path, struct err *err)
{
	struct stat st;

	truth->fd = -1;
	if (!path)
		return 0;
	truth->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (truth->fd < 0 || fstat(truth->fd, &st) < 0 ||
	    (st.st_size == 0 && dprintf(truth->fd, "t_ns,slot,what,value\n") < 0)) {
		int code = -errno;

		truth_close(truth);
		return err_set(err, code, "%s: cannot be written: %s", path, strerror(-code));
	}
	return 0;
}

void truth_write(struct truth *truth, const struct physics_change *change)
{
	static const char *const words[] = {
		[PHYSICS_RAIL] = "rail", [PHYSICS_DSTATE] = "dstate", [PHYSICS_FAULT] = "fault"};
	char value[32];

	if (truth->fd < 0)
		return;
	if (change->what == PHYSICS_FAULT)
		snprintf(value, sizeof(value), "%s",
			 lab_fault_name((enum lab_fault_kind)change->value));
	else
		snprintf(value, sizeof(value), "%d", change->value);
	/* A test that finds too little fails by itself: no reason to end the lab. */
	if (dprintf(truth->fd, "%" PRId64 ",%u,%s,%s\n", change->t_ns, change->slot,
		    words[change->what], value) < 0)
		truth_close(truth);
}

void truth_close(struct truth *truth)
{
	if (truth->fd >= 0)
		close(truth->fd);
	truth->fd = -1;
}
