/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An instrument on USB (USBTMC, USB488) for libusb as it is: scpi_server.h behind it says what it answers, and
 * has its faults. From "Universal Serial Bus Test and Measurement Class Specification, Revision 1.0", 3.2 and 3.3.
 */
#ifndef COLDRIG_USBTMC_FAKE_H
#define COLDRIG_USBTMC_FAKE_H

#include "scpi_server.h"
#include "test_umock_usb.h"

#define USBTMC_HEADER 12

enum usbtmc_fault {
	USBTMC_GOOD,
	USBTMC_PIECES,	  /* each answer is two messages; the first has no end */
	USBTMC_HALT,	  /* answer fault_at: the endpoint is halted until that is cleared */
	USBTMC_UNPLUGGED, /* instead of answer fault_at */
	USBTMC_WRONG_TAG, /* answer fault_at is that to another question */
};

static struct usbtmc_fake {
	enum usbtmc_fault fault;
	unsigned fault_at;
	struct scpi_server server;
	int line; /* to the server */
	uint8_t tag;
	bool asked, remote;
	unsigned answers;
	char text[256]; /* an answer, and how much of it has been sent */
	size_t n, sent;
} usbtmc;

/* Class requests: capabilities, and remote or local. */
static inline int usbtmc_control(const char *node, const struct umock_setup *setup, uint8_t *data)
{
	(void)node;
	if ((setup->type & 0x60) == 0 && setup->request == 6)
		return umock_usb_string(setup, "meter", data);
	if (setup->request == 5) { /* clear */
		usbtmc.n = usbtmc.sent = 0;
		usbtmc.asked = false;
	}
	usbtmc.remote = (usbtmc.remote || setup->request == 160) && setup->request != 161;
	memset(data, 0, setup->length);
	data[0] = 1;
	if (setup->request == 7)
		data[15] = 2;
	return setup->length;
}

static inline void usbtmc_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	to.sin_port = htons((uint16_t)usbtmc.server.port);
	usbtmc.line = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(usbtmc.line, (struct sockaddr *)&to, sizeof(to)) < 0)
		abort();
}

static inline int usbtmc_out(const uint8_t *data, size_t size)
{
	uint32_t n;

	memcpy(&n, data + 4, sizeof(n));
	usbtmc.tag = data[1];
	if (data[0] == 1)
		scpi_write(usbtmc.line, (const char *)data + USBTMC_HEADER, n);
	else
		usbtmc.asked = true;
	return (int)size;
}

/* False when there is none yet. */
static inline bool usbtmc_take_answer(void)
{
	ssize_t n;

	if (usbtmc.sent < usbtmc.n)
		return true;
	n = recv(usbtmc.line, usbtmc.text, sizeof(usbtmc.text), MSG_DONTWAIT);
	if (n <= 0)
		return false;
	usbtmc.n = (size_t)n;
	usbtmc.sent = 0;
	usbtmc.answers += usbtmc.server.shared->answers > 0;
	return true;
}

static inline int usbtmc_in(uint8_t *data)
{
	bool at;
	uint32_t n;

	if (!usbtmc.asked || !usbtmc_take_answer()) {
		usleep(200); /* libusb asks again at once: usbfs would make it wait */
		return UMOCK_USB_LATER;
	}
	at = usbtmc.answers && usbtmc.answers == usbtmc.fault_at;
	usbtmc.asked = false;
	if (at && usbtmc.fault == USBTMC_UNPLUGGED) {
		umock_usb.unplugged = true;
		return -ESHUTDOWN;
	}
	if (at && usbtmc.fault == USBTMC_HALT) {
		umock_usb.halted = 0x82;
		return -EPIPE;
	}
	n = (uint32_t)(usbtmc.n - usbtmc.sent);
	if (usbtmc.fault == USBTMC_PIECES && n > 1)
		n = (n + 1) / 2;
	memset(data, 0, USBTMC_HEADER);
	data[0] = 2;
	data[1] = (uint8_t)(usbtmc.tag - (at && usbtmc.fault == USBTMC_WRONG_TAG));
	data[2] = (uint8_t)~data[1];
	memcpy(data + 4, &n, sizeof(n));
	data[8] = usbtmc.sent + n == usbtmc.n; /* end of message */
	memcpy(data + USBTMC_HEADER, usbtmc.text + usbtmc.sent, n);
	usbtmc.sent += n;
	return (int)(USBTMC_HEADER + n + 3) & ~3;
}

static inline int usbtmc_bulk(uint8_t endpoint, uint8_t *data, size_t size)
{
	return endpoint & 0x80 ? usbtmc_in(data) : usbtmc_out(data, size);
}

/* An instrument of Agilent's, 0957:0618, on bus 1 with address 2. What server says is set before. */
static inline UMockdevTestbed *usbtmc_start(const struct usbtmc_fake *like)
{
	UMockdevTestbed *testbed;

	usbtmc = *like;
	scpi_server_launch(&usbtmc.server);
	usbtmc_connect();
	testbed = umock_usb_new(usbtmc_control);
	umock_usb.on_bulk = usbtmc_bulk;
	/* An interface of class 254, 3, 1 with a bulk endpoint each way. */
	umock_usb_add_with(testbed, "usb1", "1-1", 2, 0x0957, 0x0618, 0, 0x0200,
			   "09022000010100C032"
			   "0904000002FE030100"
			   "07050102400000"
			   "07058202400000");
	return testbed;
}

/* Another server behind it, as if it had been switched off and on. */
static inline void usbtmc_replace(enum scpi_fault fault)
{
	struct scpi_server server = {.identity = usbtmc.server.identity, .fault = fault};

	close(usbtmc.line);
	scpi_server_stop(&usbtmc.server);
	usbtmc.server = server;
	scpi_server_launch(&usbtmc.server);
	usbtmc_connect();
	usbtmc.n = usbtmc.sent = 0;
	usbtmc.answers = 0;
}

static inline void usbtmc_stop(UMockdevTestbed *testbed)
{
	g_object_unref(testbed);
	close(usbtmc.line);
	scpi_server_stop(&usbtmc.server);
}

#endif
