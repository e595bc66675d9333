/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run directory: run.db with lab and plan as used, and what is made from them. */
#ifndef COLDRIG_RUNFILE_H
#define COLDRIG_RUNFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "analysis.h"
#include "err.h"
#include "lab.h"
#include "plan.h"
#include "result.h"
#include "store.h"

struct runfile {
	char *dir;
	char *id;
	struct store *store;
	struct lab *lab;
	const struct lab_target *target;
	struct plan *plan;
	struct analysis *analysis;
};

/*
 * A new run in dir, which is made if need be; takes lab and plan over, also on failure. -EEXIST if
 * there is a run already. *out is released with runfile_close() in every case.
 */
int runfile_create(const char *dir, struct lab *lab, struct plan *plan,
		   const struct lab_target *target, struct runfile *out, struct err *err);

/* An existing one; its journal has been fed to the analysis. */
int runfile_open(const char *dir, bool read_only, struct runfile *out, struct err *err);

void runfile_close(struct runfile *run);

/* What is to be said of a run as a whole. */
struct runfile_word {
	bool limits_ok;
	bool is_rejected;
	struct err rejection; /* why, beginning with the directory */
};

/* The summary's text as it stands now; freed with free(). */
int runfile_summary(const struct runfile *run, char **text, struct runfile_word *word,
		    struct err *err);

/* Writes summary.json with this text, and the table as result.txt, into the directory. */
int runfile_publish(const struct runfile *run, const char *summary, struct err *err);

/* The table for people. */
int runfile_print(const struct runfile *run, FILE *out, struct err *err);

#endif
