/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of both reports that tell of losses, recoveries and the console. */
#ifndef COLDRIG_INCIDENTS_REPORT_H
#define COLDRIG_INCIDENTS_REPORT_H

#include "report.h"

/* Members "recovery" and "console" of an arm; "losses" of a device's scenario. Freed with the
 * message that they are set in. */
struct msg *incidents_recovery_msg(const struct report *report, size_t arm);
struct msg *incidents_console_msg(const struct report *report, size_t arm);
struct msg *incidents_losses_msg(const struct report *report, const struct result_row *row);

/* Are cycles of this row missing because its device was left out? */
bool incidents_row_is_left_out(const struct report *report, const struct result_row *row);

/* What the table says under an arm; nothing where nothing went wrong. */
void incidents_print_arm(const struct report *report, size_t arm, FILE *out);

/* The cycle of this ordinal; NULL if it has no outcome. */
const struct outcome *incidents_find_outcome(const struct report *report, int64_t ordinal);

#endif
