/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key "kexec" of an arm. */
#ifndef COLDRIG_PLANFILE_KEXEC_H
#define COLDRIG_PLANFILE_KEXEC_H

#include "yaml_schema.h"

/* Of a struct plan_kexec; the reader's user is a struct planfile_draft. */
extern const struct yaml_schema planfile_kexec_schema;

#endif
