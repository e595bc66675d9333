/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The slot power probe, as plain C: what a board gives, and what the parts share. The parts know no
 * register of any microcontroller, allocate nothing, and run on the host as well, for tests.
 *
 * Two contexts: the tick, which samples (an interrupt on a board), and the rest. What the tick
 * writes is read by the rest between board->hold(true) and hold(false) only.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_CHANNELS	    4
#define PROBE_FIRST_ADDRESS 0x10 /* of channel 1 on the I2C bus; the others follow */
#define PROBE_VERSION	    "1.0"

/* What a board does for the parts. Functions that can fail return 0 or a negative number. */
struct probe_board {
	const char *name;				    /* in *IDN?, without commas */
	uint32_t rate_min_hz, rate_max_hz, rate_default_hz; /* of the tick */
	/* n bytes of a PMBus command of the device at a 7-bit address. */
	int (*bus_read)(uint8_t address, uint8_t command, uint8_t *bytes, size_t n);
	/* Sends a command and the bytes behind it. */
	int (*bus_write)(uint8_t address, uint8_t command, const uint8_t *bytes, size_t n);
	uint64_t (*now_us)(void); /* since start, never going back */
	void (*set_rate)(uint32_t hz);
	void (*hold)(bool hold); /* keeps the tick away; does not nest */
	void (*wait)(void);	 /* sleeps until an interrupt has come, a tick at the latest */
	void (*send)(const void *bytes, size_t n); /* to the serial line, waiting where it must */
	void (*feed)(void);			   /* the hardware's watchdog */
	void (*hang)(void);	  /* stops all, for the watchdog to be seen at work */
	bool (*was_bitten)(void); /* did the watchdog cause the last start? */
	/* Settings that outlive a loss of power: NULL where there is no such memory. */
	const void *stored;
	int (*store)(const void *record, size_t n);
};

#endif
