/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "usbtmc.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usb.h"

#define CLASS	      0xfe
#define SUBCLASS      3
#define HEADER	      12
#define TRANSFER_SIZE 2048 /* header, message and padding, in whole packets of whatever speed */
#define SEND_MS	      1000

enum { MESSAGE_OUT = 1, REQUEST_IN = 2, MESSAGE_IN = 2 };
enum { END_OF_MESSAGE = 1 };
enum { INITIATE_CLEAR = 5, CHECK_CLEAR_STATUS = 6, GET_CAPABILITIES = 7 };
enum { REN_CONTROL = 160, GO_TO_LOCAL = 161 };
enum { STATUS_SUCCESS = 1, STATUS_PENDING = 2 };
enum { CAN_REMOTE = 2 }; /* in byte 15 of the capabilities */

struct usbtmc {
	struct usb *usb;
	struct usb_pipes pipes;
	uint8_t tag;
	bool can_remote;
	unsigned char buffer[TRANSFER_SIZE];
};

struct which {
	unsigned bus, address, vendor, product;
};

static bool parse(const char *text, struct which *which)
{
	int end = 0;

	*which = (struct which){0};
	if (sscanf(text, "%4x.%4x%n", &which->vendor, &which->product, &end) == 2 && end == 9 &&
	    !text[end])
		return true;
	*which = (struct which){0};
	return sscanf(text, "%3u.%3u%n", &which->bus, &which->address, &end) == 2 && !text[end];
}

static bool is_wanted(const struct usb_about *about, const void *argument)
{
	const struct which *which = argument;

	if (which->vendor)
		return about->vendor == which->vendor && about->product == which->product;
	return about->bus == which->bus && about->address == which->address;
}

/* Of the class, to the interface, answered. */
static int request(struct usbtmc *t, uint8_t what, uint16_t value, void *answer, uint16_t size)
{
	return usb_control(t->usb, 0xa1, what, value, t->pipes.interface, answer, size);
}

/* What an earlier program did not fetch. An instrument that does not know the request keeps what it has. */
static void clear(struct usbtmc *t)
{
	uint8_t status[2] = {0};

	if (request(t, INITIATE_CLEAR, 0, status, 1) != 1 || status[0] != STATUS_SUCCESS)
		return;
	for (int i = 0; i < 20; i++) {
		if (request(t, CHECK_CLEAR_STATUS, 0, status, 2) != 2 ||
		    status[0] != STATUS_PENDING)
			break;
		usleep(10000);
	}
	usb_clear_halt(t->usb, t->pipes.out);
}

static void begin(struct usbtmc *t)
{
	uint8_t capabilities[24] = {0}, status;

	if (request(t, GET_CAPABILITIES, 0, capabilities, sizeof(capabilities)) ==
	    sizeof(capabilities))
		t->can_remote = capabilities[15] & CAN_REMOTE;
	clear(t);
	if (t->can_remote)
		request(t, REN_CONTROL, 1, &status, 1);
}

int usbtmc_open(const char *text, struct usbtmc **out, struct err *err)
{
	struct usbtmc *t;
	struct which which;
	int ret;

	if (!parse(text, &which))
		return err_set(err, -EINVAL, "%s: want BUS.ADDRESS or VENDOR.PRODUCT", text);
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(err, -ENOMEM, "no memory");
	err->text[0] = '\0';
	ret = usb_open(is_wanted, &which, 0, &t->usb, err);
	if (ret && !err->text[0])
		err_set(err, ret, "no USB device %s: is it plugged in and switched on?", text);
	if (ret == 0) {
		ret = usb_claim(t->usb, CLASS, SUBCLASS, &t->pipes);
		if (ret)
			err_set(err, ret, "USB device %s: cannot be taken: %s", text,
				ret == -ENODEV ? "it is no instrument (USBTMC)" : strerror(-ret));
	}
	if (ret) {
		usb_close(t->usb);
		free(t);
		return ret;
	}
	begin(t);
	*out = t;
	return 0;
}

static void put_u32(unsigned char *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static uint32_t get_u32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
	       (uint32_t)from[3] << 24;
}

/* Sends a header with n bytes behind it in the buffer. */
static int transfer_out(struct usbtmc *t, uint8_t kind, uint32_t size, uint8_t attributes, size_t n)
{
	size_t total = (HEADER + n + 3) & ~(size_t)3;
	int ret;

	t->tag = (uint8_t)(t->tag == UINT8_MAX ? 1 : t->tag + 1);
	memset(t->buffer, 0, HEADER);
	memset(t->buffer + HEADER + n, 0, total - HEADER - n);
	t->buffer[0] = kind;
	t->buffer[1] = t->tag;
	t->buffer[2] = (uint8_t)~t->tag;
	put_u32(t->buffer + 4, size);
	t->buffer[8] = attributes;
	ret = usb_bulk(t->usb, t->pipes.out, t->buffer, total, SEND_MS);
	if (ret == -EPIPE)
		usb_clear_halt(t->usb, t->pipes.out);
	if (ret < 0)
		return ret;
	return (size_t)ret == total ? 0 : -EIO;
}

int usbtmc_send(struct usbtmc *t, const char *text, size_t n)
{
	if (n > USBTMC_MESSAGE_MAX)
		return -EMSGSIZE;
	memcpy(t->buffer + HEADER, text, n);
	return transfer_out(t, MESSAGE_OUT, (uint32_t)n, END_OF_MESSAGE, n);
}

/* At least a header, and all bytes that it announces, into the buffer; short packets do not end it. */
static int transfer_in(struct usbtmc *t, unsigned limit_ms)
{
	size_t got = 0, want = HEADER;

	while (got < want) {
		int ret = usb_bulk(t->usb, t->pipes.in, t->buffer + got, TRANSFER_SIZE - got,
				   limit_ms);

		if (ret == -EPIPE)
			usb_clear_halt(t->usb, t->pipes.in);
		if (ret <= 0)
			return ret ? ret : -EPROTO;
		got += (size_t)ret;
		if (got < HEADER || t->buffer[0] != MESSAGE_IN || t->buffer[1] != t->tag ||
		    t->buffer[2] != (uint8_t)~t->tag || get_u32(t->buffer + 4) > USBTMC_MESSAGE_MAX)
			return -EPROTO;
		want = HEADER + get_u32(t->buffer + 4);
	}
	return 0;
}

ssize_t usbtmc_receive(struct usbtmc *t, char *to, size_t size, bool *last, unsigned limit_ms)
{
	uint32_t n = (uint32_t)(size < USBTMC_MESSAGE_MAX ? size : USBTMC_MESSAGE_MAX);
	int ret = transfer_out(t, REQUEST_IN, n, 0, 0);

	if (ret == 0)
		ret = transfer_in(t, limit_ms);
	if (ret < 0)
		return ret;
	n = get_u32(t->buffer + 4);
	if (n > size)
		return -EPROTO;
	memcpy(to, t->buffer + HEADER, n);
	*last = t->buffer[8] & END_OF_MESSAGE;
	return (ssize_t)n;
}

void usbtmc_close(struct usbtmc *t)
{
	uint8_t status;

	if (!t)
		return;
	if (t->can_remote)
		request(t, GO_TO_LOCAL, 0, &status, 1);
	usb_close(t->usb);
	free(t);
}
