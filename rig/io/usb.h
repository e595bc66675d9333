/* SPDX-License-Identifier: GPL-3.0-or-later */
/* USB devices by transfers, each with a limit. The only includer of libusb. */
#ifndef COLDRIG_USB_H
#define COLDRIG_USB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct usb;

#define USB_PATH_SIZE 32 /* "1-1.4", "usb1" */

struct usb_about {
	char path[USB_PATH_SIZE];
	uint16_t vendor, product;
	uint8_t device_class;
	uint8_t bus, address;
	uint16_t version; /* of USB, 0x0200 */
};

/*
 * Opens the n-th device (from 0) of those that want() takes; -ENODEV when there are no more. -EACCES, and
 * others, with words. Closed with usb_close().
 */
int usb_open(bool (*want)(const struct usb_about *about, const void *arg), const void *arg,
	     size_t n, struct usb **out, struct err *why);

const struct usb_about *usb_about(const struct usb *usb);

/* What the device calls itself; "" if nothing. */
void usb_product(struct usb *usb, char *text, size_t size);

/*
 * One control transfer, within a second; to an interface only when it is claimed. The direction is bit 7 of type.
 * Bytes transferred, or -ETIMEDOUT, -EPIPE (the device refuses), -ENODEV (unplugged), -EIO.
 */
int usb_control(struct usb *usb, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
		void *data, uint16_t size);

/* Bulk endpoints of an interface. */
struct usb_pipes {
	uint8_t interface, in, out;
};

/*
 * Takes the first interface of a class and subclass that has both, from the kernel's driver where one has it, until
 * usb_close(). -ENODEV if there is none, -EBUSY if another program has it.
 */
int usb_claim(struct usb *usb, uint8_t interface_class, uint8_t subclass, struct usb_pipes *out);

/* One bulk transfer; as usb_control(). */
int usb_bulk(struct usb *usb, uint8_t endpoint, void *data, size_t size, unsigned limit_ms);

/* Ends an endpoint's halt, after -EPIPE. */
int usb_clear_halt(struct usb *usb, uint8_t endpoint);

void usb_close(struct usb *usb);

#endif
