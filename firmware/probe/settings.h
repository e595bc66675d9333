/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a probe is told once and keeps: how each channel is built and calibrated, how it samples,
 * as whom it speaks. Also the record of it in non-volatile memory; docs/probe.md has its layout.
 */
#ifndef PROBE_SETTINGS_H
#define PROBE_SETTINGS_H

#include "probe.h"

/*
 * The values of a channel, each in millionths of its unit: ohm, 1, A, 1, V, A.
 *
 * value = raw * gain + offset, where raw is what the chip's data sheet makes of its code, with the
 * sense resistor in place of the data sheet's. The limit is the overcurrent latch's; the largest
 * there is means none.
 */
enum settings_field {
	SETTINGS_SENSE,
	SETTINGS_CURRENT_GAIN,
	SETTINGS_CURRENT_OFFSET,
	SETTINGS_VOLTAGE_GAIN,
	SETTINGS_VOLTAGE_OFFSET,
	SETTINGS_LIMIT,
	SETTINGS_FIELDS
};

struct settings_channel {
	int32_t fields[SETTINGS_FIELDS];
};

/* What a field may be, both ends included, and what it is by default. */
struct settings_range {
	int32_t least, most, normal;
};

extern const struct settings_range settings_ranges[SETTINGS_FIELDS];

enum settings_identity { SETTINGS_OWN, SETTINGS_DP832, SETTINGS_IDENTITIES };

struct settings {
	uint32_t rate_hz;
	uint32_t average; /* samples that make a reading */
	enum settings_identity identity;
	struct settings_channel channels[PROBE_CHANNELS];
};

#define SETTINGS_AVERAGE_MAX 1000

/* No averaging, and each field as it normally is. */
void settings_default(struct settings *settings, const struct probe_board *board);

/* Are all values within what the probe takes? */
bool settings_valid(const struct settings *settings, const struct probe_board *board);

/* Words of 32 bits, little-endian: magic, version, the three before channels, fields of each
 * channel, CRC-32. */
#define SETTINGS_RECORD_SIZE (4 * (2 + 3 + SETTINGS_FIELDS * PROBE_CHANNELS + 1))

void settings_pack(const struct settings *settings, uint8_t record[static SETTINGS_RECORD_SIZE]);

/* False, and nothing changed, where it is no record of this version or is damaged. Its values are
 * not looked at. */
bool settings_unpack(struct settings *settings, const uint8_t record[static SETTINGS_RECORD_SIZE]);

#endif
