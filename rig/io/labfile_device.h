/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An entry of the key "devices" of a target: a device, and what its rails are wired to. */
#ifndef COLDRIG_LABFILE_DEVICE_H
#define COLDRIG_LABFILE_DEVICE_H

#include "lab.h"
#include "yaml_schema.h"

/* Of a struct lab_device; the reader's user is a struct lab, whose meters have been read. */
extern const struct yaml_schema labfile_device_schema;

/* What no single rail of a target, which map is, can tell: does its meter know how exact it is? Two
 * devices may share a channel (one meter at the wall), but no device counts one twice. */
int labfile_device_check(const struct yaml_reader *reader, const struct yaml_item *map,
			 const struct lab_target *target);

#endif
