/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a question to an instrument ends, and where its answer. */
#ifndef COLDRIG_FRAMING_H
#define COLDRIG_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum framing {
	FRAMING_LINES, /* both are lines of text */
	FRAMING_LENGTH, /* a question is a line; before its answer comes a length (libsigrok's tcp-rigol) */
	FRAMING_MODBUS, /* modbus.h */
	FRAMING_KORAD /* no ends: a question has its mark, and its answer as many bytes as always */
};

/* Bytes of the length: the lowest first. */
#define FRAMING_LENGTH_SIZE 4

/* Is there a whole question among the bytes, and nothing begun behind it? What only sets something and wants no
 * answer goes with the next question. */
bool framing_is_question(enum framing framing, const char *bytes, size_t n);

/*
 * How many bytes the answer has that begins with these, its length included; 0: that cannot be told yet;
 * FRAMING_STRANGE: never, it is none to the question.
 */
#define FRAMING_STRANGE SIZE_MAX
size_t framing_answer_size(enum framing framing, const char *question, size_t question_n,
			   const char *answer, size_t n);

#endif
