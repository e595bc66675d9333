/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers and quantities as people write them in our files, read strictly and the same in every
 * locale: nothing before or after, no hexadecimal, no nan or inf, nothing that overflows.
 */
#ifndef COLDRIG_YAML_NUMBER_H
#define COLDRIG_YAML_NUMBER_H

#include <stdint.h>

#include "err.h"

enum yaml_quantity {
	YAML_DURATION, /* s */
	YAML_POWER,    /* W */
	YAML_VOLTAGE,  /* V */
	YAML_CURRENT,  /* A */
	YAML_RATE,     /* Hz */
	YAML_PERCENT,  /* a fraction: 1 % is 0.01 */
	YAML_MEMORY,   /* MiB */
	YAML_QUANTITY_COUNT
};

/* All return 0, -EINVAL or -ENOMEM, with why: words that follow "what: ". On failure *out is
 * untouched. */

/* "12", "-0.5", "1e-3"; not ".5", "5.", "0x5". */
int yaml_number_real(const char *text, double *out, struct err *why);

/* Digits only, no leading zero. */
int yaml_number_count(const char *text, uint64_t *out, struct err *why);

/*
 * A real number, spaces or none, and a unit of the quantity, which is never left out. *out is in
 * the unit named above, of either sign, within bounds of good sense (docs/lab.md).
 */
int yaml_number_quantity(const char *text, enum yaml_quantity quantity, double *out,
			 struct err *why);

const char *yaml_quantity_name(enum yaml_quantity quantity); /* "a duration" */

#endif
