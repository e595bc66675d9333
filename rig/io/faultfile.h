/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults of the virtual lab in a file: the key "faults" of a lab's virtual part, and of a plan. */
#ifndef COLDRIG_FAULTFILE_H
#define COLDRIG_FAULTFILE_H

#include "lab.h"
#include "yaml_schema.h"

extern const struct yaml_schema faultfile_schema; /* of a struct lab_fault */

/* What no single fault can tell: is its slot there, is the same given twice? list may be NULL. */
int faultfile_check(const struct yaml_reader *reader, const struct yaml_item *list,
		    const struct lab_fault *faults, size_t n, const struct lab_virtual *virt);

#endif
