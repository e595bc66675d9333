/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the table says under Notes. */
#ifndef COLDRIG_TABLE_NOTES_H
#define COLDRIG_TABLE_NOTES_H

#include "report.h"

/* What went wrong, what the consoles said, why a cycle has the verdict it has: a line for all that
 * differ by nothing but their cycle. Nothing, and no heading, where there is nothing to say. */
void table_notes_print(const struct report *report, FILE *out);

#endif
