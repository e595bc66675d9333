/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ladder that brings a target back that stopped answering: which step comes next, and how long
 * it may take. Pure: the caller does what a step says and tells what it found. docs/recovery.md.
 */
#ifndef COLDRIG_RECOVERY_H
#define COLDRIG_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

enum recovery_step {
	RECOVERY_WAIT,	/* a late answer may still come */
	RECOVERY_ASK,	/* greet anew, over a new connection where there are connections */
	RECOVERY_SYSRQ, /* over the console: say what hangs, then reboot */
	RECOVERY_CRASH, /* a crash kernel that was loaded: save its log, have it reboot */
	RECOVERY_RESET, /* the reset line */
	RECOVERY_POWER, /* the power line: off and on */
	RECOVERY_STEP_COUNT
};

/* Why it is needed. */
enum recovery_symptom {
	RECOVERY_SILENT,   /* no answer in time, or no heartbeat */
	RECOVERY_CUT,	   /* the line ended, or carries nonsense, or the agent was started anew */
	RECOVERY_PANICKED, /* the console says so */
	RECOVERY_ASLEEP,   /* the target is well; a device did not wake, which takes a reboot */
	RECOVERY_OFF,	   /* the machine is not there any more */
	RECOVERY_SYMPTOM_COUNT
};

enum recovery_found {
	RECOVERY_NOTHING,   /* no agent, within the step's limit; or the step could not be done */
	RECOVERY_HEARD,	    /* it says something again */
	RECOVERY_SAME_BOOT, /* an agent answers, and the machine did not reboot */
	RECOVERY_NEW_BOOT,  /* an agent answers, of a machine that rebooted */
	RECOVERY_OTHER_KERNEL, /* that, but its kernel is not the one that is wanted */
	RECOVERY_INCOMPLETE,   /* that, but a device is missing; good enough if no step is left */
	RECOVERY_FOUND_COUNT
};

/* What there is to do it with. The limit of a step that is 0 takes the step out. */
struct recovery_means {
	bool has[RECOVERY_STEP_COUNT];
	int64_t limit_ns[RECOVERY_STEP_COUNT];
};

enum recovery_state { RECOVERY_GOES_ON, RECOVERY_BACK, RECOVERY_FAILED };

struct recovery {
	struct recovery_means means;
	enum recovery_symptom symptom;
	enum recovery_state state;
	enum recovery_step step; /* the one to be done; when back, the one that did it */
	int64_t step_begin_ns;
};

/* At the first step that applies; at once RECOVERY_FAILED where none does. */
void recovery_begin(struct recovery *recovery, enum recovery_symptom symptom,
		    const struct recovery_means *means, int64_t t_ns);

/* When the present step has had its time. */
int64_t recovery_deadline_ns(const struct recovery *recovery);

/* What the present step found; goes on to the next one that applies, or ends. */
void recovery_take(struct recovery *recovery, enum recovery_found found, int64_t t_ns);

const char *recovery_step_name(enum recovery_step step);	  /* "wait", "ask", ... */
const char *recovery_symptom_name(enum recovery_symptom symptom); /* "silent", ... */
const char *recovery_found_name(enum recovery_found found);	  /* "nothing", "same-boot", ... */
int recovery_step_parse(const char *name, enum recovery_step *out); /* -EINVAL */

#endif
