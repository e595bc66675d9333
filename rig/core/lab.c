/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const card_names[LAB_CARD_COUNT] = {
	[LAB_CARD_GPU] = "gpu",
	[LAB_CARD_NIC] = "nic",
	[LAB_CARD_NVME] = "nvme",
};

static const char *const fault_names[LAB_FAULT_COUNT] = {
	[LAB_FAULT_RAIL_STUCK_ON] = "rail-stuck-on",
	[LAB_FAULT_RAIL_CUT_EARLY] = "rail-cut-early",
	[LAB_FAULT_METER_DEAD] = "meter-dead",
	[LAB_FAULT_TARGET_HANG] = "target-hang",
	[LAB_FAULT_TARGET_PANIC] = "target-panic",
	[LAB_FAULT_TOUCH_WHILE_OFF] = "touch-while-off",
};

const char *lab_card_name(enum lab_card card)
{
	return card_names[card];
}

const char *lab_fault_name(enum lab_fault_kind kind)
{
	return fault_names[kind];
}

int lab_card_parse(const char *name, enum lab_card *out)
{
	for (int i = 0; i < LAB_CARD_COUNT; i++) {
		if (strcmp(name, card_names[i]) == 0) {
			*out = (enum lab_card)i;
			return 0;
		}
	}
	return -EINVAL;
}

int lab_fault_parse(const char *name, enum lab_fault_kind *out)
{
	for (int i = 0; i < LAB_FAULT_COUNT; i++) {
		if (strcmp(name, fault_names[i]) == 0) {
			*out = (enum lab_fault_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

const struct lab_target *lab_find_target(const struct lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->targets_n; i++) {
		if (strcmp(lab->targets[i].name, name) == 0)
			return &lab->targets[i];
	}
	return NULL;
}

const char *lab_feed_key(enum lab_feed_kind kind)
{
	static const char *const keys[LAB_FEED_COUNT] = {"channel", "voltage", "current"};

	return keys[kind];
}

const char *lab_feed_unit(enum lab_feed_kind kind)
{
	static const char *const units[LAB_FEED_COUNT] = {"W", "V", "A"};

	return units[kind];
}

const struct lab_device *lab_find_device(const struct lab_target *target, const char *bdf)
{
	for (size_t i = 0; i < target->devices_n; i++) {
		if (strcmp(target->devices[i].bdf, bdf) == 0)
			return &target->devices[i];
	}
	return NULL;
}

static void free_meters(struct lab *lab)
{
	for (size_t i = 0; i < lab->meters_n; i++) {
		free(lab->meters[i].name);
		free(lab->meters[i].spec);
	}
	free(lab->meters);
}

static void free_device(struct lab_device *device)
{
	for (size_t i = 0; i < device->rails_n; i++) {
		free(device->rails[i].name);
		for (size_t k = 0; k < LAB_FEED_COUNT; k++)
			free(device->rails[i].feeds[k].channel);
	}
	free(device->rails);
	free(device->model);
}

static void free_targets(struct lab *lab)
{
	for (size_t i = 0; i < lab->targets_n; i++) {
		for (size_t j = 0; j < lab->targets[i].devices_n; j++)
			free_device(&lab->targets[i].devices[j]);
		free(lab->targets[i].devices);
		free(lab->targets[i].name);
		free(lab->targets[i].transport);
	}
	free(lab->targets);
}

/* Also frees what a failed load has filled so far: absent parts are NULL and 0. */
void lab_free(struct lab *lab)
{
	if (!lab)
		return;
	free_meters(lab);
	free_targets(lab);
	free(lab->virt.slots);
	free(lab->virt.faults);
	free(lab->name);
	free(lab->path);
	free(lab->text);
	free(lab);
}
