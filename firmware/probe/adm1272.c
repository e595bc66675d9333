/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adm1272.h"

#include "fixed.h"

enum {
	OPERATION = 0x01,
	READ_VOUT = 0x8b,
	READ_IOUT = 0x8c,
	MFR_ID = 0x99,
	MFR_MODEL = 0x9a,
	PMON_CONTROL = 0xd3,
	PMON_CONFIG = 0xd4
};

#define OPERATION_ON 0x80

#define PMON_CONTROL_CONVERT 0x01
#define PMON_CONFIG_IRANGE   0x0001 /* 30 mV, else 15 mV */
#define PMON_CONFIG_VOUT     0x0002 /* samples the output voltage as well */
#define PMON_CONFIG_VIN	     0x0004
#define PMON_CONFIG_MODE     0x0010 /* continuous */
#define PMON_CONFIG_VRANGE   0x0020 /* 100 V, else 60 V */
/* No averaging in the chip, bits 8 to 13: the probe averages. */
#define PMON_CONFIG_VALUE                                                                          \
	(PMON_CONFIG_IRANGE | PMON_CONFIG_VOUT | PMON_CONFIG_VIN | PMON_CONFIG_MODE |              \
	 PMON_CONFIG_VRANGE)

/*
 * X = (Y * 10^-R - b) / m. Voltage, 100 V: m = 4062, b = 0, R = -2. Current, 30 mV: m = 663 for
 * each milliohm of sense resistor, b = 20480, R = -1.
 */
#define VOLTAGE_M 4062
#define CURRENT_M 663
#define CURRENT_B 20480

#define TEXT_MAX 10

/*
 * A PMBus block, its length, then its bytes, begins as expected. All of its size bytes are read,
 * because QEMU's model gives what was left unread as the beginning of the next answer.
 */
static int check_text(const struct probe_board *board, uint8_t address, uint8_t command,
		      size_t size, const char *expected, size_t n)
{
	uint8_t block[1 + TEXT_MAX];
	int code = board->bus_read(address, command, block, 1 + size);

	if (code < 0)
		return code;
	for (size_t i = 0; i < n; i++) {
		if (block[0] < n || block[1 + i] != (uint8_t)expected[i])
			return -1;
	}
	return 0;
}

int adm1272_start(const struct probe_board *board, uint8_t address)
{
	const uint8_t config[2] = {PMON_CONFIG_VALUE & 0xff, PMON_CONFIG_VALUE >> 8};
	const uint8_t control = PMON_CONTROL_CONVERT;
	int code = check_text(board, address, MFR_ID, 3, "ADI", 3);

	if (code == 0)
		code = check_text(board, address, MFR_MODEL, TEXT_MAX, "ADM1272", 7);
	if (code == 0)
		code = board->bus_write(address, PMON_CONFIG, config, sizeof(config));
	if (code == 0)
		code = board->bus_write(address, PMON_CONTROL, &control, 1);
	return code;
}

static int read_word(const struct probe_board *board, uint8_t address, uint8_t command,
		     uint16_t *word)
{
	uint8_t bytes[2];
	int code = board->bus_read(address, command, bytes, sizeof(bytes));

	*word = (uint16_t)(bytes[0] | bytes[1] << 8);
	return code;
}

int adm1272_read(const struct probe_board *board, uint8_t address, uint16_t *voltage,
		 uint16_t *current)
{
	int code = read_word(board, address, READ_IOUT, current);

	return code < 0 ? code : read_word(board, address, READ_VOUT, voltage);
}

int adm1272_operate(const struct probe_board *board, uint8_t address, bool on)
{
	const uint8_t operation = on ? OPERATION_ON : 0;

	return board->bus_write(address, OPERATION, &operation, 1);
}

int adm1272_is_operating(const struct probe_board *board, uint8_t address, bool *on)
{
	uint8_t operation = 0;
	int code = board->bus_read(address, OPERATION, &operation, 1);

	*on = operation & OPERATION_ON;
	return code;
}

static int32_t calibrated(int64_t raw, int32_t gain_ppm, int32_t offset)
{
	int64_t value = fixed_scale(raw, gain_ppm, 1000000) + offset;

	if (value > INT32_MAX)
		return INT32_MAX;
	return value < -INT32_MAX ? -INT32_MAX : (int32_t)value;
}

int32_t adm1272_microvolts(const struct settings_channel *c, uint16_t code)
{
	int64_t raw = fixed_scale(code, 100 * INT64_C(1000000), VOLTAGE_M);

	return calibrated(raw, c->fields[SETTINGS_VOLTAGE_GAIN],
			  c->fields[SETTINGS_VOLTAGE_OFFSET]);
}

int32_t adm1272_microamperes(const struct settings_channel *c, uint16_t code)
{
	int64_t y = 10 * (int64_t)code - CURRENT_B;
	int64_t raw =
		fixed_scale(y, INT64_C(1000000000), CURRENT_M * (int64_t)c->fields[SETTINGS_SENSE]);

	return calibrated(raw, c->fields[SETTINGS_CURRENT_GAIN],
			  c->fields[SETTINGS_CURRENT_OFFSET]);
}
