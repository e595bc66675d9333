/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing.h"

#include <string.h>

#include "modbus.h"

/* Of Korad's supplies and those that are sold under other names. */
static const struct {
	const char *question;
	size_t answer_size;
} korad[] = {{"VOUT1?", 5}, {"IOUT1?", 5}, {"VSET1?", 5}, {"ISET1?", 5}, {"STATUS?", 1}};

static size_t korad_answer_size(const char *question, size_t n)
{
	for (size_t i = 0; i < sizeof(korad) / sizeof(korad[0]); i++) {
		size_t size = strlen(korad[i].question);

		if (n >= size && memcmp(question + n - size, korad[i].question, size) == 0)
			return korad[i].answer_size;
	}
	return FRAMING_STRANGE;
}

bool framing_is_question(enum framing framing, const char *bytes, size_t n)
{
	if (framing == FRAMING_MODBUS) {
		size_t size = modbus_question_size((const uint8_t *)bytes, n);

		return size && n >= size;
	}
	if (framing == FRAMING_KORAD)
		return n && bytes[n - 1] == '?';
	return n && bytes[n - 1] == '\n' && memchr(bytes, '?', n);
}

size_t framing_answer_size(enum framing framing, const char *question, size_t question_n,
			   const char *answer, size_t n)
{
	const uint8_t *bytes = (const uint8_t *)answer;
	const char *end = n ? memchr(answer, '\n', n) : NULL;

	if (framing == FRAMING_LINES)
		return end ? (size_t)(end + 1 - answer) : 0;
	if (framing == FRAMING_MODBUS)
		return modbus_answer_size((const uint8_t *)question, bytes, n);
	if (framing == FRAMING_KORAD)
		return korad_answer_size(question, question_n);
	if (n < FRAMING_LENGTH_SIZE)
		return 0;
	return FRAMING_LENGTH_SIZE + ((size_t)bytes[0] | (size_t)bytes[1] << 8 |
				      (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24);
}
