/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which meter a subcommand of `coldrig meter` is about: a spec, or a name of a lab file's meters. */
#ifndef COLDRIG_METER_CHOICE_H
#define COLDRIG_METER_CHOICE_H

#include "err.h"
#include "lab.h"

struct meter_choice {
	const char *spec;	       /* libsigrok's form */
	const struct lab_meter *meter; /* NULL: not of a lab */
	struct lab *lab;
};

/* word is a spec, or if lab_path is given a meter's name. Released with meter_choice_free() in every
 * case. -EINVAL, -ENOENT with words. */
int meter_choice_make(const char *lab_path, const char *word, struct meter_choice *out,
		      struct err *err);

/* How long it may take until it is ready: what was asked for, or if that is 0 the lab's, or 2 s. */
int64_t meter_choice_start_ns(const struct meter_choice *choice, int64_t asked_ns);

void meter_choice_free(struct meter_choice *choice);

#endif
