/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operations of protocol.h, as a table. */
#ifndef COLDRIG_OPS_H
#define COLDRIG_OPS_H

#include "agent.h"
#include "msg.h"

/*
 * Carries out one request and returns the members of its answer in answer. A negative errno with
 * words refuses it. Unknown operations, missing members and bad BDFs are -EINVAL.
 */
int ops_run(struct agent *agent, const struct msg *request, struct msg *answer, struct err *err);

/* Names of all operations in their order, NULL after the last; for tests and help. */
const char *ops_name(size_t i);

#endif
