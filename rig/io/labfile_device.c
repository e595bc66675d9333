/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "labfile_device.h"

#include <string.h>

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

int labfile_device_check(const struct yaml_reader *reader, const struct yaml_item *map,
			 const struct lab_target *target)
{
	const struct yaml_item *devices = yaml_tree_get(map, "devices");
	int ret = 0;

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

/* clang-format off */
static const struct yaml_schema rail_schema = {
	.what = "a rail",
	.size = sizeof(struct lab_rail),
	.init = init_rail,
	.check = check_rail,
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_NAME, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(lab_rail, name)},
		{"meter", YAML_TYPE_CUSTOM, YAML_REQUIRED, .read = read_rail_meter},
		{"channel", YAML_TYPE_CUSTOM, 0, .read = read_channel},
		{"voltage", YAML_TYPE_CUSTOM, 0, .read = read_voltage},
		{"current", YAML_TYPE_CUSTOM, 0, .read = read_current},
		{"current_meter", YAML_TYPE_CUSTOM, 0, .read = read_current_meter},
		{"factor", YAML_TYPE_REAL, 0, YAML_AT(lab_rail, factor)},
		{0},
	},
};

const struct yaml_schema labfile_device_schema = {
	.what = "a device",
	.size = sizeof(struct lab_device),
	.fields = (const struct yaml_field[]){
		{"bdf", YAML_TYPE_BDF, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(lab_device, bdf)},
		{"model", YAML_TYPE_STRING, YAML_REQUIRED, YAML_AT(lab_device, model)},
		{"rails", YAML_TYPE_LIST, 0, YAML_LIST_AT(lab_device, rails), .schema = &rail_schema},
		{0},
	},
};
/* clang-format on */
