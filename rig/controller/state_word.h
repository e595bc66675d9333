/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the state witnesses on the target said of a device at one moment. Pure. */
#ifndef COLDRIG_STATE_WORD_H
#define COLDRIG_STATE_WORD_H

#include "evidence.h"
#include "msg.h"

/* All zero where nothing was said. */
struct state_word {
	enum evidence_sysfs sysfs;
	enum evidence_acpi acpi;
	enum evidence_rpm rpm;
};

/* From the agent's answer to "state" (protocol.h); null and missing members say nothing. */
struct state_word state_word_read(const struct msg *state);

/* Of two words the one that claims less; nothing is said where one of them is missing. */
struct state_word state_word_weaker(const struct state_word *a, const struct state_word *b);

#endif
