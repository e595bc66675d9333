/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all reports of a run are made from. All is borrowed. */
#ifndef COLDRIG_REPORT_H
#define COLDRIG_REPORT_H

#include <stdio.h>

#include "align.h"
#include "incidents.h"
#include "lab.h"
#include "msg.h"
#include "plan.h"
#include "result.h"

struct report {
	const char *run;  /* the run's id */
	const char *tool; /* version that made the run */
	const struct lab *lab;
	const struct lab_target *target;
	const struct plan *plan;
	const struct result *result;
	const char *const *kernels;	 /* per arm, uname -r; "" for an arm that was not run */
	const struct msg *const *kexecs; /* per arm, how it was booted by kexec; NULL: it was not */
	const struct conformance *suites;      /* per arm */
	const struct align_result *alignments; /* arm * lab->meters_n + meter */
	const struct outcome *outcomes;
	size_t outcomes_n;
	const struct outcome_note *notes;
	size_t notes_n;
	const struct incidents *incidents;
};

/* summary.json as docs/summary.md describes it; freed with msg_free(). */
struct msg *report_summary(const struct report *report);

/* Why the run as a whole is rejected: a meter's time is not known well enough. False and "" if it is
 * not. */
#define REPORT_REJECTION_SIZE 320
bool report_rejection(const struct report *report, char text[static REPORT_REJECTION_SIZE]);

/* Of one arm, for the summary (freed with msg_free()) and for the table. */
struct msg *report_alignment(const struct report *report, size_t arm);
void report_print_alignment(const struct report *report, size_t arm, FILE *out);

/* For people, in UTF-8, at most 100 columns wide. */
void report_table(const struct report *report, FILE *out);

#endif
