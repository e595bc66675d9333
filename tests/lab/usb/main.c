/* SPDX-License-Identifier: GPL-3.0-or-later */
/* coldrig-usb-device cp2112|relay SOCKET: the only includer of libusbredirparser. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <usbredirparser.h>

#include "hid.h"

#define ENDPOINT_IN  0x81
#define AS_INDEX(ep) (((ep)&0x80) >> 3 | ((ep)&0x0f))

static const struct hid_model *const models[] = {&cp2112_model, &relay_model};

struct device {
	const struct hid_model *model;
	struct usbredirparser *parser;
	int fd;
	bool gone, connected;
	uint8_t configuration;
};

void hid_tell(const char *format, ...)
{
	struct timespec t;
	va_list ap;

	clock_gettime(CLOCK_MONOTONIC, &t);
	printf("%lld ", (long long)t.tv_sec * 1000000000 + t.tv_nsec);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static int on_read(void *arg, uint8_t *data, int count)
{
	struct device *d = arg;
	ssize_t n = recv(d->fd, data, (size_t)count, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	d->gone = n <= 0;
	return n > 0 ? (int)n : -1;
}

static int on_write(void *arg, uint8_t *data, int count)
{
	struct device *d = arg;
	ssize_t n = send(d->fd, data, (size_t)count, MSG_NOSIGNAL);

	d->gone = n < 0;
	return n < 0 ? -1 : (int)n;
}

static void on_log(void *arg, int level, const char *text)
{
	(void)arg;
	if (level <= usbredirparser_warning)
		fprintf(stderr, "usbredir: %s\n", text);
}

/* What stands in the descriptors below, told before the guest asks. */
static void on_hello(void *arg, struct usb_redir_hello_header *hello)
{
	struct device *d = arg;
	struct usb_redir_interface_info_header interface = {.interface_count = 1,
							    .interface_class = {3}};
	struct usb_redir_ep_info_header eps = {.interval = {0}};
	struct usb_redir_device_connect_header connect = {
		.speed = usb_redir_speed_full,
		.vendor_id = d->model->vendor,
		.product_id = d->model->product,
		.device_version_bcd = 0x0100,
	};

	(void)hello;
	if (d->connected)
		return;
	memset(eps.type, usb_redir_type_invalid, sizeof(eps.type));
	eps.type[AS_INDEX(0x00)] = eps.type[AS_INDEX(0x80)] = usb_redir_type_control;
	eps.type[AS_INDEX(ENDPOINT_IN)] = usb_redir_type_interrupt;
	eps.interval[AS_INDEX(ENDPOINT_IN)] = 10;
	eps.max_packet_size[AS_INDEX(ENDPOINT_IN)] = HID_REPORT_MAX;
	usbredirparser_send_interface_info(d->parser, &interface);
	usbredirparser_send_ep_info(d->parser, &eps);
	usbredirparser_send_device_connect(d->parser, &connect);
	d->connected = true;
}

static void on_reset(void *arg)
{
	(void)arg;
	hid_tell("reset");
}

static void on_set_configuration(void *arg, uint64_t id,
				 struct usb_redir_set_configuration_header *h)
{
	struct device *d = arg;
	struct usb_redir_configuration_status_header answer = {usb_redir_success, h->configuration};

	d->configuration = h->configuration;
	hid_tell("configuration %u", h->configuration);
	usbredirparser_send_configuration_status(d->parser, id, &answer);
}

static void on_get_configuration(void *arg, uint64_t id)
{
	struct device *d = arg;
	struct usb_redir_configuration_status_header answer = {usb_redir_success, d->configuration};

	usbredirparser_send_configuration_status(d->parser, id, &answer);
}

static void on_set_alt(void *arg, uint64_t id, struct usb_redir_set_alt_setting_header *h)
{
	struct device *d = arg;
	struct usb_redir_alt_setting_status_header answer = {usb_redir_success, h->interface,
							     h->alt};

	usbredirparser_send_alt_setting_status(d->parser, id, &answer);
}

static void on_get_alt(void *arg, uint64_t id, struct usb_redir_get_alt_setting_header *h)
{
	struct device *d = arg;
	struct usb_redir_alt_setting_status_header answer = {usb_redir_success, h->interface, 0};

	usbredirparser_send_alt_setting_status(d->parser, id, &answer);
}

static void tell_receiving(struct device *d, uint64_t id, uint8_t endpoint)
{
	struct usb_redir_interrupt_receiving_status_header answer = {usb_redir_success, endpoint};

	usbredirparser_send_interrupt_receiving_status(d->parser, id, &answer);
}

static void on_start_interrupts(void *arg, uint64_t id,
				struct usb_redir_start_interrupt_receiving_header *h)
{
	tell_receiving(arg, id, h->endpoint);
}

static void on_stop_interrupts(void *arg, uint64_t id,
			       struct usb_redir_stop_interrupt_receiving_header *h)
{
	tell_receiving(arg, id, h->endpoint);
}

/* Every transfer is answered at once: there is none to cancel. */
static void on_cancel(void *arg, uint64_t id)
{
	(void)arg;
	(void)id;
}

static int string_descriptor(const struct hid_model *m, unsigned index, uint8_t *out)
{
	const char *const texts[] = {"", m->maker, m->title, m->serial};
	const char *text = index < 4 ? texts[index] : "";
	int n = 2;

	if (index == 0) {
		out[2] = 0x09;
		out[3] = 0x04;
		n = 4;
	}
	for (; *text && n < 250; text++, n += 2) {
		out[n] = (uint8_t)*text;
		out[n + 1] = 0;
	}
	out[0] = (uint8_t)n;
	out[1] = 3;
	return n;
}

static int configuration_descriptor(const struct hid_model *m, uint8_t *out)
{
	const uint8_t d[] = {
		9,    2,
		34,   0,
		1,    1,
		0,    0x80,
		50, /* one configuration, 100 mA */
		9,    4,
		0,    0,
		1,    3,
		0,    0,
		0, /* one interface, HID */
		9,    0x21,
		0x11, 0x01,
		0,    1,
		0x22, m->descriptor_size,
		0,    7,
		5,    ENDPOINT_IN,
		3,    HID_REPORT_MAX,
		0,    10,
	};

	memcpy(out, d, sizeof(d));
	return sizeof(d);
}

static int device_descriptor(const struct hid_model *m, uint8_t *out)
{
	const uint8_t d[] = {
		18,
		1,
		0x00,
		0x02,
		0,
		0,
		0,
		64,
		(uint8_t)m->vendor,
		(uint8_t)(m->vendor >> 8),
		(uint8_t)m->product,
		(uint8_t)(m->product >> 8),
		0x00,
		0x01,
		1,
		2,
		*m->serial ? 3 : 0,
		1,
	};

	memcpy(out, d, sizeof(d));
	return sizeof(d);
}

static int descriptor(const struct hid_model *m, unsigned value, uint8_t *out)
{
	switch (value >> 8) {
	case 1:
		return device_descriptor(m, out);
	case 2:
		return configuration_descriptor(m, out);
	case 3:
		return string_descriptor(m, value & 0xff, out);
	case 0x22:
		memcpy(out, m->descriptor, m->descriptor_size);
		return m->descriptor_size;
	default:
		return -1;
	}
}

/* Bytes of the answer, or -1 for a stall. A report is asked of the interface or, by some, of the device. */
static int answer_control(const struct hid_model *m,
			  const struct usb_redir_control_packet_header *h, const uint8_t *data,
			  size_t n, uint8_t *out)
{
	switch (h->requesttype << 8 | h->request) {
	case 0x8006:
	case 0x8106:
		return descriptor(m, h->value, out);
	case 0x8000:
	case 0x8100:
	case 0x8200:
		out[0] = out[1] = 0;
		return 2;
	case 0xa101:
	case 0xa001:
		return h->value >> 8 == 3 ? m->get((uint8_t)h->value, out) : -1;
	case 0x2109:
	case 0x2009:
		return h->value >> 8 == 3 && n > 0 ? m->set((uint8_t)h->value, data, n) : -1;
	case 0x210a: /* SET_IDLE */
	case 0x0201: /* an endpoint's halt */
		return 0;
	default:
		return -1;
	}
}

static void on_control(void *arg, uint64_t id, struct usb_redir_control_packet_header *h,
		       uint8_t *data, int n)
{
	struct device *d = arg;
	uint8_t out[256] = {0};
	const bool in = h->requesttype & 0x80;
	int size = answer_control(d->model, h, data, n > 0 ? (size_t)n : 0, out);

	h->status = size < 0 ? usb_redir_stall : usb_redir_success;
	if (size < 0)
		h->length = 0;
	else if (in && size < h->length)
		h->length = (uint16_t)size;
	usbredirparser_send_control_packet(d->parser, id, h, in && size > 0 ? out : NULL,
					   in && size > 0 ? h->length : 0);
	usbredirparser_free_packet_data(d->parser, data);
}

static int start_parser(struct device *d)
{
	uint32_t caps[USB_REDIR_CAPS_SIZE] = {0};
	struct usbredirparser *p = usbredirparser_create();

	if (!p)
		return -ENOMEM;
	d->parser = p;
	p->priv = d;
	p->log_func = on_log;
	p->read_func = on_read;
	p->write_func = on_write;
	p->hello_func = on_hello;
	p->reset_func = on_reset;
	p->set_configuration_func = on_set_configuration;
	p->get_configuration_func = on_get_configuration;
	p->set_alt_setting_func = on_set_alt;
	p->get_alt_setting_func = on_get_alt;
	p->start_interrupt_receiving_func = on_start_interrupts;
	p->stop_interrupt_receiving_func = on_stop_interrupts;
	p->cancel_data_packet_func = on_cancel;
	p->control_packet_func = on_control;
	usbredirparser_caps_set_cap(caps, usb_redir_cap_connect_device_version);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_ep_info_max_packet_size);
	/* Without these QEMU attaches nothing to an xHCI controller. */
	usbredirparser_caps_set_cap(caps, usb_redir_cap_32bits_bulk_length);
	usbredirparser_caps_set_cap(caps, usb_redir_cap_64bits_ids);
	usbredirparser_init(p, "coldrig-usb-device", caps, USB_REDIR_CAPS_SIZE,
			    usbredirparser_fl_usb_host);
	return 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	return -errno;
}

static void loop(struct device *d)
{
	struct pollfd fds[] = {{.fd = d->fd, .events = POLLIN},
			       {.fd = STDIN_FILENO, .events = POLLIN}};
	char line[128];

	while (!d->gone) {
		while (usbredirparser_has_data_to_write(d->parser) && !d->gone)
			usbredirparser_do_write(d->parser);
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			usbredirparser_do_read(d->parser);
		if (fds[1].revents && !fgets(line, sizeof(line), stdin))
			return;
		if (fds[1].revents)
			d->model->command(line);
	}
}

int main(int argc, char **argv)
{
	struct device d = {.fd = -1};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setvbuf(stdin, NULL, _IONBF, 0);
	for (size_t i = 0; argc == 3 && i < sizeof(models) / sizeof(models[0]); i++) {
		if (strcmp(argv[1], models[i]->name) == 0)
			d.model = models[i];
	}
	if (!d.model) {
		fputs("Usage: coldrig-usb-device cp2112|relay SOCKET\n", stderr);
		return 2;
	}
	d.fd = connect_to(argv[2]);
	if (d.fd < 0 || start_parser(&d) < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(-d.fd));
		return 1;
	}
	loop(&d);
	usbredirparser_destroy(d.parser);
	close(d.fd);
	return 0;
}
