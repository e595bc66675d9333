/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An entry of the key "limits". */
#ifndef COLDRIG_PLANFILE_LIMIT_H
#define COLDRIG_PLANFILE_LIMIT_H

#include "yaml_schema.h"

/* Of a struct plan_limit; the reader's user is a struct planfile_draft, whose arms and scenarios have
 * been read. */
extern const struct yaml_schema planfile_limit_schema;

#endif
