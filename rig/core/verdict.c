/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* clang-format off */
static const enum verdict table[SYSFS_COUNT][METER_COUNT] = {
	/* The meter says:    nothing		     cold		 not cold */
	[SYSFS_NONE] =	 {VERDICT_NO_EVIDENCE, VERDICT_SILENT,	  VERDICT_NO_EVIDENCE},
	[SYSFS_D3COLD] = {VERDICT_UNMEASURED,  VERDICT_CONFIRMED, VERDICT_FALSE_CLAIM},
	[SYSFS_D3HOT] =	 {VERDICT_UNMEASURED,  VERDICT_SILENT,	  VERDICT_D3HOT},
	[SYSFS_ACTIVE] = {VERDICT_UNMEASURED,  VERDICT_SILENT,	  VERDICT_ACTIVE},
};
/* clang-format on */

static const struct {
	const char *name, *meaning;
} words[VERDICT_COUNT] = {
	[VERDICT_CONFIRMED] = {"confirmed", "the kernel says D3cold and the meter agrees"},
	[VERDICT_UNMEASURED] = {"unmeasured", "the kernel names a state, no meter saw it"},
	[VERDICT_FALSE_CLAIM] = {"false-claim", "the kernel says D3cold, the meter says powered"},
	[VERDICT_SILENT] = {"silent", "the meter says cold, the kernel does not say D3cold"},
	[VERDICT_D3HOT] = {"d3hot", "suspended in D3hot, still powered"},
	[VERDICT_ACTIVE] = {"active", "awake and powered"},
	[VERDICT_LOST] = {"lost", "gone, unreadable, or did not come back"},
	[VERDICT_NO_EVIDENCE] = {"no-evidence", "no witness could tell"},
};

/* What the state witnesses say: sysfs, or ACPI in its place. */
static enum evidence_sysfs state_word(const struct evidence *e)
{
	if (e->sysfs == SYSFS_NONE && e->acpi == ACPI_D3COLD)
		return SYSFS_D3COLD;
	return e->sysfs;
}

enum verdict verdict_decide(const struct evidence *e)
{
	if (e->presence == PRESENCE_LOST)
		return VERDICT_LOST;
	return table[state_word(e)][e->meter];
}

unsigned verdict_dissent(const struct evidence *e)
{
	enum evidence_sysfs word = state_word(e);
	unsigned dissent = 0;

	if (word == SYSFS_NONE)
		return 0;
	if (e->acpi != ACPI_NONE && (e->acpi == ACPI_D3COLD) != (word == SYSFS_D3COLD))
		dissent |= DISSENT_ACPI;
	if (e->rpm == RPM_ACTIVE && word == SYSFS_D3COLD)
		dissent |= DISSENT_RPM;
	if (e->rpm == RPM_SUSPENDED && word == SYSFS_ACTIVE)
		dissent |= DISSENT_RPM;
	if (e->meter != METER_NONE && (e->meter == METER_COLD) != (word == SYSFS_D3COLD))
		dissent |= DISSENT_METER;
	return dissent;
}

const char *verdict_name(enum verdict verdict)
{
	return words[verdict].name;
}

const char *verdict_meaning(enum verdict verdict)
{
	return words[verdict].meaning;
}

int verdict_parse(const char *name, enum verdict *out)
{
	for (int i = 0; i < VERDICT_COUNT; i++) {
		if (strcmp(name, words[i].name) == 0) {
			*out = (enum verdict)i;
			return 0;
		}
	}
	return -EINVAL;
}
