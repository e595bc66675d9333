/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words that go with a negative errno.
 *
 * General rules of the project, stated once: a function that can fail returns 0 or a negative errno;
 * one that may have to explain itself also takes a struct err and fills it. Passing NULL is allowed.
 * The text is "what: why", without the program's name; the edge prints "coldrig: " before it.
 * Objects belong to one thread at a time. Functions named _free and _close accept NULL.
 */
#ifndef COLDRIG_ERR_H
#define COLDRIG_ERR_H

struct err {
	char text[512];
};

/* Writes the text (cut off at its size) and returns code, so that a caller can return it at once. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
