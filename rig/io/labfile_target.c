/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "labfile_target.h"

#include <stdlib.h>
#include <string.h>

#include "labfile_device.h"
#include "labfile_line.h"
#include "transport.h"
#include "yaml_number.h"

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

static int check_target(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	int ret = check_console(reader, map, object);

	return ret ? ret : labfile_device_check(reader, map, object);
}

/* clang-format off */
const struct yaml_schema labfile_target_schema = {
	.what = "a target",
	.size = sizeof(struct lab_target),
	.check = check_target,
	.fields = (const struct yaml_field[]){
		{"name", YAML_TYPE_NAME, YAML_REQUIRED | YAML_UNIQUE, YAML_AT(lab_target, name)},
		{"transport", YAML_TYPE_CUSTOM, YAML_REQUIRED, .read = read_transport},
		{"devices", YAML_TYPE_LIST, YAML_REQUIRED, YAML_LIST_AT(lab_target, devices), .min = 1,
		 .schema = &labfile_device_schema},
		{"console", YAML_TYPE_CUSTOM, 0, .read = read_console},
		{"console_break", YAML_TYPE_CUSTOM, 0, .read = read_console_break},
		{"lines", YAML_TYPE_MAP, 0, YAML_AT(lab_target, lines), .schema = &labfile_lines_schema},
		{0},
	},
};
/* clang-format on */
