/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The power of a port of a USB hub, by the requests of chapter 11.24 of USB 2.0 (10.16 of USB 3.2). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "line_backend.h"
#include "usb.h"

#define CLASS_HUB 9

#define GET_HUB_DESCRIPTOR 0xa0, 6
#define GET_PORT_STATUS	   0xa3, 0
#define SET_PORT_FEATURE   0x23, 3
#define CLEAR_PORT_FEATURE 0x23, 1

#define PORT_POWER	    8	   /* the feature */
#define DESCRIPTOR_USB2	    0x2900 /* type in the upper byte */
#define DESCRIPTOR_USB3	    0x2a00
#define STATUS_POWER_USB2   0x0100
#define STATUS_POWER_USB3   0x0200
#define SWITCHING_MASK	    3 /* of wHubCharacteristics */
#define SWITCHING_EACH_PORT 1

#define VERIFY_TRIES  20
#define VERIFY_GAP_MS 10

struct hub {
	struct usb *usb;
	uint16_t port;
	bool is_usb3;
};

static bool is_at(const struct usb_about *about, const void *path)
{
	return strcmp(about->path, path) == 0;
}

static int cannot(const struct hub *hub, const char *what, int code, struct err *why)
{
	const char *path = usb_about(hub->usb)->path;

	if (code == -ENODEV)
		return err_set(why, code, "hub %s: it is gone: was it unplugged?", path);
	return err_set(why, code, "hub %s port %u: cannot %s: %s", path, hub->port, what,
		       strerror(-code));
}

/* Many hubs say that they switch ports, and have no transistor for it: only a try can tell. */
static int check_descriptor(struct hub *hub, struct err *why)
{
	uint8_t d[64];
	int r = usb_control(hub->usb, GET_HUB_DESCRIPTOR,
			    hub->is_usb3 ? DESCRIPTOR_USB3 : DESCRIPTOR_USB2, 0, d, sizeof(d));
	const char *path = usb_about(hub->usb)->path;

	if (r < 7)
		return cannot(hub, "ask what it can", r < 0 ? r : -EBADMSG, why);
	if (hub->port > d[2])
		return err_set(why, -ENOENT, "hub %s: it has %u ports, and none is %u", path, d[2],
			       hub->port);
	if ((d[3] & SWITCHING_MASK) != SWITCHING_EACH_PORT)
		return err_set(why, -ENOTSUP,
			       "hub %s: it cannot switch the power of one port%s: use another hub, "
			       "or a relay (docs/lines.md)",
			       path, d[3] & SWITCHING_MASK ? "" : ", only of all at once");
	return 0;
}

static int hub_read(void *state, bool *active, struct err *why)
{
	struct hub *hub = state;
	uint8_t status[4];
	int r = usb_control(hub->usb, GET_PORT_STATUS, 0, hub->port, status, sizeof(status));
	const unsigned power = hub->is_usb3 ? STATUS_POWER_USB3 : STATUS_POWER_USB2;

	if (r < (int)sizeof(status))
		return cannot(hub, "read its status", r < 0 ? r : -EBADMSG, why);
	*active = ((unsigned)status[0] | (unsigned)status[1] << 8) & power;
	return 0;
}

static int await_state(struct hub *hub, bool active, struct err *why)
{
	const struct timespec pause = {.tv_nsec = VERIFY_GAP_MS * 1000000};
	bool now = !active;
	int r = 0;

	for (int i = 0; r == 0 && now != active && i < VERIFY_TRIES; i++) {
		if (i)
			nanosleep(&pause, NULL);
		r = hub_read(hub, &now, why);
	}
	if (r == 0 && now != active)
		r = err_set(why, -EIO,
			    "hub %s port %u: told to switch %s, and its status still says %s",
			    usb_about(hub->usb)->path, hub->port, active ? "on" : "off",
			    now ? "on" : "off");
	return r;
}

static int hub_set(void *state, bool active, struct err *why)
{
	struct hub *hub = state;
	int r = active ? usb_control(hub->usb, SET_PORT_FEATURE, PORT_POWER, hub->port, NULL, 0)
		       : usb_control(hub->usb, CLEAR_PORT_FEATURE, PORT_POWER, hub->port, NULL, 0);

	return r < 0 ? cannot(hub, "switch it", r, why) : await_state(hub, active, why);
}

static void hub_describe(void *state, char text[static LINE_TEXT_SIZE])
{
	const struct hub *hub = state;
	const struct usb_about *about = usb_about(hub->usb);

	snprintf(text, LINE_TEXT_SIZE, "USB hub %s (%04x:%04x) port %u", about->path, about->vendor,
		 about->product, hub->port);
}

static void hub_close(void *state)
{
	struct hub *hub = state;

	usb_close(hub->usb);
	free(hub);
}

static int find(struct hub *hub, const struct lab_usbhub *wire, struct err *why)
{
	int r = usb_open(is_at, wire->path, 0, &hub->usb, why);

	if (r == -ENODEV)
		return err_set(why, -ENOENT,
			       "no USB device at %s: is the hub plugged in there? 'lsusb -t' and "
			       "/sys/bus/usb/devices show what is where",
			       wire->path);
	if (r < 0)
		return r;
	if (usb_about(hub->usb)->device_class != CLASS_HUB)
		return err_set(why, -ENOTSUP, "the USB device at %s is no hub", wire->path);
	hub->is_usb3 = usb_about(hub->usb)->version >= 0x0300;
	hub->port = (uint16_t)wire->port;
	return check_descriptor(hub, why);
}

static int hub_open(const struct lab_line *line, void **state, struct err *why)
{
	struct hub *hub = calloc(1, sizeof(*hub));
	int r;

	if (!hub)
		return err_set(why, -ENOMEM, "%s", strerror(ENOMEM));
	r = find(hub, &line->usbhub, why);
	if (r < 0)
		hub_close(hub);
	else
		*state = hub;
	return r;
}

const struct line_backend line_usbhub_backend = {
	.open = hub_open,
	.set = hub_set,
	.read = hub_read,
	.describe = hub_describe,
	.close = hub_close,
};
