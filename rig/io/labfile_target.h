/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An entry of the key "targets". */
#ifndef COLDRIG_LABFILE_TARGET_H
#define COLDRIG_LABFILE_TARGET_H

#include "yaml_schema.h"

/* Of a struct lab_target; the reader's user is a struct lab, whose meters have been read. */
extern const struct yaml_schema labfile_target_schema;

#endif
