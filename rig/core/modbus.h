/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Modbus RTU on the wire: address, function, what belongs to it, a checksum of 16 bits, the low byte first. From
 * "MODBUS over Serial Line, Specification and Implementation Guide V1.02", 2.5.1, and "MODBUS Application
 * Protocol Specification V1.1b3", 6 and 7.
 */
#ifndef COLDRIG_MODBUS_H
#define COLDRIG_MODBUS_H

#include <stddef.h>
#include <stdint.h>

#define MODBUS_REFUSAL_SIZE   5
#define MODBUS_READ_REGISTERS 3 /* a question's second byte */

/* Bytes of the question that begins so; 0: that cannot be told yet. */
size_t modbus_question_size(const uint8_t *bytes, size_t n);

/* Bytes of the answer that begins so; 0: that cannot be told yet. SIZE_MAX: it is none to the question. */
size_t modbus_answer_size(const uint8_t *question, const uint8_t *answer, size_t n);

/* NULL, or why n bytes, as many as modbus_answer_size() says, are not what was asked for; static. */
const char *modbus_fault(const uint8_t *question, const uint8_t *answer, size_t n);

/* An answer that refuses the question: "device failure". */
void modbus_refuse(const uint8_t *question, uint8_t out[static MODBUS_REFUSAL_SIZE]);

uint16_t modbus_checksum(const uint8_t *bytes, size_t n);

#endif
