/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A relay of the common HID boards ("USBRelay1" to "USBRelay8"). Their firmware knows feature reports of
 * eight bytes: what is read is the serial in the first five and the relays' state as bits in the last;
 * what is written is an order and the number of a relay.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line_backend.h"
#include "usb.h"

/* Shared by many devices that have no number of their own: the name decides. */
#define VENDOR	0x16c0
#define PRODUCT 0x05df
#define NAME	"USBRelay"

/* To the device, not to its interface as HID has it: they answer both, and the kernel's HID driver need
 * not be put off for this. */
#define GET_REPORT     0xa0, 0x01
#define SET_REPORT     0x20, 0x09
#define FEATURE_REPORT 0x0300
#define REPORT_SIZE    8
#define SERIAL_SIZE    5
#define STATE_BYTE     7
#define ORDER_ON       0xff
#define ORDER_OFF      0xfd

#define RELAYS_MAX 8
#define BOARDS_MAX 32

struct relay {
	struct usb *usb;
	unsigned number;
	char serial[SERIAL_SIZE + 1];
	unsigned relays_n;
};

static bool may_be_board(const struct usb_about *about, const void *arg)
{
	(void)arg;
	return about->vendor == VENDOR && about->product == PRODUCT;
}

static int cannot(const struct relay *relay, const char *what, int code, struct err *why)
{
	if (code == -ENODEV)
		return err_set(why, code, "USB relay %s: it is gone: was it unplugged?",
			       relay->serial);
	return err_set(why, code, "USB relay %s: cannot %s: %s", relay->serial, what,
		       strerror(-code));
}

static int get_report(struct relay *relay, uint8_t report[static REPORT_SIZE], struct err *why)
{
	int r = usb_control(relay->usb, GET_REPORT, FEATURE_REPORT, 0, report, REPORT_SIZE);

	return r == REPORT_SIZE ? 0 : cannot(relay, "read its state", r < 0 ? r : -EBADMSG, why);
}

static int relay_read(void *state, bool *active, struct err *why)
{
	struct relay *relay = state;
	uint8_t report[REPORT_SIZE];
	int r = get_report(relay, report, why);

	if (r == 0)
		*active = report[STATE_BYTE] >> (relay->number - 1) & 1;
	return r;
}

static int relay_set(void *state, bool active, struct err *why)
{
	struct relay *relay = state;
	uint8_t order[REPORT_SIZE] = {active ? ORDER_ON : ORDER_OFF, (uint8_t)relay->number};
	bool now = !active;
	int r = usb_control(relay->usb, SET_REPORT, FEATURE_REPORT, 0, order, sizeof(order));

	if (r < 0)
		return cannot(relay, "switch it", r, why);
	r = relay_read(relay, &now, why);
	if (r == 0 && now != active)
		r = err_set(why, -EIO, "USB relay %s: relay %u was switched %s, and says it is not",
			    relay->serial, relay->number, active ? "on" : "off");
	return r;
}

/* The i-th device that may be a board: 1 if it is one, 0 if not, -ENODEV after the last. */
static int meet(size_t i, struct relay *relay, struct err *why)
{
	uint8_t report[REPORT_SIZE];
	char name[32];
	int r = usb_open(may_be_board, NULL, i, &relay->usb, why);

	if (r < 0)
		return r;
	usb_product(relay->usb, name, sizeof(name));
	if (strncmp(name, NAME, strlen(NAME)) != 0)
		return 0;
	relay->relays_n = (unsigned)(name[strlen(NAME)] - '0');
	if (relay->relays_n < 1 || relay->relays_n > RELAYS_MAX)
		relay->relays_n = RELAYS_MAX;
	r = get_report(relay, report, why);
	if (r < 0)
		return r;
	memcpy(relay->serial, report, SERIAL_SIZE);
	for (char *c = relay->serial; *c; c++)
		*c = *c < ' ' || *c > '~' ? '?' : *c;
	return 1;
}

static int why_not_found(const char *serial, const char *serials, struct err *why)
{
	if (!*serials)
		return err_set(why, -ENOENT,
			       "no USB relay board (%04x:%04x " NAME
			       ") is there: is it plugged in?",
			       VENDOR, PRODUCT);
	if (serial)
		return err_set(why, -ENOENT, "no USB relay board has the serial %s: there is%s",
			       serial, serials);
	return err_set(why, -EEXIST, "more than one USB relay board: write the serial of one:%s",
		       serials);
}

/* The board with a serial, or the only one. */
static int find(struct relay *relay, const char *serial, struct err *why)
{
	char serials[BOARDS_MAX * (SERIAL_SIZE + 1) + 1] = "";
	struct relay board;
	size_t boards_n = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < BOARDS_MAX; i++) {
		board = (struct relay){.number = relay->number};
		r = meet(i, &board, why);
		if (r == 1) {
			boards_n++;
			strcat(strcat(serials, " "), board.serial);
		}
		if (r == 1 && !relay->usb && (!serial || strcmp(serial, board.serial) == 0))
			*relay = board;
		else
			usb_close(board.usb);
	}
	if (r < 0 && r != -ENODEV)
		return r;
	return relay->usb && (serial || boards_n == 1) ? 0 : why_not_found(serial, serials, why);
}

static void relay_describe(void *state, char text[static LINE_TEXT_SIZE])
{
	const struct relay *relay = state;

	snprintf(text, LINE_TEXT_SIZE, "USB relay %s at %s, relay %u of %u", relay->serial,
		 usb_about(relay->usb)->path, relay->number, relay->relays_n);
}

static void relay_close(void *state)
{
	struct relay *relay = state;

	usb_close(relay->usb);
	free(relay);
}

static int relay_open(const struct lab_line *line, void **state, struct err *why)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int r;

	if (!relay)
		return err_set(why, -ENOMEM, "%s", strerror(ENOMEM));
	relay->number = line->usbrelay.relay;
	r = find(relay, line->usbrelay.serial, why);
	if (r == 0 && relay->number > relay->relays_n)
		r = err_set(why, -ENOENT, "USB relay %s: it has %u relays, and none is %u",
			    relay->serial, relay->relays_n, relay->number);
	if (r < 0)
		relay_close(relay);
	else
		*state = relay;
	return r;
}

const struct line_backend line_usbrelay_backend = {
	.open = relay_open,
	.set = relay_set,
	.read = relay_read,
	.describe = relay_describe,
	.close = relay_close,
};
