/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As much of an RDTech DPS5005 as libsigrok's rdtech-dps asks for, in Modbus RTU on a pseudo-terminal, with
 * faults. A process of its own, like scpi_server.h's. Answer n (from 1) to the question for its readings has n in
 * the register of each.
 */
#ifndef COLDRIG_MODBUS_SERVER_H
#define COLDRIG_MODBUS_SERVER_H

#include "scpi_server.h"

enum modbus_fault {
	MODBUS_GOOD,
	MODBUS_MUTE,	 /* from the first question on */
	MODBUS_STALL,	 /* from answer fault_at on; until it is opened again, as all that follow */
	MODBUS_HALF,	 /* half of answer fault_at, then nothing */
	MODBUS_HANG_UP,	 /* instead of answer fault_at, and for good */
	MODBUS_NOISE,	 /* from answer fault_at on: bytes that are no answer */
	MODBUS_BAD_SUM,	 /* every fourth answer has a bit turned over */
	MODBUS_REFUSE,	 /* every fourth answer is an exception */
	MODBUS_STRANGER, /* every fourth answer is another device's */
	MODBUS_SHORT,	 /* every fourth answer has fewer registers than asked for */
	MODBUS_GARBLE,	 /* before every fourth answer come three bytes */
	MODBUS_CHATTY,	 /* every fourth answer comes twice */
	MODBUS_SPLIT,	 /* answers come in three pieces */
	MODBUS_LATE,	 /* answer fault_at comes later than the driver waits */
};

#define MODBUS_REGISTERS 16
#define MODBUS_READINGS	 2 /* the first of the registers with readings: volts, amperes, watts */
#define MODBUS_MODEL	 11

struct modbus_server {
	pid_t pid;
	char terminal[64];
	int master;
	enum modbus_fault fault;
	unsigned fault_at;
	useconds_t
		delay_us; /* from a question to the moment of measuring, and from that to the answer */
	struct modbus_shared {
		_Atomic unsigned answers;
		_Atomic unsigned opened; /* how often it was asked for its model */
		_Atomic bool locked;
		_Atomic int64_t measured_ns[SCPI_LOG_SIZE];
	} * shared;
};

static inline uint16_t modbus_sum(const uint8_t *bytes, size_t n)
{
	uint16_t sum = 0xffff;

	for (size_t i = 0; i < 8 * n; i++) {
		if (i % 8 == 0)
			sum ^= bytes[i / 8];
		sum = (uint16_t)(sum & 1 ? sum >> 1 ^ 0xa001 : sum >> 1);
	}
	return sum;
}

static inline size_t modbus_seal(uint8_t *bytes, size_t n)
{
	uint16_t sum = modbus_sum(bytes, n);

	bytes[n] = (uint8_t)sum;
	bytes[n + 1] = (uint8_t)(sum >> 8);
	return n + 2;
}

/* The answer to a question for registers. */
static inline size_t modbus_read(const uint16_t *registers, const uint8_t *question, uint8_t *out)
{
	size_t first = (size_t)question[2] << 8 | question[3], n = question[5], k = 3;

	out[0] = question[0];
	out[1] = 3;
	out[2] = (uint8_t)(2 * n);
	for (size_t i = 0; i < n; i++) {
		uint16_t value = first + i < MODBUS_REGISTERS ? registers[first + i] : 0;

		out[k++] = (uint8_t)(value >> 8);
		out[k++] = (uint8_t)value;
	}
	return modbus_seal(out, k);
}

/* In the place of every fourth answer. */
static inline size_t modbus_spoil(const struct modbus_server *s, uint8_t *out, size_t n)
{
	switch (s->fault) {
	case MODBUS_BAD_SUM:
		out[4] ^= 4;
		return n;
	case MODBUS_REFUSE:
		out[1] |= 0x80;
		out[2] = 6;
		return modbus_seal(out, 3);
	case MODBUS_STRANGER:
		out[0]++;
		return modbus_seal(out, n - 2);
	case MODBUS_SHORT:
		out[2] = 2;
		return modbus_seal(out, 5);
	case MODBUS_GARBLE:
		memmove(out + 3, out, n);
		memcpy(out, "\x55\xaa\x00", 3);
		return n + 3;
	case MODBUS_CHATTY:
		memcpy(out + n, out, n);
		return 2 * n;
	default:
		return n;
	}
}

/* From answer fault_at on, until it is opened again. False: as if nothing were. */
static inline bool modbus_break(const struct modbus_server *s, const uint8_t *out)
{
	switch (s->fault) {
	case MODBUS_STALL:
		return true;
	case MODBUS_HALF:
		scpi_write(s->master, (const char *)out, 9);
		return true;
	case MODBUS_NOISE:
		scpi_write(s->master, "\xff\x00 noise", 8);
		return true;
	case MODBUS_LATE:
		usleep(700000);
		return false;
	case MODBUS_HANG_UP:
		_exit(0);
	default:
		return false;
	}
}

static inline void modbus_measure(struct modbus_server *s, const uint8_t *question)
{
	unsigned n = s->shared->answers + 1;
	uint16_t registers[MODBUS_REGISTERS] = {0};
	uint8_t out[128];
	size_t size;

	usleep(s->delay_us);
	for (size_t i = 0; i < 3; i++)
		registers[MODBUS_READINGS + i] = (uint16_t)n;
	s->shared->measured_ns[n] = scpi_now_ns();
	usleep(s->delay_us);
	size = modbus_read(registers, question, out);
	if (n >= s->fault_at && s->shared->opened < 2 && modbus_break(s, out))
		return;
	s->shared->answers = n;
	if (n % 4 == 0)
		size = modbus_spoil(s, out, size);
	if (s->fault == MODBUS_SPLIT) {
		scpi_write(s->master, (char *)out, 1);
		usleep(30000);
		scpi_write(s->master, (char *)out + 1, 8);
		usleep(30000);
		scpi_write(s->master, (char *)out + 9, size - 9);
	} else {
		scpi_write(s->master, (char *)out, size);
	}
}

static inline void modbus_answer(struct modbus_server *s, const uint8_t *question)
{
	const uint16_t registers[MODBUS_REGISTERS] = {[MODBUS_MODEL] = 5005,
						      [MODBUS_MODEL + 1] = 14};
	uint8_t out[128];

	if (question[1] == 3 && question[3] == MODBUS_READINGS) {
		modbus_measure(s, question);
	} else if (question[1] == 3) {
		s->shared->opened += question[3] == MODBUS_MODEL;
		scpi_write(s->master, (char *)out, modbus_read(registers, question, out));
	} else {
		s->shared->locked = question[8];
		memcpy(out, question, 6);
		scpi_write(s->master, (char *)out, modbus_seal(out, 6));
	}
}

static inline void modbus_run(struct modbus_server *s)
{
	uint8_t bytes[256];
	size_t n = 0, size;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		ssize_t got = read(s->master, bytes + n, sizeof(bytes) - n);

		if (got <= 0)
			_exit(0);
		n += (size_t)got;
		for (; n >= 2 && n >= (size = bytes[1] == 3 ? 8 : 11); n -= size) {
			if (s->fault != MODBUS_MUTE)
				modbus_answer(s, bytes);
			memmove(bytes, bytes + size, n - size);
		}
	}
}

static inline void modbus_server_launch(struct modbus_server *s)
{
	struct scpi_server terminal = {.line = SCPI_TERMINAL};

	s->shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->shared == MAP_FAILED)
		abort();
	scpi_open_terminal(&terminal);
	memcpy(s->terminal, terminal.terminal, sizeof(s->terminal));
	s->master = terminal.listener;
	s->pid = fork();
	if (s->pid == 0)
		modbus_run(s);
	close(s->master);
}

static inline void modbus_server_stop(struct modbus_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->shared, sizeof(*s->shared));
}

#endif
