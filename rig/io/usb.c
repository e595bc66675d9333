/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "usb.h"

#include <errno.h>
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "permission.h"

#define LIMIT_MS  1000
#define PORTS_MAX 7 /* a USB tree is no deeper */

struct usb {
	libusb_context *context;
	libusb_device_handle *handle;
	struct usb_about about;
	int claimed; /* interface, -1: none */
};

static int to_errno(int code)
{
	switch (code) {
	case LIBUSB_ERROR_ACCESS:
		return -EACCES;
	case LIBUSB_ERROR_NO_DEVICE:
	case LIBUSB_ERROR_NOT_FOUND:
		return -ENODEV;
	case LIBUSB_ERROR_BUSY:
		return -EBUSY;
	case LIBUSB_ERROR_TIMEOUT:
		return -ETIMEDOUT;
	case LIBUSB_ERROR_PIPE:
		return -EPIPE;
	case LIBUSB_ERROR_NO_MEM:
		return -ENOMEM;
	case LIBUSB_ERROR_NOT_SUPPORTED:
		return -ENOTSUP;
	default:
		return -EIO;
	}
}

/* As sysfs names it. */
static void path_of(libusb_device *device, char path[static USB_PATH_SIZE])
{
	uint8_t ports[PORTS_MAX];
	int n = libusb_get_port_numbers(device, ports, PORTS_MAX);
	int bus = libusb_get_bus_number(device), at;

	if (n <= 0) {
		snprintf(path, USB_PATH_SIZE, "usb%d", bus);
		return;
	}
	at = snprintf(path, USB_PATH_SIZE, "%d", bus);
	for (int i = 0; i < n; i++)
		at += snprintf(path + at, USB_PATH_SIZE - (size_t)at, "%c%u", i ? '.' : '-',
			       ports[i]);
}

static bool learn(libusb_device *device, struct usb_about *about)
{
	struct libusb_device_descriptor d;

	if (libusb_get_device_descriptor(device, &d) < 0)
		return false;
	path_of(device, about->path);
	about->bus = libusb_get_bus_number(device);
	about->address = libusb_get_device_address(device);
	about->vendor = d.idVendor;
	about->product = d.idProduct;
	about->device_class = d.bDeviceClass;
	about->version = d.bcdUSB;
	return true;
}

static int open_device(struct usb *usb, libusb_device *device, struct err *why)
{
	int r = to_errno(libusb_open(device, &usb->handle));

	if (usb->handle)
		return 0;
	if (r == -EACCES) {
		struct err node;
		char path[40];

		snprintf(path, sizeof(path), "/dev/bus/usb/%03u/%03u",
			 libusb_get_bus_number(device), libusb_get_device_address(device));
		permission_err(path, &node);
		return err_set(why, r, "USB device %s: %s", usb->about.path, node.text);
	}
	return err_set(why, r, "USB device %s: cannot be opened: %s", usb->about.path,
		       strerror(-r));
}

/* In the order of their places, so that the n-th is the same each time. */
static int by_path(const void *a, const void *b)
{
	char paths[2][USB_PATH_SIZE];

	path_of(*(libusb_device *const *)a, paths[0]);
	path_of(*(libusb_device *const *)b, paths[1]);
	return strcmp(paths[0], paths[1]);
}

int usb_open(bool (*want)(const struct usb_about *about, const void *arg), const void *arg,
	     size_t n, struct usb **out, struct err *why)
{
	struct usb *usb = calloc(1, sizeof(*usb));
	libusb_device **list = NULL;
	ssize_t devices_n;
	int r;

	if (!usb)
		return err_set(why, -ENOMEM, "%s", strerror(ENOMEM));
	usb->claimed = -1;
	r = libusb_init(&usb->context);
	devices_n = r < 0 ? r : libusb_get_device_list(usb->context, &list);
	if (devices_n < 0) {
		usb_close(usb);
		return err_set(why, -ENODEV, "USB: %s", libusb_strerror((int)devices_n));
	}
	qsort(list, (size_t)devices_n, sizeof(*list), by_path);
	r = -ENODEV;
	for (ssize_t i = 0; r == -ENODEV && i < devices_n; i++) {
		if (learn(list[i], &usb->about) && want(&usb->about, arg) && n-- == 0) {
			r = open_device(usb, list[i], why);
			break;
		}
	}
	libusb_free_device_list(list, 1);
	if (r == 0)
		*out = usb;
	else
		usb_close(usb);
	return r;
}

const struct usb_about *usb_about(const struct usb *usb)
{
	return &usb->about;
}

void usb_product(struct usb *usb, char *text, size_t size)
{
	struct libusb_device_descriptor d;
	int n = -1;

	if (libusb_get_device_descriptor(libusb_get_device(usb->handle), &d) == 0 && d.iProduct)
		n = libusb_get_string_descriptor_ascii(usb->handle, d.iProduct,
						       (unsigned char *)text, (int)size);
	if (n < 0)
		text[0] = '\0';
}

int usb_control(struct usb *usb, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
		void *data, uint16_t size)
{
	int r = libusb_control_transfer(usb->handle, type, request, value, index, data, size,
					LIMIT_MS);

	return r < 0 ? to_errno(r) : r;
}

static void find_pipes(const struct libusb_interface_descriptor *d, struct usb_pipes *pipes)
{
	*pipes = (struct usb_pipes){.interface = d->bInterfaceNumber};
	for (int i = 0; i < d->bNumEndpoints; i++) {
		const struct libusb_endpoint_descriptor *e = &d->endpoint[i];
		bool in = e->bEndpointAddress & LIBUSB_ENDPOINT_IN;

		if ((e->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK) == LIBUSB_TRANSFER_TYPE_BULK)
			*(in ? &pipes->in : &pipes->out) = e->bEndpointAddress;
	}
}

static int find_interface(const struct libusb_config_descriptor *config, uint8_t interface_class,
			  uint8_t subclass, struct usb_pipes *out)
{
	for (int i = 0; i < config->bNumInterfaces; i++) {
		const struct libusb_interface_descriptor *d = config->interface[i].altsetting;

		if (d->bInterfaceClass != interface_class || d->bInterfaceSubClass != subclass)
			continue;
		find_pipes(d, out);
		if (out->in && out->out)
			return 0;
	}
	return -ENODEV;
}

int usb_claim(struct usb *usb, uint8_t interface_class, uint8_t subclass, struct usb_pipes *out)
{
	struct libusb_config_descriptor *config;
	int r = libusb_get_active_config_descriptor(libusb_get_device(usb->handle), &config);

	if (r < 0)
		return to_errno(r);
	r = find_interface(config, interface_class, subclass, out);
	libusb_free_config_descriptor(config);
	if (r < 0)
		return r;
	libusb_set_auto_detach_kernel_driver(usb->handle, 1);
	r = libusb_claim_interface(usb->handle, out->interface);
	if (r < 0)
		return to_errno(r);
	usb->claimed = out->interface;
	return 0;
}

int usb_bulk(struct usb *usb, uint8_t endpoint, void *data, size_t size, unsigned limit_ms)
{
	int done = 0;
	int r = libusb_bulk_transfer(usb->handle, endpoint, data, (int)size, &done, limit_ms);

	return r < 0 ? to_errno(r) : done;
}

int usb_clear_halt(struct usb *usb, uint8_t endpoint)
{
	int r = libusb_clear_halt(usb->handle, endpoint);

	return r < 0 ? to_errno(r) : 0;
}

void usb_close(struct usb *usb)
{
	if (!usb)
		return;
	if (usb->claimed >= 0)
		libusb_release_interface(usb->handle, usb->claimed);
	if (usb->handle)
		libusb_close(usb->handle);
	if (usb->context)
		libusb_exit(usb->context);
	free(usb);
}
