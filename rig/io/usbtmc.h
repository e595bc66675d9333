/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An instrument on USB by whole messages. From "Universal Serial Bus Test and Measurement Class Specification
 * (USBTMC), Revision 1.0", 3.2 to 4.2, and its "USB488 Subclass Specification", 4.3.
 */
#ifndef COLDRIG_USBTMC_H
#define COLDRIG_USBTMC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"

#define USBTMC_MESSAGE_MAX 1024 /* bytes that go into one transfer */

struct usbtmc;

/*
 * which is libsigrok's: BUS.ADDRESS, or VENDOR.PRODUCT with four hexadecimal digits each. Begins afresh with it:
 * what it still had to say is gone. -EINVAL for another which, else words.
 */
int usbtmc_open(const char *which, struct usbtmc **out, struct err *err);

/* A message of at most USBTMC_MESSAGE_MAX. Like the next one: -ETIMEDOUT, -EPIPE, -ENODEV (unplugged), -EIO. */
int usbtmc_send(struct usbtmc *t, const char *text, size_t n);

/* Part of an answer, and whether it is the last one. Bytes; -EPROTO for one to another question. */
ssize_t usbtmc_receive(struct usbtmc *t, char *to, size_t size, bool *last, unsigned limit_ms);

/* Gives the front panel back. */
void usbtmc_close(struct usbtmc *t);

#endif
