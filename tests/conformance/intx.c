/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intx.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "verdict.h"

#define EVENT_MS 200

/* Intel 8255x: the software generated interrupt, and the register that acknowledges. */
#define I8255X_ACK  1
#define I8255X_MASK 3
#define I8255X_FIRE 2u
#define I8255X_ALL  0xffu

union irq_set {
	struct vfio_irq_set head;
	char room[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
};

static int set_irq(const struct vfio *vfio, uint32_t flags, int fd)
{
	union irq_set set = {.head = {
				     .argsz = sizeof(set.head),
				     .flags = flags,
				     .index = VFIO_PCI_INTX_IRQ_INDEX,
				     .count = 1,
			     }};

	if (fd >= 0) {
		int32_t data = fd;

		set.head.argsz = sizeof(set);
		memcpy(set.head.data, &data, sizeof(data));
	}
	return ioctl(vfio->fd, VFIO_DEVICE_SET_IRQS, &set) < 0 ? -errno : 0;
}

void intx_enable(struct intx *intx, const struct vfio *vfio)
{
	int r;

	if (!config_read8(&vfio->config, PCI_INTERRUPT_PIN))
		skip("%s: it has no INTx", vfio->bdf);
	*intx = (struct intx){vfio, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	check(intx->eventfd >= 0, "eventfd: %s", strerror(errno));
	r = set_irq(vfio, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, intx->eventfd);
	if (r < 0)
		skip("%s: its INTx cannot be used here: %s", vfio->bdf, strerror(-r));
	intx_mask(intx);
	if (!intx_is_masked(intx))
		skip("%s: its INTx is not masked in config space", vfio->bdf);
	intx_unmask(intx);
}

void intx_mask(const struct intx *intx)
{
	int r = set_irq(intx->vfio, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, -1);

	check(r == 0, "INTx not masked: %s", strerror(-r));
}

void intx_unmask(const struct intx *intx)
{
	int r = set_irq(intx->vfio, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK, -1);

	check(r == 0, "INTx not unmasked: %s", strerror(-r));
}

int intx_unmask_eventfd(const struct intx *intx)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), r;

	check(fd >= 0, "eventfd: %s", strerror(errno));
	r = set_irq(intx->vfio, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, fd);
	check(r == 0, "no eventfd that unmasks INTx: %s", strerror(-r));
	return fd;
}

bool intx_is_masked(const struct intx *intx)
{
	struct config real = config_real(intx->vfio->bdf);
	uint16_t command = config_read16(&real, PCI_COMMAND);

	close(real.fd);
	return command & PCI_COMMAND_INTX_DISABLE;
}

unsigned long intx_events(const struct intx *intx)
{
	struct pollfd poll_fd = {.fd = intx->eventfd, .events = POLLIN};
	uint64_t events = 0;

	if (poll(&poll_fd, 1, EVENT_MS) != 1 ||
	    read(intx->eventfd, &events, sizeof(events)) != sizeof(events))
		return 0;
	return events;
}

static bool is_i8255x(const struct vfio *vfio)
{
	uint32_t ids = config_read32(&vfio->config, PCI_VENDOR_ID);

	return ids == 0x12098086 || ids == 0x12298086;
}

bool intx_fire(const struct vfio *vfio, const struct bar *bar)
{
	return is_i8255x(vfio) && bar_pwrite8(bar, I8255X_MASK, I8255X_FIRE) == 0;
}

void intx_acknowledge(const struct bar *bar)
{
	bar_pwrite8(bar, I8255X_ACK, I8255X_ALL);
}
