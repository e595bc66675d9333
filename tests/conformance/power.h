/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power states of a function as the kernel tells them, read without touching the device. */
#ifndef CONFORMANCE_POWER_H
#define CONFORMANCE_POWER_H

#include <stdbool.h>

/* Polls for up to three seconds. */
bool power_wait_suspended(const char *bdf);

/* Polls for up to five seconds for power_state D3cold. */
bool power_wait_d3cold(const char *bdf);

/* Ends the test unless it is suspended, within that time, and in D3hot or D3cold. */
void expect_suspended(const char *bdf, const char *when);

/*
 * Ends the test unless runtime_status becomes that within the same time. For a function without a
 * driver, of whose power_state some kernels say "unknown".
 */
void expect_status(const char *bdf, const char *status, const char *when);

/* Ends the test unless it is active and in D0 now. */
void expect_awake(const char *bdf, const char *when);

/* The same, and still after half a second: several times what a suspend takes. */
void expect_stays_awake(const char *bdf, const char *when);

/*
 * Writes d3cold_allowed, and lets the kernel suspend the device again. The write resumes it; from
 * D3cold the port resumes it too, and if that comes first, the write takes back what would have
 * suspended it, and it stays awake with nobody using it: at times on 5.10, most times with
 * CONFIG_PREEMPT. 0 or a negative errno.
 */
int power_allow_d3cold(const char *bdf, const char *value);

/* How long it has been other than suspended, in ms. Ends the test when the kernel does not say. */
long power_active_ms(const char *bdf);

/* The usage count of runtime PM; -1 when the kernel does not show it. */
long power_usage(const char *bdf);

/* Ends the test unless the count is what it was; holds when the kernel does not show it. */
void expect_usage(const char *bdf, long was, const char *when);

#endif
