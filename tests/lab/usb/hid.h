/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A USB HID device of our own for an emulated machine: a process that QEMU's usb-redir talks to. What
 * the guest makes of it is told on stdout, "T_NS WORDS" a line, with CLOCK_MONOTONIC; what the world does to
 * it comes on stdin. The end of stdin unplugs it.
 */
#ifndef COLDRIG_TEST_HID_H
#define COLDRIG_TEST_HID_H

#include <stddef.h>
#include <stdint.h>

#define HID_REPORT_MAX 64

struct hid_model {
	const char *name;
	uint16_t vendor, product;
	const char *maker, *title, *serial;
	const uint8_t *descriptor; /* of its reports */
	uint8_t descriptor_size;
	/* Feature report: bytes filled in, or -1 for a stall. */
	int (*get)(uint8_t id, uint8_t data[static HID_REPORT_MAX]);
	int (*set)(uint8_t id, const uint8_t *data, size_t n);
	/* A line from stdin. */
	void (*command)(const char *line);
};

extern const struct hid_model cp2112_model, relay_model;

void hid_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
