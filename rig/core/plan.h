/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan as data: arms x scenarios x devices x cycles, times and limits. Loaded from YAML by
 * io/planfile.h, freed by plan_free().
 */
#ifndef COLDRIG_PLAN_H
#define COLDRIG_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "lab.h"
#include "recovery.h"
#include "scenario.h"
#include "verdict.h"

#define PLAN_ARMS_MAX 64

/*
 * How an arm's kernel is booted by kexec. A virtual target is powered on with the cache's kernel
 * `from`, and the files follow from the cache. On a real target `from` is what uname -r must begin
 * with before (NULL: whatever runs), and the files are named here: a path of the controller's, which
 * is sent, or PLAN_ON_TARGET and a path of the target's.
 */
#define PLAN_ON_TARGET "target:"

enum plan_syscall { PLAN_SYSCALL_LOAD, PLAN_SYSCALL_FILE, PLAN_SYSCALL_COUNT };

struct plan_kexec {
	bool present;
	enum plan_syscall syscall; /* kexec -c or kexec -s */
	char *from;
	char *append; /* to the command line that runs; NULL: nothing */
	char *image, *initrd;
	char *crash_image, *crash_initrd; /* for a panic; NULL: no crash kernel */
};

struct plan_arm {
	char *name; /* unique in the plan */
	char *kernel; /* "5.10", "6.1": a kernel of the cache (virtual), or what uname -r must begin with */
	struct plan_kexec kexec;
	int d3cold_allowed; /* 0 or 1 written to each device before its cycles; -1 leaves the default, 1 */
};

struct plan_scenario {
	enum scenario_id id;
	unsigned cycles;		/* at least 1 */
	char (*devices)[BDF_TEXT_SIZE]; /* NULL: all of the target's */
	size_t devices_n;
	int64_t settle_ns; /* after the last action, before the dwell */
	int64_t dwell_ns;  /* witnesses are read over this time */
	int64_t hold_ns;   /* in ACTION_HOLD */
	unsigned vfs;	   /* in ACTION_VFS_ON */
};

enum plan_metric {
	PLAN_METRIC_VERDICT,		/* cycles with a verdict, counted */
	PLAN_METRIC_UNASKED_RESUMES,	/* summed */
	PLAN_METRIC_FORBIDDEN_ACCESSES, /* summed */
	PLAN_METRIC_TO_D3COLD_MS,	/* the longest */
	PLAN_METRIC_WAKE_MS,		/* the longest */
	PLAN_METRIC_CONFORMANCE_FAILED, /* tests of the suite, counted over arms */
	PLAN_METRIC_CONFORMANCE_PASSED,
	PLAN_METRIC_COUNT
};

/* A limit holds if its metric over the cycles that it selects lies within [at_least, at_most]. A
 * metric with no value fails. */
struct plan_limit {
	char *name;
	enum plan_metric metric;
	enum verdict verdict;	 /* with PLAN_METRIC_VERDICT */
	char *arm;		 /* NULL: all */
	int scenario;		 /* enum scenario_id, -1: all */
	char bdf[BDF_TEXT_SIZE]; /* "": all */
	bool all;		 /* at_least: all, every selected cycle must have the verdict */
	double at_least;	 /* -INFINITY where not given */
	double at_most;		 /* INFINITY where not given */
};

/* What is done about a target that stops answering. */
struct plan_recovery {
	int64_t silence_ns; /* without a heartbeat, where nothing is being asked, it is lost; 0: never */
	int64_t limit_ns[RECOVERY_STEP_COUNT]; /* 0: the step is left out */
	unsigned losses; /* a device is left out of the rest of an arm after so many; 0: never */
};
/* Are meters aligned with the target by load steps? */
enum plan_align { PLAN_ALIGN_NONE, PLAN_ALIGN_AUTO, PLAN_ALIGN_COUNT };

struct plan {
	char *name;
	char *path;
	char *text;
	char *target; /* NULL: the lab has only one */
	struct plan_arm *arms;
	size_t arms_n;
	struct plan_scenario *scenarios;
	size_t scenarios_n;
	struct plan_limit *limits;
	size_t limits_n;
	int64_t level_dwell_ns;	 /* each of the D0 and D3hot levels is measured over this time */
	int64_t answer_limit_ns; /* a target that does not answer for so long is lost */
	int64_t boot_limit_ns;
	struct plan_recovery recovery;
	struct lab_fault *faults; /* of the virtual lab, beside the lab's own */
	size_t faults_n;
	enum plan_align align;
	int64_t conformance_ns; /* the conformance suite is run in each arm, at most so long; 0: not */
};

/* Is the metric a count, which limits bound by whole numbers? */
bool plan_metric_is_count(enum plan_metric metric);

/* Is it of an arm as a whole, not of its cycles? */
bool plan_metric_is_of_suite(enum plan_metric metric);

const char *plan_syscall_name(enum plan_syscall syscall); /* "load", "file" */

const char *plan_align_name(enum plan_align align); /* "none", "auto" */

/* The largest error of a meter's time that is let pass: a tenth of the shortest dwell. */
int64_t plan_align_limit_ns(const struct plan *plan);

const char *plan_metric_name(enum plan_metric metric);
int plan_metric_parse(const char *name, enum plan_metric *out); /* -EINVAL */

void plan_free(struct plan *plan);

#endif
