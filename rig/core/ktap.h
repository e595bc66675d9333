/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of KTAP version 1 (the kernel's Documentation/dev-tools/ktap.rst), one at a time. Pure. */
#ifndef COLDRIG_KTAP_H
#define COLDRIG_KTAP_H

#include <stddef.h>

enum ktap_outcome { KTAP_PASS, KTAP_FAIL, KTAP_SKIP, KTAP_OUTCOME_COUNT };

enum ktap_kind {
	KTAP_OTHER, /* nothing of the below: of the version, of a later version, of somebody else */
	KTAP_PLAN,  /* 1..planned */
	KTAP_NOTE,  /* "# text" */
	KTAP_RESULT, /* of the test called name */
	KTAP_BAILOUT /* "Bail out! text" */
};

#define KTAP_NAME_SIZE 64
#define KTAP_TEXT_SIZE 200

struct ktap_line {
	enum ktap_kind kind;
	size_t planned;
	enum ktap_outcome outcome;
	char name[KTAP_NAME_SIZE]; /* cut where it is longer, as text is */
	char text[KTAP_TEXT_SIZE]; /* of a result: what follows its SKIP or TIMEOUT, if anything */
};

void ktap_parse(const char *line, struct ktap_line *out);

const char *ktap_outcome_name(enum ktap_outcome outcome); /* "pass", "fail", "skip" */

#endif
