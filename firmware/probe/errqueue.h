/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The error queue of SCPI-99, volume 2, chapter 21.8: the oldest first. Pure. */
#ifndef PROBE_ERRQUEUE_H
#define PROBE_ERRQUEUE_H

#include <stddef.h>

enum scpi_error {
	SCPI_NO_ERROR = 0,
	SCPI_SYNTAX = -102,
	SCPI_DATA_TYPE = -104,
	SCPI_PARAMETER_NOT_ALLOWED = -108,
	SCPI_MISSING_PARAMETER = -109,
	SCPI_UNDEFINED_HEADER = -113,
	SCPI_SETTINGS_CONFLICT = -221,
	SCPI_OUT_OF_RANGE = -222,
	SCPI_HARDWARE = -240,
	SCPI_HARDWARE_MISSING = -241,
	SCPI_STORAGE = -320,
	SCPI_QUEUE_OVERFLOW = -350,
	SCPI_INPUT_OVERRUN = -363,
	/* The probe's own are positive. A channel's error is its base plus the channel, 1 to 4. */
	SCPI_OVERCURRENT = 300,
	SCPI_WATCHDOG = 310
};

#define ERRQUEUE_SIZE 8

struct errqueue {
	size_t n;
	int numbers[ERRQUEUE_SIZE];
};

/* A full queue ends in SCPI_QUEUE_OVERFLOW. */
void errqueue_push(struct errqueue *queue, int number);
int errqueue_take(struct errqueue *queue); /* SCPI_NO_ERROR where it is empty */
void errqueue_clear(struct errqueue *queue);

/* What a number means; "" for one that is none of ours. */
const char *errqueue_text(int number);

#endif
