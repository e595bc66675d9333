/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REPLY_LIMIT_MS 1000
#define REPLY_SIZE     8192 /* all registers are some 1.2 kB in hexadecimal */
#define BODY_SIZE      64
/* x86-64: RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8 to R15 come before RIP, 16 digits each. */
#define RIP_AT	  (16 * 16)
#define SPIN_HERE "ebfe" /* jmp to itself */

static unsigned checksum(const char *text, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (unsigned char)text[i];
	return sum & 0xff;
}

size_t gdbstub_packet(const char *body, char *out, size_t size)
{
	int n = snprintf(out, size, "$%s#%02x", body, checksum(body, strlen(body)));

	return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

size_t gdbstub_parse(const char *bytes, size_t n, char *body, size_t size)
{
	const char *begin = memchr(bytes, '$', n), *end;
	char digits[3] = "";
	size_t length;

	end = begin ? memchr(begin, '#', n - (size_t)(begin - bytes)) : NULL;
	if (!end || (size_t)(end - bytes) + 3 > n)
		return 0;
	length = (size_t)(end - begin) - 1;
	memcpy(digits, end + 1, 2);
	if (strtoul(digits, NULL, 16) != checksum(begin + 1, length))
		length = 0;
	snprintf(body, size, "%.*s", (int)length, begin + 1);
	return (size_t)(end - bytes) + 3;
}

static int send_all(int fd, const char *bytes, size_t n)
{
	return send(fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -EPIPE;
}

/* The next packet. */
static int receive(int fd, char *body, size_t size)
{
	char bytes[REPLY_SIZE];
	size_t have = 0;

	for (;;) {
		struct pollfd line = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (gdbstub_parse(bytes, have, body, size) > 0)
			return send_all(fd, "+", 1);
		if (have == sizeof(bytes))
			return -EPROTO;
		if (poll(&line, 1, REPLY_LIMIT_MS) <= 0)
			return -ETIMEDOUT;
		n = recv(fd, bytes + have, sizeof(bytes) - have, MSG_DONTWAIT);
		if (n <= 0)
			return -EPIPE;
		have += (size_t)n;
	}
}

static int ask(int fd, const char *request, char *body, size_t size)
{
	char packet[BODY_SIZE + 8];
	size_t n = gdbstub_packet(request, packet, sizeof(packet));
	int code = n ? send_all(fd, packet, n) : -E2BIG;

	return code < 0 ? code : receive(fd, body, size);
}

static int ask_ok(int fd, const char *request)
{
	char body[BODY_SIZE];
	int code = ask(fd, request, body, sizeof(body));

	return code < 0 ? code : strcmp(body, "OK") == 0 ? 0 : -EPROTO;
}

/* What the machine said by itself, when something else stopped it, is of no interest. */
static void drain(int fd)
{
	char bytes[256];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

int gdbstub_stop(int fd)
{
	char body[BODY_SIZE];
	int code;

	drain(fd);
	code = send_all(fd, "\x03", 1);
	return code < 0 ? code : receive(fd, body, sizeof(body));
}

int gdbstub_go_on(int fd)
{
	char packet[8];

	return send_all(fd, packet, gdbstub_packet("c", packet, sizeof(packet)));
}

/* Where a CPU is; an address of the kernel has its upper bit set. */
static int read_rip(int fd, uint64_t *rip)
{
	char registers[REPLY_SIZE];
	int code = ask(fd, "g", registers, sizeof(registers));

	if (code < 0)
		return code;
	if (strlen(registers) < RIP_AT + 16)
		return -EPROTO;
	*rip = 0;
	for (size_t i = 0; i < 8; i++) { /* little-endian */
		char digits[3] = {registers[RIP_AT + 2 * i], registers[RIP_AT + 2 * i + 1], 0};

		*rip |= (uint64_t)strtoul(digits, NULL, 16) << (8 * i);
	}
	return 0;
}

int gdbstub_spin(int fd, unsigned cpus)
{
	char request[BODY_SIZE];
	int spinning = 0;
	uint64_t rip;
	int code = ask_ok(fd, "Qqemu.PhyMemMode:0");

	for (unsigned cpu = 1; code == 0 && cpu <= cpus; cpu++) {
		snprintf(request, sizeof(request), "Hg%x", cpu);
		code = ask_ok(fd, request);
		if (code == 0)
			code = read_rip(fd, &rip);
		if (code < 0 || !(rip >> 63))
			continue;
		snprintf(request, sizeof(request), "M%" PRIx64 ",2:" SPIN_HERE, rip);
		code = ask_ok(fd, request);
		spinning += code == 0;
	}
	return code < 0 ? code : spinning;
}

int gdbstub_write_physical(int fd, uint64_t address, const void *bytes, size_t n)
{
	const unsigned char *from = bytes;
	char request[BODY_SIZE];
	int at = snprintf(request, sizeof(request), "M%" PRIx64 ",%zx:", address, n);
	int code = ask_ok(fd, "Qqemu.PhyMemMode:1");

	if (code < 0)
		return code;
	if (n > 8)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		at += snprintf(request + at, sizeof(request) - (size_t)at, "%02x", from[i]);
	return ask_ok(fd, request);
}
