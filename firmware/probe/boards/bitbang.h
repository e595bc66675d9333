/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An I2C controller of two open-drain lines, for whatever board can set and read those. */
#ifndef PROBE_BITBANG_H
#define PROBE_BITBANG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the board does. A line that is set high is let go; others may hold it low. */
void bitbang_set_scl(bool high);
void bitbang_set_sda(bool high);
bool bitbang_scl(void);
bool bitbang_sda(void);
void bitbang_half_bit(void); /* waits half of a bit's time */

/* As in struct probe_board: -1 where nobody answers or a line is stuck. */
int bitbang_read(uint8_t address, uint8_t command, uint8_t *bytes, size_t n);
int bitbang_write(uint8_t address, uint8_t command, const uint8_t *bytes, size_t n);

#endif
