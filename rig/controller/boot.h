/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the kernel of an arm comes to run where it is not powered on: the target boots another kernel,
 * and that one boots it by kexec. Nothing goes on under the name of a kernel that does not run.
 */
#ifndef COLDRIG_BOOT_H
#define COLDRIG_BOOT_H

#include "err.h"
#include "msg.h"
#include "payload.h"
#include "plan.h"
#include "rig.h"

struct boot {
	struct rig *rig;
	const struct plan_arm *arm;
	const struct payload *payload; /* of a virtual target; NULL: the arm names the files */
};

/*
 * Sends the files that the target does not have, loads and boots the kernel, greets its agent,
 * verifies that it is the one asked for, and loads the crash kernel. *hello is what the agent
 * answered before, and then what it answers now. *how says what was done, for "arm-up": from,
 * syscall, checked, crash; freed with msg_free(). -ENOEXEC for a wrong kernel, -EINVAL for an arm
 * that does not fit the target, -EREMOTEIO where the target refuses; others as in rig.h.
 */
int boot_by_kexec(const struct boot *boot, struct msg **hello, struct msg **how, struct err *err);

/* Is this the agent's answer to a greeting that this program can work with? -EPROTO. */
int boot_check_hello(const struct msg *hello, struct err *err);

#endif
