/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recovery.h"

#include <errno.h>
#include <string.h>

/* Which steps make sense. A kernel that has panicked hears no sysrq: its interrupts are off. */
static const bool applies[RECOVERY_SYMPTOM_COUNT][RECOVERY_STEP_COUNT] = {
	/* clang-format off */
	/*                     wait   ask    sysrq  crash  reset  power */
	[RECOVERY_SILENT]   = {true,  true,  true,  true,  true,  true},
	[RECOVERY_CUT]	    = {false, true,  true,  true,  true,  true},
	[RECOVERY_PANICKED] = {false, false, false, true,  true,  true},
	[RECOVERY_ASLEEP]   = {false, false, true,  false, true,  true},
	[RECOVERY_OFF]	    = {false, false, false, false, false, true},
	/* clang-format on */
};

static const char *const step_names[RECOVERY_STEP_COUNT] = {
	[RECOVERY_WAIT] = "wait",   [RECOVERY_ASK] = "ask",	[RECOVERY_SYSRQ] = "sysrq",
	[RECOVERY_CRASH] = "crash", [RECOVERY_RESET] = "reset", [RECOVERY_POWER] = "power",
};

static const char *const symptom_names[RECOVERY_SYMPTOM_COUNT] = {
	[RECOVERY_SILENT] = "silent", [RECOVERY_CUT] = "cut", [RECOVERY_PANICKED] = "panicked",
	[RECOVERY_ASLEEP] = "asleep", [RECOVERY_OFF] = "off",
};

static const char *const found_names[RECOVERY_FOUND_COUNT] = {
	[RECOVERY_NOTHING] = "nothing",		  [RECOVERY_HEARD] = "heard",
	[RECOVERY_SAME_BOOT] = "same-boot",	  [RECOVERY_NEW_BOOT] = "new-boot",
	[RECOVERY_OTHER_KERNEL] = "other-kernel", [RECOVERY_INCOMPLETE] = "incomplete",
};

/* The first step from this one on that applies and can be done. */
static void go_to(struct recovery *r, int step, int64_t t_ns)
{
	for (; step < RECOVERY_STEP_COUNT; step++) {
		if (!applies[r->symptom][step] || !r->means.has[step] ||
		    r->means.limit_ns[step] <= 0)
			continue;
		r->step = (enum recovery_step)step;
		r->step_begin_ns = t_ns;
		return;
	}
	r->state = RECOVERY_FAILED;
}

void recovery_begin(struct recovery *recovery, enum recovery_symptom symptom,
		    const struct recovery_means *means, int64_t t_ns)
{
	*recovery = (struct recovery){.means = *means, .symptom = symptom};
	go_to(recovery, 0, t_ns);
}

int64_t recovery_deadline_ns(const struct recovery *recovery)
{
	return recovery->step_begin_ns + recovery->means.limit_ns[recovery->step];
}

/* A device that did not wake is still asleep in the same boot. */
static bool is_enough(const struct recovery *r, enum recovery_found found)
{
	return found == RECOVERY_NEW_BOOT ||
	       (found == RECOVERY_SAME_BOOT && r->symptom != RECOVERY_ASLEEP);
}

void recovery_take(struct recovery *recovery, enum recovery_found found, int64_t t_ns)
{
	if (recovery->state != RECOVERY_GOES_ON)
		return;
	if (is_enough(recovery, found))
		recovery->state = RECOVERY_BACK;
	else
		go_to(recovery, (int)recovery->step + 1, t_ns);
	/* All was tried to bring a device back; the others are there. */
	if (recovery->state == RECOVERY_FAILED && found == RECOVERY_INCOMPLETE)
		recovery->state = RECOVERY_BACK;
}

const char *recovery_step_name(enum recovery_step step)
{
	return step_names[step];
}

const char *recovery_symptom_name(enum recovery_symptom symptom)
{
	return symptom_names[symptom];
}

const char *recovery_found_name(enum recovery_found found)
{
	return found_names[found];
}

int recovery_step_parse(const char *name, enum recovery_step *out)
{
	for (int i = 0; i < RECOVERY_STEP_COUNT; i++) {
		if (strcmp(name, step_names[i]) == 0) {
			*out = (enum recovery_step)i;
			return 0;
		}
	}
	return -EINVAL;
}
