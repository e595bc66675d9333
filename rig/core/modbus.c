/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "modbus.h"

#define CHECKSUM_SIZE 2
#define REFUSED	      0x80 /* in an answer's function */

enum {
	READ_COILS = 1,
	READ_INPUT_REGISTERS = 4,
	WRITE_COILS = 15,
	WRITE_REGISTERS = 16,
	DEVICE_FAILURE = 4,
};

uint16_t modbus_checksum(const uint8_t *bytes, size_t n)
{
	uint16_t sum = 0xffff;

	for (size_t i = 0; i < n; i++) {
		sum ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = (uint16_t)(sum & 1 ? (sum >> 1) ^ 0xa001 : sum >> 1);
	}
	return sum;
}

/* Its answer has as many bytes of data as the byte before them says. */
static int modbus_reads(uint8_t function)
{
	return function >= READ_COILS && function <= READ_INPUT_REGISTERS;
}

size_t modbus_question_size(const uint8_t *bytes, size_t n)
{
	if (n < 2)
		return 0;
	if (bytes[1] != WRITE_COILS && bytes[1] != WRITE_REGISTERS)
		return 8;
	return n < 7 ? 0 : (size_t)7 + bytes[6] + CHECKSUM_SIZE;
}

size_t modbus_answer_size(const uint8_t *question, const uint8_t *answer, size_t n)
{
	if ((n >= 1 && answer[0] != question[0]) ||
	    (n >= 2 && (answer[1] & ~REFUSED) != question[1]))
		return SIZE_MAX;
	if (n < 3)
		return 0;
	if (answer[1] & REFUSED)
		return MODBUS_REFUSAL_SIZE;
	return modbus_reads(answer[1]) ? (size_t)3 + answer[2] + CHECKSUM_SIZE : 8;
}

static const char *modbus_refusal(uint8_t code)
{
	static const char *const words[] = {
		"the device refuses",
		"the device does not know the function",
		"the device has no such register",
		"the device does not take the value",
		"the device failed",
		"the device needs time",
		"the device is busy",
		"the device refuses",
		"the device's memory is not right",
	};

	return code < sizeof(words) / sizeof(words[0]) ? words[code] : words[0];
}

/* Of a function that reads. */
static size_t modbus_data_size(const uint8_t *question)
{
	size_t count = (size_t)question[4] << 8 | question[5];

	return question[1] < 3 ? (count + 7) / 8 : 2 * count;
}

const char *modbus_fault(const uint8_t *question, const uint8_t *answer, size_t n)
{
	size_t size = modbus_answer_size(question, answer, n);

	if (size == SIZE_MAX)
		return "not an answer to the question";
	if (size == 0 || n < size)
		return "not a whole answer";
	if (modbus_checksum(answer, size - CHECKSUM_SIZE) !=
	    (answer[size - 2] | answer[size - 1] << 8))
		return "wrong checksum";
	if (answer[1] & REFUSED)
		return modbus_refusal(answer[2]);
	if (modbus_reads(answer[1]) && answer[2] != modbus_data_size(question))
		return "not an answer to the question";
	return NULL;
}

void modbus_refuse(const uint8_t *question, uint8_t out[static MODBUS_REFUSAL_SIZE])
{
	uint16_t sum;

	out[0] = question[0];
	out[1] = question[1] | REFUSED;
	out[2] = DEVICE_FAILURE;
	sum = modbus_checksum(out, 3);
	out[3] = (uint8_t)sum;
	out[4] = (uint8_t)(sum >> 8);
}
