/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "labfile_virtual.h"

#include "faultfile.h"
#include "lab.h"

#define SLOTS_MAX 3 /* as many as the virtual instrument has channels */

static const char *card_name(int i)
{
	return lab_card_name((enum lab_card)i);
}

static const char *instrument_name(int i)
{
	return lab_instrument_name((enum lab_instrument)i);
}

static const struct yaml_words instruments = {instrument_name, LAB_INSTRUMENT_COUNT};
static const struct yaml_words cards = {card_name, LAB_CARD_COUNT};

static void init_power(const struct yaml_reader *reader, void *object)
{
	struct lab_slot *slot = object;

	(void)reader;
	slot->power.inrush_tau_ns = 1000000;
}

/* A slot has a sense resistor where a probe is to measure it, and stays within its range in D0. */
static int check_sense(const struct yaml_reader *reader, const struct yaml_item *item,
		       const struct lab_virtual *virt, const struct lab_slot *slot)
{
	const struct yaml_item *sense = yaml_tree_get(item, "sense");
	double drop_v = slot->power.busy_w / virt->voltage_v * slot->sense_ohm;

	if (virt->instrument != LAB_INSTRUMENT_PROBE)
		return sense ? yaml_field_error(reader, sense, "the lab's instrument is no probe")
			     : 0;
	if (!sense)
		return yaml_text_error(reader->path, item->place, reader->err,
				       "missing key \"sense\" in a slot that a probe measures");
	if (drop_v > LAB_SENSE_MAX_V)
		return yaml_field_error(reader, sense,
					"busy drops %.1f mV across it, and the probe's range ends "
					"at %.1f mV",
					drop_v * 1e3, LAB_SENSE_MAX_V * 1e3);
	return 0;
}

static int check_probe(const struct yaml_reader *reader, const struct yaml_item *map,
		       const struct lab_virtual *virt)
{
	static const char *const computed[] = {"lag", "drift"};
	const struct yaml_item *slots = yaml_tree_get(map, "slots");
	int ret = 0;

	for (size_t i = 0; i < sizeof(computed) / sizeof(computed[0]); i++) {
		const struct yaml_item *item = yaml_tree_get(map, computed[i]);

		if (item && virt->instrument == LAB_INSTRUMENT_PROBE)
			return yaml_field_error(reader, item, "the probe has none but its own");
	}
	if (virt->instrument == LAB_INSTRUMENT_PROBE && virt->voltage_v > LAB_PROBE_MAX_V)
		return yaml_field_error(reader, yaml_tree_get(map, "voltage"),
					"the probe's range ends at %g V", LAB_PROBE_MAX_V);
	for (size_t i = 0; ret == 0 && i < virt->slots_n; i++)
		ret = check_sense(reader, &slots->items[i], virt, &virt->slots[i]);
	return ret;
}

static int check_virtual(const struct yaml_reader *reader, const struct yaml_item *map,
			 void *object)
{
	const struct yaml_item *list = yaml_tree_get(map, "faults");
	struct lab_virtual *virt = object;
	int ret;

	virt->present = true;
	ret = check_probe(reader, map, virt);
	if (ret)
		return ret;
	return faultfile_check(reader, list, virt->faults, virt->faults_n, virt);
}

/* clang-format off */
static const struct yaml_schema power_schema = {
	.what = "a slot's power",
	.fields = (const struct yaml_field[]){
		{"busy", YAML_TYPE_POWER, YAML_REQUIRED, YAML_AT(lab_power, busy_w)},
		{"idle", YAML_TYPE_POWER, YAML_REQUIRED, YAML_AT(lab_power, idle_w)},
		{"d3hot", YAML_TYPE_POWER, YAML_REQUIRED | YAML_ZERO_OK, YAML_AT(lab_power, d3hot_w)},
		{"off", YAML_TYPE_POWER, YAML_ZERO_OK, YAML_AT(lab_power, off_w)},
		{"noise", YAML_TYPE_POWER, YAML_ZERO_OK, YAML_AT(lab_power, noise_w)},
		{"inrush", YAML_TYPE_POWER, YAML_ZERO_OK, YAML_AT(lab_power, inrush_w)},
		{"inrush_tau", YAML_TYPE_DURATION, 0, YAML_AT(lab_power, inrush_tau_ns)},
		{0},
	},
};

static const struct yaml_schema slot_schema = {
	.what = "a slot",
	.size = sizeof(struct lab_slot),
	.init = init_power,
	.fields = (const struct yaml_field[]){
		{"slot", YAML_TYPE_COUNT, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(lab_slot, device),
		 .min = 5, .max = 8},
		{"card", YAML_TYPE_CHOICE, YAML_REQUIRED, YAML_AT(lab_slot, card), .words = &cards},
		{"channel", YAML_TYPE_COUNT, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(lab_slot, channel),
		 .min = 1, .max = SLOTS_MAX},
		{"sense", YAML_TYPE_OHM, 0, YAML_AT(lab_slot, sense_ohm)},
		{"power", YAML_TYPE_MAP, YAML_REQUIRED, YAML_AT(lab_slot, power),
		 .schema = &power_schema},
		{0},
	},
};

const struct yaml_schema labfile_virtual_schema = {
	.what = "the virtual lab",
	.check = check_virtual,
	.fields = (const struct yaml_field[]){
		{"memory", YAML_TYPE_MEMORY, 0, YAML_AT(lab_virtual, memory_mib), .min = 256,
		 .max = 65536},
		{"cpus", YAML_TYPE_COUNT, 0, YAML_AT(lab_virtual, cpus), .min = 1, .max = 16},
		{"kvm", YAML_TYPE_BOOL, 0, YAML_AT(lab_virtual, kvm)},
		{"voltage", YAML_TYPE_VOLTAGE, 0, YAML_AT(lab_virtual, voltage_v)},
		{"instrument", YAML_TYPE_CHOICE, 0, YAML_AT(lab_virtual, instrument),
		 .words = &instruments},
		{"seed", YAML_TYPE_SEED, 0, YAML_AT(lab_virtual, seed)},
		{"lag", YAML_TYPE_DURATION, YAML_ZERO_OK, YAML_AT(lab_virtual, lag_ns)},
		{"drift", YAML_TYPE_PERCENT, YAML_ZERO_OK, YAML_AT(lab_virtual, drift)},
		{"slots", YAML_TYPE_LIST, YAML_REQUIRED, YAML_LIST_AT(lab_virtual, slots), .min = 1,
		 .max = SLOTS_MAX, .schema = &slot_schema},
		{"faults", YAML_TYPE_LIST, 0, YAML_LIST_AT(lab_virtual, faults), .schema = &faultfile_schema},
		{0},
	},
};
/* clang-format on */
