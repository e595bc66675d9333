/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verdict on one cycle: a pure function of its evidence. docs/verdicts.md has the truth table;
 * the unit test covers every combination.
 *
 * The state's word is sysfs; where sysfs has none, ACPI's D3cold stands in. The rpm trace does not
 * change a verdict (a suspended device may be in D3hot or D3cold), it is kept as dissent.
 */
#ifndef COLDRIG_VERDICT_H
#define COLDRIG_VERDICT_H

#include "evidence.h"

enum verdict {
	VERDICT_CONFIRMED,
	VERDICT_UNMEASURED,
	VERDICT_FALSE_CLAIM,
	VERDICT_SILENT,
	VERDICT_D3HOT,
	VERDICT_ACTIVE,
	VERDICT_LOST,
	VERDICT_NO_EVIDENCE,
	VERDICT_COUNT
};

enum verdict verdict_decide(const struct evidence *evidence);

/* Witnesses that contradict the verdict's word on the state, as bits. */
#define DISSENT_ACPI  1u
#define DISSENT_RPM   2u
#define DISSENT_METER 4u
unsigned verdict_dissent(const struct evidence *evidence);

const char *verdict_name(enum verdict verdict);
const char *verdict_meaning(enum verdict verdict);	/* one sentence for people */
int verdict_parse(const char *name, enum verdict *out); /* -EINVAL */

#endif
