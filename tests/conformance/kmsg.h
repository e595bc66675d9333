/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Complaints in the kernel's log: a test that makes the kernel complain has failed. */
#ifndef CONFORMANCE_KMSG_H
#define CONFORMANCE_KMSG_H

#include <stdbool.h>
#include <stddef.h>

/* At the end of the log; -1 when it cannot be read, which the others take. */
int kmsg_open(void);

/* Reads on to the end. The first complaint on the way, without its head; false when there is none.
 */
bool kmsg_complaint(int fd, char *text, size_t size);

#endif
