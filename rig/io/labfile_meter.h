/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An entry of the key "meters". */
#ifndef COLDRIG_LABFILE_METER_H
#define COLDRIG_LABFILE_METER_H

#include "yaml_schema.h"

extern const struct yaml_schema labfile_meter_schema; /* of a struct lab_meter */

#endif
