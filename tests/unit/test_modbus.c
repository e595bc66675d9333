/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "modbus.h"

#include <string.h>

#include "framing.h"
#include "unit.h"

/* Two registers of device 1, from 2 on. */
static const uint8_t question[] = {1, 3, 0, 2, 0, 2, 0x65, 0xcb};
static const uint8_t answer[] = {1, 3, 4, 0, 1, 0, 2, 0x2a, 0x32};

static void checksums_are_those_of_the_specification(void)
{
	/* "123456789", the check value of CRC-16/MODBUS in all lists of them. */
	CU_ASSERT_EQUAL(modbus_checksum((const uint8_t *)"123456789", 9), 0x4b37);
	CU_ASSERT_EQUAL(modbus_checksum((const uint8_t *)"\1\3\0\0\0\12", 6), 0xcdc5);
}

static void a_question_has_its_size(void)
{
	static const uint8_t write[] = {1, 16, 0, 6, 0, 1, 2, 0, 1, 0, 0};

	CU_ASSERT_EQUAL(modbus_question_size(question, 1), 0);
	CU_ASSERT_EQUAL(modbus_question_size(question, 2), 8);
	CU_ASSERT_EQUAL(modbus_question_size(write, 6), 0);
	CU_ASSERT_EQUAL(modbus_question_size(write, 7), 11);
	CU_ASSERT_FALSE(framing_is_question(FRAMING_MODBUS, (const char *)question, 7));
	CU_ASSERT_TRUE(framing_is_question(FRAMING_MODBUS, (const char *)question, 8));
}

static void an_answer_has_its_size(void)
{
	static const uint8_t other[] = {2, 3}, function[] = {1, 4}, refusal[] = {1, 0x83, 2};

	CU_ASSERT_EQUAL(modbus_answer_size(question, answer, 0), 0);
	CU_ASSERT_EQUAL(modbus_answer_size(question, answer, 2), 0);
	CU_ASSERT_EQUAL(modbus_answer_size(question, answer, 3), sizeof(answer));
	CU_ASSERT_EQUAL(modbus_answer_size(question, refusal, 3), 5);
	CU_ASSERT_EQUAL(modbus_answer_size(question, other, 1), SIZE_MAX);
	CU_ASSERT_EQUAL(modbus_answer_size(question, function, 2), SIZE_MAX);
}

/* What is wrong with an answer in which one byte is another. */
static const char *fault_with(size_t at, uint8_t byte, bool sealed)
{
	uint8_t spoilt[sizeof(answer)];
	uint16_t sum;

	memcpy(spoilt, answer, sizeof(answer));
	spoilt[at] = byte;
	sum = modbus_checksum(spoilt, sizeof(answer) - 2);
	if (sealed) {
		spoilt[sizeof(answer) - 2] = (uint8_t)sum;
		spoilt[sizeof(answer) - 1] = (uint8_t)(sum >> 8);
	}
	return modbus_fault(question, spoilt, sizeof(spoilt));
}

static void an_answer_is_right_in_each_byte(void)
{
	static const uint8_t three[] = {1, 3, 0, 2, 0, 3};

	CU_ASSERT_PTR_NULL(fault_with(4, 1, true));
	CU_ASSERT_PTR_NULL(fault_with(4, 7, true));
	CU_ASSERT_STRING_EQUAL(fault_with(4, 7, false), "wrong checksum");
	CU_ASSERT_STRING_EQUAL(fault_with(8, 7, false), "wrong checksum");
	CU_ASSERT_STRING_EQUAL(fault_with(0, 7, true), "not an answer to the question");
	CU_ASSERT_STRING_EQUAL(fault_with(1, 7, true), "not an answer to the question");
	CU_ASSERT_STRING_EQUAL(fault_with(2, 200, true), "not a whole answer");
	CU_ASSERT_STRING_EQUAL(modbus_fault(three, answer, sizeof(answer)),
			       "not an answer to the question");
}

static void a_refusal_is_told(void)
{
	uint8_t out[MODBUS_REFUSAL_SIZE];
	uint16_t sum;

	modbus_refuse(question, out);
	CU_ASSERT_STRING_EQUAL(modbus_fault(question, out, sizeof(out)), "the device failed");
	out[2] = 200;
	sum = modbus_checksum(out, 3);
	out[3] = (uint8_t)sum;
	out[4] = (uint8_t)(sum >> 8);
	CU_ASSERT_STRING_EQUAL(modbus_fault(question, out, sizeof(out)), "the device refuses");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{"checksums are those of the specification",
		 checksums_are_those_of_the_specification},
		{"a question has its size", a_question_has_its_size},
		{"an answer has its size", an_answer_has_its_size},
		{"an answer is right in each byte", an_answer_is_right_in_each_byte},
		{"a refusal is told", a_refusal_is_told},
	};

	return unit_run("modbus", cases, UNIT_COUNT(cases));
}
