/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is all there that a lab file says? Lines are opened and read, which changes nothing; targets and meters
 * are asked, each with a limit. With exercise, lines are driven as a recovery drives them.
 */
#ifndef COLDRIG_LAB_CHECK_H
#define COLDRIG_LAB_CHECK_H

#include "lab.h"
#include "msg.h"

enum lab_check_state { LAB_CHECK_OK, LAB_CHECK_FAILED, LAB_CHECK_NOT_WIRED, LAB_CHECK_SKIPPED };

/* {"target":, "what": "line" | "exercise" | "transport" | "device" | "console" | "meter", "name":,
 * "state": "ok" | "failed" | "not-wired" | "skipped", "active": true, false or null, "text":}; target is
 * null for meters. */
struct lab_check_options {
	const struct lab *lab;
	const struct lab_target *target; /* NULL: all */
	bool exercise;
	/* Told each finding as it comes; finding is freed after it. */
	void (*found)(const struct msg *finding, void *context);
	void *context;
};

/* The number of findings that are failed. Stops early when the user wants to stop (rig_interrupt()). */
int lab_check(const struct lab_check_options *options);

const char *lab_check_state_name(enum lab_check_state state);

#endif
