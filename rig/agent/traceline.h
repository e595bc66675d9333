/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of the kernel's trace, of the few events that the agent switches on. */
#ifndef COLDRIG_TRACELINE_H
#define COLDRIG_TRACELINE_H

#include <stdint.h>

/* Names of the two kprobes; their first argument is the device's name. */
#define TRACELINE_SUSPEND "coldrig_suspend"
#define TRACELINE_RESUME  "coldrig_resume"

enum traceline_kind {
	TRACELINE_SUSPEND_BEGINS,
	TRACELINE_RESUME_BEGINS,
	TRACELINE_SUSPEND_RETURNS, /* rpm_return_int of rpm_suspend, also of one merely scheduled */
	TRACELINE_RESUME_RETURNS,
	TRACELINE_LOST, /* the kernel's buffer ran over */
};

struct traceline {
	enum traceline_kind kind;
	char device[64];
	int ret;      /* of the two returns */
	int64_t t_ns; /* trace clock, in whole microseconds; 0 for TRACELINE_LOST */
};

/* -ENOMSG for lines of any other kind. */
int traceline_parse(const char *line, struct traceline *out);

#endif
