/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An instrument that answers SCPI as a RIGOL DP832 does, with two differences: readings have four
 * decimals, and its outputs cannot be set, because it stands for a meter. Pure: values come
 * through a callback.
 */
#ifndef COLDRIG_SCPI_H
#define COLDRIG_SCPI_H

#include <stddef.h>

#define SCPI_CHANNELS	 3
#define SCPI_REPLY_SIZE	 256
#define SCPI_ERRORS_KEPT 8

enum scpi_quantity { SCPI_POWER, SCPI_VOLTAGE, SCPI_CURRENT };

/* A reading of a channel, 1 to SCPI_CHANNELS, in W, V or A. */
typedef double scpi_source(unsigned channel, enum scpi_quantity quantity, void *context);

/*
 * One conversation. Each client has its own, so that a client's choice of channel does not change
 * what another one reads; in the real instrument they would share it.
 */
struct scpi {
	scpi_source *source;
	void *context;
	unsigned channel;
	size_t errors_n;
	int errors[SCPI_ERRORS_KEPT]; /* SCPI's numbers, oldest first */
};

void scpi_init(struct scpi *scpi, scpi_source *source, void *context);

/*
 * One line without its terminator, which may hold several commands; the line is changed. Writes
 * the answers, joined with ';' and ended with a line feed, and returns their length: 0 where
 * nothing was asked. What is not understood goes to the error queue and is not answered.
 */
size_t scpi_handle(struct scpi *scpi, char *line, char reply[static SCPI_REPLY_SIZE]);

#endif
