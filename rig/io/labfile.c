/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "labfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "faultfile.h"
#include "labfile_line.h"
#include "meter_spec.h"
#include "transport.h"
#include "yaml_number.h"
#include "yaml_schema.h"

#define AT(type, member)      .offset = offsetof(struct type, member)
#define LIST_AT(type, member) AT(type, member), .count_offset = offsetof(struct type, member##_n)

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

static int read_spec(const struct yaml_reader *reader, const struct yaml_item *item, void *object)
{
	struct lab_meter *meter = object;
	struct meter_spec spec;
	struct err why;
	int ret;

	ret = yaml_field_string(reader, item, &meter->spec);
	if (ret)
		return ret;
	meter->spec_line = item->place.line;
	meter->spec_column = item->place.column;
	ret = meter_spec_parse(meter->spec, &spec, &why);
	return ret ? yaml_field_error(reader, item, "%s", why.text) : 0;
}

static int check_tcp(const struct yaml_reader *reader, const struct yaml_item *item)
{
	const char *host = item->text + strlen("tcp:"), *colon = strrchr(host, ':');
	uint64_t port;

	if (!colon || colon == host || yaml_number_count(colon + 1, &port, NULL) || port < 1 ||
	    port > UINT16_MAX)
		return yaml_field_error(reader, item,
					"must be tcp:HOST:PORT, with a port of 1 to "
					"65535");
	return 0;
}

/* A stream: something known, and something behind its colon. */
static int check_stream(const struct yaml_reader *reader, const struct yaml_item *item,
			const char *known)
{
	const char *rest;

	if (!transport_is_known(item->text))
		return yaml_field_error(reader, item, "%s", known);
	rest = strchr(item->text, ':') + 1;
	if (rest[strspn(rest, " ")] == '\0')
		return yaml_field_error(reader, item, "something must follow the colon");
	return strncmp(item->text, "tcp:", 4) == 0 ? check_tcp(reader, item) : 0;
}

static int read_console(const struct yaml_reader *reader, const struct yaml_item *item,
			void *object)
{
	struct lab_target *target = object;
	int ret = yaml_field_string(reader, item, &target->console);

	target->console_line = item->place.line;
	target->console_column = item->place.column;

	return ret ? ret
		   : check_stream(reader, item,
				  "no such console; known: serial:PATH, tcp:HOST:PORT, unix:PATH, "
				  "exec:COMMAND");
}

/* Here control characters are the point. */
static int read_console_break(const struct yaml_reader *reader, const struct yaml_item *item,
			      void *object)
{
	struct lab_target *target = object;
	int ret = yaml_field_want_text(reader, item);

	if (ret)
		return ret;
	target->console_break = strdup(item->text);
	return target->console_break ? 0 : yaml_field_no_memory(reader);
}

static int check_console(const struct yaml_reader *reader, const struct yaml_item *map,
			 const struct lab_target *target)
{
	if (target->console && strcmp(target->transport, "virtual") == 0)
		return yaml_field_error(reader, yaml_tree_get(map, "console"),
					"the virtual target has a console of its own");
	if (target->console_break && !target->console)
		return yaml_field_error(reader, yaml_tree_get(map, "console_break"),
					"there is no console that it could be of");
	return 0;
}

static int read_transport(const struct yaml_reader *reader, const struct yaml_item *item,
			  void *object)
{
	struct lab_target *target = object;
	int ret;

	ret = yaml_field_string(reader, item, &target->transport);
	if (ret)
		return ret;
	if (strcmp(item->text, "virtual") == 0)
		return 0;
	return check_stream(reader, item,
			    "no such transport; known: virtual, exec:COMMAND, unix:PATH, "
			    "tcp:HOST:PORT, serial:PATH");
}

/* From its name to its index: the meters are read before the targets. */
static int read_meter_name(const struct yaml_reader *reader, const struct yaml_item *item,
			   size_t *out)
{
	const struct lab *lab = reader->user;
	const char *known[LAB_METERS_MAX];
	int ret;

	ret = yaml_field_want_text(reader, item);
	if (ret)
		return ret;
	for (size_t i = 0; i < lab->meters_n; i++) {
		known[i] = lab->meters[i].name;
		if (strcmp(item->text, known[i]) == 0) {
			*out = i;
			return 0;
		}
	}
	return yaml_field_unknown(reader, item, "no such meter in this lab", known, lab->meters_n);
}

static int read_rail_meter(const struct yaml_reader *reader, const struct yaml_item *item,
			   void *object)
{
	struct lab_rail *rail = object;
	size_t meter = 0;
	int ret = read_meter_name(reader, item, &meter);

	for (size_t k = 0; k < LAB_FEED_COUNT; k++)
		rail->feeds[k].meter = meter;
	return ret;
}

static int read_current_meter(const struct yaml_reader *reader, const struct yaml_item *item,
			      void *object)
{
	struct lab_rail *rail = object;

	return read_meter_name(reader, item, &rail->feeds[LAB_FEED_CURRENT].meter);
}

static int read_feed(const struct yaml_reader *reader, const struct yaml_item *item,
		     struct lab_feed *feed)
{
	feed->line = item->place.line;
	feed->column = item->place.column;
	return yaml_field_string(reader, item, &feed->channel);
}

static int read_channel(const struct yaml_reader *reader, const struct yaml_item *item,
			void *object)
{
	return read_feed(reader, item, &((struct lab_rail *)object)->feeds[LAB_FEED_POWER]);
}

static int read_voltage(const struct yaml_reader *reader, const struct yaml_item *item,
			void *object)
{
	return read_feed(reader, item, &((struct lab_rail *)object)->feeds[LAB_FEED_VOLTAGE]);
}

static int read_current(const struct yaml_reader *reader, const struct yaml_item *item,
			void *object)
{
	return read_feed(reader, item, &((struct lab_rail *)object)->feeds[LAB_FEED_CURRENT]);
}

static void init_rail(const struct yaml_reader *reader, void *object)
{
	struct lab_rail *rail = object;

	(void)reader;
	rail->factor = 1;
}

static int check_rail(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	const struct lab_rail *rail = object;
	const struct yaml_item *other = yaml_tree_get(map, "current_meter");
	bool power = rail->feeds[LAB_FEED_POWER].channel != NULL;
	bool voltage = rail->feeds[LAB_FEED_VOLTAGE].channel != NULL;
	bool current = rail->feeds[LAB_FEED_CURRENT].channel != NULL;

	if (power == (voltage || current) || voltage != current)
		return yaml_text_error(reader->path, map->place, reader->err,
				       "a rail has either a \"channel\" of watts, or a "
				       "\"voltage\" and a \"current\"");
	if (power && other)
		return yaml_field_error(reader, other, "is only for a rail with a current");
	return 0;
}

/* A rail's accuracy is worked out from its meter's: what it needs must be there. */
static int check_feed_accuracy(const struct yaml_reader *reader, const struct yaml_item *rail,
			       enum lab_feed_kind kind, const struct lab_feed *feed)
{
	const struct lab *lab = reader->user;
	const struct lab_meter *meter = &lab->meters[feed->meter];
	const bool known[LAB_FEED_COUNT] = {meter->accuracy.has_power,
					    meter->accuracy.voltage.present,
					    meter->accuracy.current.present};
	static const char *const missing[LAB_FEED_COUNT] = {"gain and offset, of power readings",
							    "voltage: {gain, offset}",
							    "current: {gain, offset}"};

	if (known[kind])
		return 0;
	return yaml_field_error(reader, yaml_tree_get(rail, lab_feed_key(kind)),
				"the accuracy of meter %s must have %s", meter->name,
				missing[kind]);
}

/* Another feed before this one that takes the same channel. */
static int check_feed_pair(const struct yaml_reader *reader, const struct yaml_item *rail,
			   enum lab_feed_kind kind, const struct lab_feed *feed,
			   enum lab_feed_kind other_kind, const struct lab_feed *other,
			   bool same_device, const char *other_rail)
{
	const struct yaml_item *item = yaml_tree_get(rail, lab_feed_key(kind));

	if (!other->channel || other->meter != feed->meter ||
	    strcmp(other->channel, feed->channel) != 0)
		return 0;
	if (kind != other_kind)
		return yaml_field_error(reader, item, "is a channel of %s already, in line %zu",
					lab_feed_unit(other_kind), other->line);
	/* One voltage may stand for several rails: it is no power that would count twice. */
	if (same_device && kind != LAB_FEED_VOLTAGE)
		return yaml_field_error(
			reader, item, "given twice for this device, first for rail %s", other_rail);
	return 0;
}

/* Against all feeds of this target that stand before it. */
static int check_feed(const struct yaml_reader *reader, const struct lab_target *target, size_t d,
		      size_t r, enum lab_feed_kind kind, const struct yaml_item *rail)
{
	const struct lab_feed *feed = &target->devices[d].rails[r].feeds[kind];
	int ret = check_feed_accuracy(reader, rail, kind, feed);

	for (size_t e = 0; !ret && e <= d; e++) {
		const struct lab_device *device = &target->devices[e];
		size_t end = e == d ? r + 1 : device->rails_n;

		for (size_t q = 0; !ret && q < end; q++) {
			size_t kinds = e == d && q == r ? (size_t)kind : LAB_FEED_COUNT;

			for (size_t k = 0; !ret && k < kinds; k++)
				ret = check_feed_pair(
					reader, rail, kind, feed, (enum lab_feed_kind)k,
					&device->rails[q].feeds[k], e == d, device->rails[q].name);
		}
	}
	return ret;
}

/* Two devices may share a channel (one meter at the wall), but no device counts one twice. */
static int check_target(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	const struct lab_target *target = object;
	const struct yaml_item *devices = yaml_tree_get(map, "devices");
	int ret = check_console(reader, map, target);

	for (size_t d = 0; !ret && d < target->devices_n; d++) {
		const struct yaml_item *rails = yaml_tree_get(&devices->items[d], "rails");

		for (size_t r = 0; r < target->devices[d].rails_n; r++) {
			for (size_t k = 0; !ret && k < LAB_FEED_COUNT; k++) {
				if (target->devices[d].rails[r].feeds[k].channel)
					ret = check_feed(reader, target, d, r,
							 (enum lab_feed_kind)k, &rails->items[r]);
			}
		}
	}
	return ret;
}

static int check_term(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	(void)reader;
	(void)map;
	((struct lab_term *)object)->present = true;
	return 0;
}

static int check_accuracy(const struct yaml_reader *reader, const struct yaml_item *map,
			  void *object)
{
	struct lab_meter_accuracy *accuracy = object;
	bool gain = yaml_tree_get(map, "gain"), offset = yaml_tree_get(map, "offset");

	if (gain != offset)
		return yaml_text_error(reader->path, map->place, reader->err,
				       "missing key \"%s\" in an accuracy",
				       gain ? "offset" : "gain");
	accuracy->has_power = gain;
	if (!gain && !accuracy->voltage.present && !accuracy->current.present)
		return yaml_text_error(reader->path, map->place, reader->err,
				       "an accuracy has gain and offset, or those of a voltage or "
				       "a current");
	return 0;
}

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

/* A lab has one emulated target or none, and with it the physics. */
static int check_transports(const struct yaml_reader *reader, const struct yaml_item *map,
			    const struct lab *lab)
{
	const struct yaml_item *targets = yaml_tree_get(map, "targets"), *transport, *first = NULL;

	for (size_t i = 0; i < lab->targets_n; i++) {
		if (strcmp(lab->targets[i].transport, "virtual") != 0)
			continue;
		transport = yaml_tree_get(&targets->items[i], "transport");
		if (!lab->virt.present)
			return yaml_field_error(
				reader, transport,
				"the lab has no key \"virtual\" to say what this is");
		if (first)
			return yaml_field_error(
				reader, transport,
				"only one target can be, and there is one in line %zu",
				first->place.line);
		first = transport;
	}
	if (lab->virt.present && !first)
		return yaml_text_error(reader->path, yaml_tree_get(map, "virtual")->key_place,
				       reader->err,
				       "virtual: no target has the transport \"virtual\"");
	return 0;
}

/* The emulated machine's monitor is of the target that is one. */
static int check_qmp(const struct yaml_reader *reader, const struct yaml_item *map,
		     const struct lab *lab)
{
	const struct yaml_item *targets = yaml_tree_get(map, "targets");

	for (size_t i = 0; i < lab->targets_n; i++) {
		const struct yaml_item *lines = yaml_tree_get(&targets->items[i], "lines");

		for (int role = 0; lines && role < LAB_ROLE_COUNT; role++) {
			const struct lab_line *line = &lab->targets[i].lines[role];

			if (line->kind == LAB_LINE_QMP &&
			    strcmp(line->qmp.socket, LAB_QMP_OWN) == 0 &&
			    strcmp(lab->targets[i].transport, "virtual") != 0)
				return yaml_text_error(
					reader->path, (struct yaml_place){line->line, line->column},
					reader->err,
					"qmp: " LAB_QMP_OWN " is the virtual target's, and this is "
					"none");
		}
	}
	return 0;
}

static int check_lab(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	const struct yaml_item *meters = yaml_tree_get(map, "meters");
	const struct lab *lab = object;

	for (size_t i = 0; !lab->virt.present && i < lab->meters_n; i++) {
		if (strstr(lab->meters[i].spec, "{port}"))
			return yaml_field_error(reader, yaml_tree_get(&meters->items[i], "spec"),
						"{port} is the virtual instrument's, and the lab "
						"has no key \"virtual\"");
	}
	if (check_transports(reader, map, lab))
		return -EINVAL;
	return check_qmp(reader, map, lab);
}

/* clang-format off */
static const struct yaml_schema voltage_schema = {
	.what = "an accuracy of voltage",
	.check = check_term,
	.fields = (const struct yaml_field[]){
		{"gain", YAML_TYPE_PERCENT, YAML_REQUIRED | YAML_ZERO_OK, AT(lab_term, gain)},
		{"offset", YAML_TYPE_VOLTAGE, YAML_REQUIRED | YAML_ZERO_OK, AT(lab_term, offset)},
		{0},
	},
};

static const struct yaml_schema current_schema = {
	.what = "an accuracy of current",
	.check = check_term,
	.fields = (const struct yaml_field[]){
		{"gain", YAML_TYPE_PERCENT, YAML_REQUIRED | YAML_ZERO_OK, AT(lab_term, gain)},
		{"offset", YAML_TYPE_CURRENT, YAML_REQUIRED | YAML_ZERO_OK, AT(lab_term, offset)},
		{0},
	},
};

static const struct yaml_schema accuracy_schema = {
	.what = "an accuracy",
	.check = check_accuracy,
	.fields = (const struct yaml_field[]){
		{"gain", YAML_TYPE_PERCENT, YAML_ZERO_OK, AT(lab_meter_accuracy, power.gain)},
		{"offset", YAML_TYPE_POWER, YAML_ZERO_OK, AT(lab_meter_accuracy, power.offset_w)},
		{"voltage", YAML_TYPE_MAP, 0, AT(lab_meter_accuracy, voltage),
		 .schema = &voltage_schema},
		{"current", YAML_TYPE_MAP, 0, AT(lab_meter_accuracy, current),
		 .schema = &current_schema},
		{0},
	},
};

static const struct yaml_schema meter_schema = {
	.what = "a meter",
	.size = sizeof(struct lab_meter),
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_NAME, YAML_REQUIRED | YAML_UNIQUE, AT(lab_meter, name)},
		{"spec", YAML_TYPE_CUSTOM, YAML_REQUIRED, .read = read_spec},
		{"rate", YAML_TYPE_RATE, YAML_REQUIRED, AT(lab_meter, rate_hz)},
		{"accuracy", YAML_TYPE_MAP, YAML_REQUIRED, AT(lab_meter, accuracy),
		 .schema = &accuracy_schema},
		{0},
	},
};

static const struct yaml_schema rail_schema = {
	.what = "a rail",
	.size = sizeof(struct lab_rail),
	.init = init_rail,
	.check = check_rail,
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_NAME, YAML_REQUIRED | YAML_UNIQUE, AT(lab_rail, name)},
		{"meter", YAML_TYPE_CUSTOM, YAML_REQUIRED, .read = read_rail_meter},
		{"channel", YAML_TYPE_CUSTOM, 0, .read = read_channel},
		{"voltage", YAML_TYPE_CUSTOM, 0, .read = read_voltage},
		{"current", YAML_TYPE_CUSTOM, 0, .read = read_current},
		{"current_meter", YAML_TYPE_CUSTOM, 0, .read = read_current_meter},
		{"factor", YAML_TYPE_REAL, 0, AT(lab_rail, factor)},
		{0},
	},
};

static const struct yaml_schema device_schema = {
	.what = "a device",
	.size = sizeof(struct lab_device),
	.fields = (const struct yaml_field[]){
		{"bdf", YAML_TYPE_BDF, YAML_REQUIRED | YAML_UNIQUE, AT(lab_device, bdf)},
		{"model", YAML_TYPE_STRING, YAML_REQUIRED, AT(lab_device, model)},
		{"rails", YAML_TYPE_LIST, 0, LIST_AT(lab_device, rails), .schema = &rail_schema},
		{0},
	},
};

static const struct yaml_schema target_schema = {
	.what = "a target",
	.size = sizeof(struct lab_target),
	.check = check_target,
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_NAME, YAML_REQUIRED | YAML_UNIQUE, AT(lab_target, name)},
		{"transport", YAML_TYPE_CUSTOM, YAML_REQUIRED, .read = read_transport},
		{"devices", YAML_TYPE_LIST, YAML_REQUIRED, LIST_AT(lab_target, devices), .min = 1,
		 .schema = &device_schema},
		{"console", YAML_TYPE_CUSTOM, 0, .read = read_console},
		{"console_break", YAML_TYPE_CUSTOM, 0, .read = read_console_break},
		{"lines", YAML_TYPE_MAP, 0, AT(lab_target, lines), .schema = &labfile_lines_schema},
		{0},
	},
};

static const struct yaml_schema power_schema = {
	.what = "a slot's power",
	.fields = (const struct yaml_field[]){
		{"busy", YAML_TYPE_POWER, YAML_REQUIRED, AT(lab_power, busy_w)},
		{"idle", YAML_TYPE_POWER, YAML_REQUIRED, AT(lab_power, idle_w)},
		{"d3hot", YAML_TYPE_POWER, YAML_REQUIRED | YAML_ZERO_OK, AT(lab_power, d3hot_w)},
		{"off", YAML_TYPE_POWER, YAML_ZERO_OK, AT(lab_power, off_w)},
		{"noise", YAML_TYPE_POWER, YAML_ZERO_OK, AT(lab_power, noise_w)},
		{"inrush", YAML_TYPE_POWER, YAML_ZERO_OK, AT(lab_power, inrush_w)},
		{"inrush_tau", YAML_TYPE_DURATION, 0, AT(lab_power, inrush_tau_ns)},
		{0},
	},
};

static const struct yaml_schema slot_schema = {
	.what = "a slot",
	.size = sizeof(struct lab_slot),
	.init = init_power,
	.fields = (const struct yaml_field[]){
		{"slot", YAML_TYPE_COUNT, YAML_REQUIRED | YAML_UNIQUE, AT(lab_slot, device),
		 .min = 5, .max = 8},
		{"card", YAML_TYPE_CHOICE, YAML_REQUIRED, AT(lab_slot, card), .words = &cards},
		{"channel", YAML_TYPE_COUNT, YAML_REQUIRED | YAML_UNIQUE, AT(lab_slot, channel),
		 .min = 1, .max = SLOTS_MAX},
		{"sense", YAML_TYPE_OHM, 0, AT(lab_slot, sense_ohm)},
		{"power", YAML_TYPE_MAP, YAML_REQUIRED, AT(lab_slot, power),
		 .schema = &power_schema},
		{0},
	},
};

static const struct yaml_schema virtual_schema = {
	.what = "the virtual lab",
	.check = check_virtual,
	.fields = (const struct yaml_field[]){
		{"memory", YAML_TYPE_MEMORY, 0, AT(lab_virtual, memory_mib), .min = 256,
		 .max = 65536},
		{"cpus", YAML_TYPE_COUNT, 0, AT(lab_virtual, cpus), .min = 1, .max = 16},
		{"kvm", YAML_TYPE_BOOL, 0, AT(lab_virtual, kvm)},
		{"voltage", YAML_TYPE_VOLTAGE, 0, AT(lab_virtual, voltage_v)},
		{"instrument", YAML_TYPE_CHOICE, 0, AT(lab_virtual, instrument),
		 .words = &instruments},
		{"seed", YAML_TYPE_SEED, 0, AT(lab_virtual, seed)},
		{"lag", YAML_TYPE_DURATION, YAML_ZERO_OK, AT(lab_virtual, lag_ns)},
		{"drift", YAML_TYPE_PERCENT, YAML_ZERO_OK, AT(lab_virtual, drift)},
		{"slots", YAML_TYPE_LIST, YAML_REQUIRED, LIST_AT(lab_virtual, slots), .min = 1,
		 .max = SLOTS_MAX, .schema = &slot_schema},
		{"faults", YAML_TYPE_LIST, 0, LIST_AT(lab_virtual, faults), .schema = &faultfile_schema},
		{0},
	},
};

static const struct yaml_schema lab_schema = {
	.what = "a lab",
	.check = check_lab,
	.fields = (const struct yaml_field[]){
		{"lab", YAML_TYPE_NAME, YAML_REQUIRED, AT(lab, name)},
		{"meters", YAML_TYPE_LIST, 0, LIST_AT(lab, meters), .max = LAB_METERS_MAX,
		 .schema = &meter_schema},
		{"targets", YAML_TYPE_LIST, YAML_REQUIRED, LIST_AT(lab, targets), .min = 1,
		 .schema = &target_schema},
		{"virtual", YAML_TYPE_MAP, 0, AT(lab, virt), .schema = &virtual_schema},
		{0},
	},
};
/* clang-format on */

static struct lab *new_lab(const char *path, const char *text)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	if (!lab)
		return NULL;
	lab->virt = (struct lab_virtual){
		.memory_mib = 1024,
		.cpus = 2,
		.voltage_v = 12,
		.seed = 1,
	};
	lab->path = strdup(path);
	lab->text = strdup(text);
	if (!lab->path || !lab->text) {
		lab_free(lab);
		return NULL;
	}
	return lab;
}

int labfile_parse(const char *path, const char *text, struct lab **out, struct err *err)
{
	struct yaml_reader reader = {.path = path, .err = err};
	struct yaml_tree *tree;
	struct lab *lab;
	int ret;

	ret = yaml_tree_parse(path, text, &tree, err);
	if (ret)
		return ret;
	lab = new_lab(path, text);
	reader.user = lab;
	ret = lab ? yaml_schema_read(&reader, &lab_schema, &tree->root, lab)
		  : yaml_field_no_memory(&reader);
	yaml_tree_free(tree);
	if (ret) {
		lab_free(lab);
		return ret;
	}
	*out = lab;
	return 0;
}

int labfile_load(const char *path, struct lab **out, struct err *err)
{
	char *text;
	int ret;

	ret = yaml_text_read(path, &text, err);
	if (ret)
		return ret;
	ret = labfile_parse(path, text, out, err);
	free(text);
	return ret;
}
