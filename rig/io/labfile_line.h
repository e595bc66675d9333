/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key "lines" of a target. */
#ifndef COLDRIG_LABFILE_LINE_H
#define COLDRIG_LABFILE_LINE_H

#include "yaml_schema.h"

/* Of a struct lab_line[LAB_ROLE_COUNT], which is all zero before. */
extern const struct yaml_schema labfile_lines_schema;

#endif
