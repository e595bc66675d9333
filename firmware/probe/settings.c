/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "settings.h"

#define MAGIC	UINT32_C(0x62725043) /* "CPrb" */
#define VERSION 1

const struct settings_range settings_ranges[SETTINGS_FIELDS] = {
	/* 10 uohm to 10 ohm; normal is the resistor of the chip's data sheet. */
	[SETTINGS_SENSE] = {10, 10000000, 300},
	[SETTINGS_CURRENT_GAIN] = {500000, 2000000, 1000000},
	[SETTINGS_CURRENT_OFFSET] = {-1000000, 1000000, 0},
	[SETTINGS_VOLTAGE_GAIN] = {500000, 2000000, 1000000},
	[SETTINGS_VOLTAGE_OFFSET] = {-1000000, 1000000, 0},
	[SETTINGS_LIMIT] = {1, INT32_MAX, INT32_MAX},
};

void settings_default(struct settings *s, const struct probe_board *board)
{
	*s = (struct settings){.rate_hz = board->rate_default_hz, .average = 1};
	for (size_t i = 0; i < PROBE_CHANNELS; i++) {
		for (size_t f = 0; f < SETTINGS_FIELDS; f++)
			s->channels[i].fields[f] = settings_ranges[f].normal;
	}
}

bool settings_valid(const struct settings *s, const struct probe_board *board)
{
	for (size_t i = 0; i < PROBE_CHANNELS; i++) {
		for (size_t f = 0; f < SETTINGS_FIELDS; f++) {
			int32_t value = s->channels[i].fields[f];

			if (value < settings_ranges[f].least || value > settings_ranges[f].most)
				return false;
		}
	}
	return s->rate_hz >= board->rate_min_hz && s->rate_hz <= board->rate_max_hz &&
	       s->average >= 1 && s->average <= SETTINGS_AVERAGE_MAX &&
	       s->identity < SETTINGS_IDENTITIES;
}

static uint8_t *put(uint8_t *p, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		*p++ = (uint8_t)(word >> 8 * i);
	return p;
}

static uint32_t get(const uint8_t **p)
{
	uint32_t word = 0;

	for (int i = 0; i < 4; i++)
		word |= (uint32_t) * (*p)++ << 8 * i;
	return word;
}

/* CRC-32 of IEEE 802.3, bit by bit: it is computed twice in a probe's life. */
static uint32_t crc(const uint8_t *bytes, size_t n)
{
	uint32_t sum = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		sum ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~sum;
}

void settings_pack(const struct settings *s, uint8_t record[static SETTINGS_RECORD_SIZE])
{
	uint8_t *p = put(put(record, MAGIC), VERSION);

	p = put(put(put(p, s->rate_hz), s->average), (uint32_t)s->identity);
	for (size_t i = 0; i < PROBE_CHANNELS; i++) {
		for (size_t f = 0; f < SETTINGS_FIELDS; f++)
			p = put(p, (uint32_t)s->channels[i].fields[f]);
	}
	put(p, crc(record, (size_t)(p - record)));
}

bool settings_unpack(struct settings *s, const uint8_t record[static SETTINGS_RECORD_SIZE])
{
	const uint8_t *p = record, *sum = record + SETTINGS_RECORD_SIZE - 4;

	if (get(&p) != MAGIC || get(&p) != VERSION ||
	    get(&sum) != crc(record, SETTINGS_RECORD_SIZE - 4))
		return false;
	s->rate_hz = get(&p);
	s->average = get(&p);
	s->identity = (enum settings_identity)get(&p);
	for (size_t i = 0; i < PROBE_CHANNELS; i++) {
		for (size_t f = 0; f < SETTINGS_FIELDS; f++)
			s->channels[i].fields[f] = (int32_t)get(&p);
	}
	return true;
}
