/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "board.h"

#include <errno.h>

static const char *const gpu_options[] = {
	"-audiodev",
	"none,id=audio@",
	/* Two functions; the audio function of ich9-intel-hda lacks PCI PM and would block. */
	"-device",
	"virtio-gpu-pci,id=gpu@,bus=port@,addr=0.0,multifunction=on",
	"-device",
	"virtio-sound-pci,id=sound@,bus=port@,addr=0.1,audiodev=audio@",
	NULL,
};

static const char *const nic_options[] = {
	"-device",
	"igb,id=nic@,bus=port@",
	NULL,
};

static const char *const nvme_options[] = {
	"-blockdev", "driver=null-co,node-name=disk@,size=1073741824,read-zeroes=on",
	"-device",   "nvme,id=nvme@,bus=port@,drive=disk@,serial=COLDRIG@",
	NULL,
};

static const struct board_card cards[LAB_CARD_COUNT] = {
	/* A set-up queue's notify never reaches the register; a bare one never reaches the queue.
	 */
	[LAB_CARD_GPU] = {2, gpu_options, {"virtio_queue_notify", "virtio_pci_notify_write"}, NULL},
	/* igb's registers are those of the e1000e model. */
	[LAB_CARD_NIC] = {1, nic_options, {"e1000e_core_write"}, "e1000e_core_read"},
	[LAB_CARD_NVME] = {1, nvme_options, {"pci_nvme_mmio_write"}, "pci_nvme_mmio_read"},
};

const struct board_card *board_card(enum lab_card card)
{
	return &cards[card];
}

bool board_rail_byte(unsigned char byte, unsigned *device, bool *on)
{
	*device = (byte & 0x3fu) >> 1;
	*on = byte & 1;
	return (byte & 0xc0) == 0x80;
}

const struct lab_slot *board_slot(const struct lab_virtual *virt, unsigned device)
{
	for (size_t i = 0; i < virt->slots_n; i++) {
		if (virt->slots[i].device == device)
			return &virt->slots[i];
	}
	return NULL;
}

int board_bus(const struct lab_virtual *virt, unsigned device, uint8_t *bus)
{
	unsigned before = 0;

	if (!board_slot(virt, device))
		return -ENODEV;
	for (size_t i = 0; i < virt->slots_n; i++)
		before += virt->slots[i].device < device;
	*bus = (uint8_t)(1 + before);
	return 0;
}

const struct lab_slot *board_slot_on_bus(const struct lab_virtual *virt, unsigned bus)
{
	for (size_t i = 0; i < virt->slots_n; i++) {
		uint8_t b;

		if (board_bus(virt, virt->slots[i].device, &b) == 0 && b == bus)
			return &virt->slots[i];
	}
	return NULL;
}
