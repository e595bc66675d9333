/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parameters of the module vfio-pci. They are changed only while every device that is bound to it
 * is one under test: some kernels count wrong when one changes under a device that is bound.
 */
#ifndef CONFORMANCE_PARAMS_H
#define CONFORMANCE_PARAMS_H

#include <stdbool.h>

#define PARAM_IDLE  "disable_idle_d3"
#define PARAM_SRIOV "enable_sriov"

/* 'Y' or 'N'; 0 when it cannot be read. */
char param_get(const char *name);

/* 0, or -errno. */
int param_put(const char *name, char value);

/* What tests may do from now on; why is kept, not copied, NULL when they may. */
void params_forbid(const char *why);

/* In a test: skips it when that cannot be done. */
void param_set(const char *name, char value);

/* As tests expect them: idle devices sleep, SR-IOV may be enabled. What cannot be changed stays. */
void params_reset(void);

#endif
