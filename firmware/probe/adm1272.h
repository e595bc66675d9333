/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ADM1272 hot-swap controller over PMBus. Names, codes and coefficients are those of its data
 * sheet (Analog Devices, rev. C, "PMBus command reference" and table 10, "direct format").
 */
#ifndef PROBE_ADM1272_H
#define PROBE_ADM1272_H

#include "settings.h"

/* The largest code of its 12-bit converter. */
#define ADM1272_CODE_MAX 4095

/*
 * Looks whether the chip is one, sets its ranges (100 V, 30 mV) and has it sample its output
 * voltage as well, all the time. Negative if it does not answer or is another.
 */
int adm1272_start(const struct probe_board *board, uint8_t address);

/* Present codes of output voltage and current. */
int adm1272_read(const struct probe_board *board, uint8_t address, uint16_t *voltage,
		 uint16_t *current);

/* Switches the output. Off stays off until it is switched on. */
int adm1272_operate(const struct probe_board *board, uint8_t address, bool on);
int adm1272_is_operating(const struct probe_board *board, uint8_t address, bool *on);

/* Codes as values, calibrated. Any code is allowed; values end at the type's limits. */
int32_t adm1272_microvolts(const struct settings_channel *channel, uint16_t code);
int32_t adm1272_microamperes(const struct settings_channel *channel, uint16_t code);

#endif
