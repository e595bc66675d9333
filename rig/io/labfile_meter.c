/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "labfile_meter.h"

#include "lab.h"
#include "meter.h"
#include "meter_spec.h"

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

static int check_meter(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	const struct lab_meter *meter = object;

	if (meter->start_ns <= METER_START_MAX_NS)
		return 0;
	return yaml_text_error(reader->path, yaml_tree_get(map, "start_limit")->place, reader->err,
			       "start_limit: want at most %g s", (double)METER_START_MAX_NS * 1e-9);
}

/* clang-format off */
static const struct yaml_schema voltage_schema = {
	.what = "an accuracy of voltage",
	.check = check_term,
	.fields = (const struct yaml_field[]){
		{"gain", YAML_TYPE_PERCENT, YAML_REQUIRED | YAML_ZERO_OK, YAML_AT(lab_term, gain)},
		{"offset", YAML_TYPE_VOLTAGE, YAML_REQUIRED | YAML_ZERO_OK, YAML_AT(lab_term, offset)},
		{0},
	},
};

static const struct yaml_schema current_schema = {
	.what = "an accuracy of current",
	.check = check_term,
	.fields = (const struct yaml_field[]){
		{"gain", YAML_TYPE_PERCENT, YAML_REQUIRED | YAML_ZERO_OK, YAML_AT(lab_term, gain)},
		{"offset", YAML_TYPE_CURRENT, YAML_REQUIRED | YAML_ZERO_OK, YAML_AT(lab_term, offset)},
		{0},
	},
};

static const struct yaml_schema accuracy_schema = {
	.what = "an accuracy",
	.check = check_accuracy,
	.fields = (const struct yaml_field[]){
		{"gain", YAML_TYPE_PERCENT, YAML_ZERO_OK, YAML_AT(lab_meter_accuracy, power.gain)},
		{"offset", YAML_TYPE_POWER, YAML_ZERO_OK, YAML_AT(lab_meter_accuracy, power.offset_w)},
		{"voltage", YAML_TYPE_MAP, 0, YAML_AT(lab_meter_accuracy, voltage),
		 .schema = &voltage_schema},
		{"current", YAML_TYPE_MAP, 0, YAML_AT(lab_meter_accuracy, current),
		 .schema = &current_schema},
		{0},
	},
};

const struct yaml_schema labfile_meter_schema = {
	.what = "a meter",
	.size = sizeof(struct lab_meter),
	.check = check_meter,
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_NAME, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(lab_meter, name)},
		{"spec", YAML_TYPE_CUSTOM, YAML_REQUIRED, .read = read_spec},
		{"rate", YAML_TYPE_RATE, YAML_REQUIRED, YAML_AT(lab_meter, rate_hz)},
		{"start_limit", YAML_TYPE_DURATION, 0, YAML_AT(lab_meter, start_ns)},
		{"accuracy", YAML_TYPE_MAP, YAML_REQUIRED, YAML_AT(lab_meter, accuracy),
		 .schema = &accuracy_schema},
		{0},
	},
};
/* clang-format on */
