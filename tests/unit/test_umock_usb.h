/* SPDX-License-Identifier: GPL-3.0-or-later */
/* USB devices for libusb as it is: sysfs, and usbfs with transfers, which a test answers. */
#ifndef COLDRIG_TEST_UMOCK_USB_H
#define COLDRIG_TEST_UMOCK_USB_H

#include <linux/usbdevice_fs.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "test_umock.h"

/* The eight bytes in front of a control transfer. */
struct umock_setup {
	uint8_t type, request;
	uint16_t value, index, length;
} __attribute__((packed));

/*
 * Answers a control transfer to a node (/dev/bus/usb/001/002): bytes in data, or negative errno of the
 * transfer, such as -EPIPE for a stall.
 */
typedef int (*umock_usb_handler)(const char *node, const struct umock_setup *setup, uint8_t *data);

/* The same for a bulk transfer; IN has bit 7 of endpoint set. UMOCK_USB_LATER: nothing yet, it is asked again. */
typedef int (*umock_usb_bulk_handler)(uint8_t endpoint, uint8_t *data, size_t size);
#define UMOCK_USB_LATER (-EAGAIN)

struct umock_usb {
	umock_handler on_ioctl;
	umock_usb_handler handler;
	umock_usb_bulk_handler on_bulk;
	UMockdevIoctlData *urb; /* submitted, and not yet fetched */
	bool unplugged;
	uint8_t halted; /* endpoint, until that is cleared */
};

/* One for all devices of a test: libusb has one transfer under way at a time here. */
static struct umock_usb umock_usb;

/* What came of a transfer, or UMOCK_USB_LATER. */
static inline int umock_usb_transfer(const struct umock_ioctl *io, struct usbdevfs_urb *urb,
				     uint8_t *buffer)
{
	struct umock_setup *setup = (struct umock_setup *)(void *)buffer;

	if (urb->type == USBDEVFS_URB_TYPE_BULK && urb->endpoint == umock_usb.halted)
		return -EPIPE;
	if (urb->type == USBDEVFS_URB_TYPE_BULK)
		return umock_usb.on_bulk(urb->endpoint, buffer, (size_t)urb->buffer_length);
	return umock_usb.handler(umockdev_ioctl_client_get_devnode(io->client), setup,
				 (uint8_t *)(setup + 1));
}

static inline struct usbdevfs_urb *umock_usb_urb(void)
{
	return (struct usbdevfs_urb *)(void *)umock_usb.urb->data;
}

static inline void umock_usb_try(const struct umock_ioctl *io)
{
	struct usbdevfs_urb *urb = umock_usb_urb();
	uint8_t *buffer = umock_memory(umock_usb.urb, offsetof(struct usbdevfs_urb, buffer),
				       (size_t)urb->buffer_length);
	int r = -ESHUTDOWN;

	if (!buffer) /* the process has ended */
		return;
	if (!umock_usb.unplugged)
		r = umock_usb_transfer(io, urb, buffer);
	urb->status = r < 0 ? r : 0;
	urb->actual_length = r < 0 ? 0 : r;
}

/* A transfer of a process that has ended. */
static inline void umock_usb_forget(void)
{
	if (umock_usb.urb)
		umockdev_ioctl_data_unref(umock_usb.urb);
	umock_usb.urb = NULL;
}

static inline int umock_usb_submit(const struct umock_ioctl *io)
{
	umock_usb_forget();
	umock_usb.urb = umockdev_ioctl_data_resolve(io->arg, 0, sizeof(struct usbdevfs_urb), NULL);
	if (!umock_usb.urb) /* the process has ended */
		return -EFAULT;
	umock_usb_try(io);
	return 0;
}

static inline int umock_usb_reap(const struct umock_ioctl *io)
{
	UMockdevIoctlData *pointer;

	if (!umock_usb.urb)
		return -EAGAIN;
	if (umock_usb_urb()->status == UMOCK_USB_LATER)
		umock_usb_try(io);
	if (umock_usb_urb()->status == UMOCK_USB_LATER)
		return -EAGAIN;
	pointer = umockdev_ioctl_data_resolve(io->arg, 0, sizeof(void *), NULL);
	umockdev_ioctl_data_set_ptr(pointer, 0, umock_usb.urb);
	umockdev_ioctl_data_unref(pointer);
	umock_usb_forget();
	return 0;
}

static inline int umock_usb_discard(void)
{
	if (!umock_usb.urb)
		return -EINVAL;
	umock_usb_urb()->status = -ENOENT;
	return 0;
}

static inline int umock_usb_ioctl(const struct umock_ioctl *io)
{
	bool is_reap = io->request == USBDEVFS_REAPURB || io->request == USBDEVFS_REAPURBNDELAY;

	if (umock_usb.unplugged && !(is_reap && umock_usb.urb))
		return -ENODEV;
	switch (io->request) {
	case USBDEVFS_GET_CAPABILITIES:
		*(uint32_t *)umock_memory(io->arg, 0, sizeof(uint32_t)) = 0;
		return 0;
	case USBDEVFS_DISCONNECT_CLAIM:
	case USBDEVFS_CLAIMINTERFACE:
	case USBDEVFS_RELEASEINTERFACE:
		return 0;
	case USBDEVFS_CLEAR_HALT:
		if (*(unsigned *)umock_memory(io->arg, 0, sizeof(unsigned)) == umock_usb.halted)
			umock_usb.halted = 0;
		return 0;
	case USBDEVFS_GETDRIVER:
		return -ENODATA;
	case USBDEVFS_SUBMITURB:
		return umock_usb_submit(io);
	case USBDEVFS_DISCARDURB:
		return umock_usb_discard();
	case USBDEVFS_REAPURB:
	case USBDEVFS_REAPURBNDELAY:
		return umock_usb_reap(io);
	default:
		return -ENOTTY;
	}
}

/* A device with one configuration, whose descriptor is given; product string 2. name is that of sysfs. */
static inline void umock_usb_add_with(UMockdevTestbed *testbed, const char *parent,
				      const char *name, unsigned number, unsigned vendor,
				      unsigned product, unsigned device_class, unsigned usb_version,
				      const char *configuration)
{
	char text[1024], node[64];

	snprintf(
		text, sizeof(text),
		"P: /devices/%s%s%s\nN: bus/usb/001/%03u\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\n"
		"E: DEVNAME=/dev/bus/usb/001/%03u\nE: BUSNUM=001\nE: DEVNUM=%03u\nE: MAJOR=189\nE: "
		"MINOR=%u\n"
		"A: busnum=1\\n\nA: devnum=%u\\n\nA: speed=480\\n\nA: bConfigurationValue=1\\n\n"
		"H: descriptors=1201%02X%02X%02X000040%02X%02X%02X%02X000100020001%s\n",
		parent, *parent ? "/" : "", name, number, number, number, number - 1, number,
		usb_version & 0xff, usb_version >> 8, device_class, vendor & 0xff, vendor >> 8,
		product & 0xff, product >> 8, configuration);
	CU_ASSERT_FATAL(umockdev_testbed_add_from_string(testbed, text, NULL));
	snprintf(node, sizeof(node), "/dev/bus/usb/001/%03u", number);
	umock_attach(testbed, node, &umock_usb.on_ioctl);
}

/* The same with one interface of class HID. */
static inline void umock_usb_add(UMockdevTestbed *testbed, const char *parent, const char *name,
				 unsigned number, unsigned vendor, unsigned product,
				 unsigned device_class, unsigned usb_version)
{
	umock_usb_add_with(testbed, parent, name, number, vendor, product, device_class,
			   usb_version,
			   "09021B00010100A032"
			   "0904000001030000000"
			   "7058103080014");
}

static inline UMockdevTestbed *umock_usb_new(umock_usb_handler handler)
{
	UMockdevTestbed *testbed = umockdev_testbed_new();

	umock_usb_forget();
	umock_usb = (struct umock_usb){.on_ioctl = umock_usb_ioctl, .handler = handler};
	umock_usb_add(testbed, "", "usb1", 1, 0x1d6b, 2, 9, 0x0200);
	return testbed;
}

/* A string descriptor, for 0x80/6 with value 0x03NN. */
static inline int umock_usb_string(const struct umock_setup *setup, const char *text, uint8_t *data)
{
	static const uint8_t languages[] = {4, 3, 9, 4};
	size_t n = 2;

	if ((setup->value & 0xff) == 0) {
		memcpy(data, languages, sizeof(languages));
		return sizeof(languages);
	}
	for (; *text && n + 2 <= setup->length; text++, n += 2) {
		data[n] = (uint8_t)*text;
		data[n + 1] = 0;
	}
	data[0] = (uint8_t)n;
	data[1] = 3;
	return (int)n;
}

#endif
