/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key "virtual". */
#ifndef COLDRIG_LABFILE_VIRTUAL_H
#define COLDRIG_LABFILE_VIRTUAL_H

#include "yaml_schema.h"

/* Of a struct lab_virtual, in which the defaults stand. */
extern const struct yaml_schema labfile_virtual_schema;

#endif
