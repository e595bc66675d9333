/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "labfile_line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lab_line.h"

#define SECOND	     INT64_C(1000000000)
#define HOLD_MAX     (60 * SECOND)
#define OFF_TIME_MAX (600 * SECOND)
#define LIMIT_MAX    (120 * SECOND)
#define SERIAL_CHARS 5

static const char *bias_name(int i)
{
	return lab_bias_name((enum lab_bias)i);
}

static const char *safe_name(int i)
{
	return lab_safe_name((enum lab_safe)i);
}

static const char *does_name(int i)
{
	return lab_qmp_does_name((enum lab_qmp_does)i);
}

static const struct yaml_words biases = {bias_name, LAB_BIAS_COUNT};
static const struct yaml_words safes = {safe_name, LAB_SAFE_COUNT};
static const struct yaml_words qmp_does = {does_name, LAB_QMP_COUNT};

/* "1-1.4", or "usb1" for the hub that a controller is. */
static bool is_hub_path(const char *text)
{
	bool had_dash = false;

	if (strncmp(text, "usb", 3) == 0)
		return text[3] && text[3 + strspn(text + 3, "0123456789")] == '\0';
	for (const char *c = text; *c; c++) {
		if (isdigit((unsigned char)*c))
			continue;
		if (*c != (had_dash ? '.' : '-') || c == text || !isdigit((unsigned char)c[1]))
			return false;
		had_dash = true;
	}
	return had_dash;
}

static int read_hub_path(const struct yaml_reader *reader, const struct yaml_item *item,
			 void *object)
{
	struct lab_usbhub *hub = object;
	int r = yaml_field_string(reader, item, &hub->path);

	if (r == 0 && !is_hub_path(item->text))
		r = yaml_field_error(reader, item,
				     "not the place of a hub: write it as sysfs does, 1-1.4 for "
				     "bus 1, port 1, port 4");
	return r;
}

static int read_serial(const struct yaml_reader *reader, const struct yaml_item *item, void *object)
{
	struct lab_usbrelay *relay = object;
	int r = yaml_field_string(reader, item, &relay->serial);

	if (r == 0 && strlen(item->text) != SERIAL_CHARS)
		r = yaml_field_error(reader, item, "a board's serial has %d characters",
				     SERIAL_CHARS);
	return r;
}

static char ***words_of(struct lab_command *command, const char *key)
{
	switch (key[0]) {
	case 'c':
		return &command->cycle;
	case 'q':
		return &command->query;
	default:
		return key[1] == 'n' ? &command->on : &command->off;
	}
}

/* A list is executed as it is; one text is for the shell, if that is asked for (check_command). */
static int read_words(const struct yaml_reader *reader, const struct yaml_item *item, void *object)
{
	const size_t n = item->kind == YAML_TREE_LIST ? item->items_n : 3;
	char **words = calloc(n + 1, sizeof(*words));
	int r = 0;

	if (!words)
		return yaml_field_no_memory(reader);
	*words_of(object, item->key) = words;
	if (item->kind != YAML_TREE_LIST) {
		words[0] = strdup("/bin/sh");
		words[1] = words[0] ? strdup("-c") : NULL;
		return words[1] ? yaml_field_string(reader, item, &words[2])
				: yaml_field_no_memory(reader);
	}
	if (n == 0)
		return yaml_field_error(reader, item, "the words of a command belong here");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = yaml_field_string(reader, &item->items[i], &words[i]);
	return r;
}

static int check_command(const struct yaml_reader *reader, const struct yaml_item *map,
			 void *object)
{
	static const char *const keys[] = {"on", "off", "cycle", "query"};
	const struct yaml_item *shell = yaml_tree_get(map, "shell");
	const bool by_shell = shell && strcmp(shell->text, "true") == 0;
	struct lab_command *command = object;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct yaml_item *item = yaml_tree_get(map, keys[i]);

		if (item && by_shell == (item->kind == YAML_TREE_LIST))
			return yaml_field_error(reader, item, "%s",
						by_shell ? "with shell: true this is one text"
							 : "a list of words, or a text with "
							   "shell: true");
	}
	if (command->limit_ns == 0)
		command->limit_ns = 10 * SECOND;
	if (command->limit_ns > LIMIT_MAX)
		return yaml_field_error(reader, yaml_tree_get(map, "limit"), "at most 2 min");
	return 0;
}

static int read_file(const struct yaml_reader *reader, const struct yaml_item *item, void *object)
{
	struct lab_line *line = object;

	free(line->file); /* of the other of the two: check_line() complains */
	line->file = NULL;
	return yaml_field_string(reader, item, &line->file);
}

/* One key of those that say by what a line is reached. */
static int check_line(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	struct lab_line *line = object;
	const struct yaml_item *first = NULL;

	for (int kind = LAB_LINE_NONE + 1; kind < LAB_LINE_KIND_COUNT; kind++) {
		const struct yaml_item *item =
			yaml_tree_get(map, lab_line_kind_name((enum lab_line_kind)kind));

		if (item && first)
			return yaml_text_error(reader->path, item->key_place, reader->err,
					       "%s: the line is reached by %s already", item->key,
					       first->key);
		if (item) {
			first = item;
			line->kind = (enum lab_line_kind)kind;
		}
	}
	if (!first)
		return yaml_field_error(reader, map,
					"by what is it reached? one of gpio, usbhub, usbrelay, "
					"command, qmp, fake, replay is missing");
	line->line = first->key_place.line;
	line->column = first->key_place.column;
	if (line->hold_ns > HOLD_MAX)
		return yaml_field_error(reader, yaml_tree_get(map, "hold"), "at most 60 s");
	if (line->off_time_ns > OFF_TIME_MAX)
		return yaml_field_error(reader, yaml_tree_get(map, "off_time"), "at most 10 min");
	return 0;
}

/* clang-format off */
static const struct yaml_schema gpio_schema = {
	.what = "a gpio line",
	.fields = (const struct yaml_field[]){
		{"chip", YAML_TYPE_STRING, YAML_REQUIRED, YAML_AT(lab_gpio, chip)},
		{"line", YAML_TYPE_STRING, YAML_REQUIRED, YAML_AT(lab_gpio, line)},
		{"active_low", YAML_TYPE_BOOL, 0, YAML_AT(lab_gpio, active_low)},
		{"open_drain", YAML_TYPE_BOOL, 0, YAML_AT(lab_gpio, open_drain)},
		{"bias", YAML_TYPE_CHOICE, 0, YAML_AT(lab_gpio, bias), .words = &biases},
		{0},
	},
};

static const struct yaml_schema usbhub_schema = {
	.what = "a port of a USB hub",
	.fields = (const struct yaml_field[]){
		{"hub", YAML_TYPE_CUSTOM, YAML_REQUIRED, .read = read_hub_path},
		{"port", YAML_TYPE_COUNT, YAML_REQUIRED, YAML_AT(lab_usbhub, port), .min = 1, .max = 31},
		{0},
	},
};

static const struct yaml_schema usbrelay_schema = {
	.what = "a USB relay",
	.fields = (const struct yaml_field[]){
		{"serial", YAML_TYPE_CUSTOM, 0, .read = read_serial},
		{"relay", YAML_TYPE_COUNT, YAML_REQUIRED, YAML_AT(lab_usbrelay, relay), .min = 1,
		 .max = 8},
		{0},
	},
};

static const struct yaml_schema command_schema = {
	.what = "a command line",
	.check = check_command,
	.fields = (const struct yaml_field[]){
		{"on", YAML_TYPE_CUSTOM, 0, .read = read_words},
		{"off", YAML_TYPE_CUSTOM, 0, .read = read_words},
		{"cycle", YAML_TYPE_CUSTOM, 0, .read = read_words},
		{"query", YAML_TYPE_CUSTOM, 0, .read = read_words},
		{"shell", YAML_TYPE_BOOL, 0, YAML_AT(lab_command, by_shell)},
		{"limit", YAML_TYPE_DURATION, 0, YAML_AT(lab_command, limit_ns)},
		{0},
	},
};

static const struct yaml_schema qmp_schema = {
	.what = "a qmp line",
	.fields = (const struct yaml_field[]){
		{"socket", YAML_TYPE_STRING, YAML_REQUIRED, YAML_AT(lab_qmp, socket)},
		{"does", YAML_TYPE_CHOICE, YAML_REQUIRED, YAML_AT(lab_qmp, does), .words = &qmp_does},
		{0},
	},
};

static const struct yaml_schema line_schema = {
	.what = "a line",
	.check = check_line,
	.fields = (const struct yaml_field[]){
		{"gpio", YAML_TYPE_MAP, 0, YAML_AT(lab_line, gpio), .schema = &gpio_schema},
		{"usbhub", YAML_TYPE_MAP, 0, YAML_AT(lab_line, usbhub), .schema = &usbhub_schema},
		{"usbrelay", YAML_TYPE_MAP, 0, YAML_AT(lab_line, usbrelay), .schema = &usbrelay_schema},
		{"command", YAML_TYPE_MAP, 0, YAML_AT(lab_line, command), .schema = &command_schema},
		{"qmp", YAML_TYPE_MAP, 0, YAML_AT(lab_line, qmp), .schema = &qmp_schema},
		{"fake", YAML_TYPE_CUSTOM, 0, .read = read_file},
		{"replay", YAML_TYPE_CUSTOM, 0, .read = read_file},
		{"hold", YAML_TYPE_DURATION, 0, YAML_AT(lab_line, hold_ns)},
		{"off_time", YAML_TYPE_DURATION, 0, YAML_AT(lab_line, off_time_ns)},
		{"safe", YAML_TYPE_CHOICE, 0, YAML_AT(lab_line, safe), .words = &safes},
		{0},
	},
};
/* clang-format on */

/* What only one way of reaching a line can: only inputs, only outputs, or what it was given. */
static const char *why_not(enum lab_role role, const struct lab_line *line)
{
	const struct lab_command *c = &line->command;

	if (lab_role_is_input(role)) {
		if (line->kind == LAB_LINE_USBHUB || line->kind == LAB_LINE_USBRELAY)
			return "it is driven, and cannot tell what the target does";
		if (line->kind == LAB_LINE_QMP && line->qmp.does != LAB_QMP_POWER)
			return "only \"does: power\" can be read";
		if (line->kind == LAB_LINE_COMMAND && !c->query)
			return "it needs a query";
		return NULL;
	}
	if (line->kind == LAB_LINE_REPLAY)
		return "a recording cannot be driven";
	if (line->kind == LAB_LINE_COMMAND && !(c->on && c->off) && !(line->hold_ns && c->cycle))
		return line->hold_ns ? "it needs on and off, or a cycle" : "it needs on and off";
	return NULL;
}

static int complain_key(const struct yaml_reader *reader, const struct yaml_item *map,
			const char *key, const char *why)
{
	const struct yaml_item *item = yaml_tree_get(map, key);

	return item ? yaml_text_error(reader->path, item->key_place, reader->err, "%s: %s", key,
				      why)
		    : 0;
}

static int check_role(const struct yaml_reader *reader, const struct yaml_item *map,
		      enum lab_role role, struct lab_line *line)
{
	const bool is_input = lab_role_is_input(role);
	const char *why;
	int r = 0;

	line->is_input = is_input;
	if (is_input)
		r = complain_key(reader, map, "hold", "an input is not held");
	if (r == 0 && is_input)
		r = complain_key(reader, map, "safe", "an input is not driven");
	if (r)
		return r;
	if (line->hold_ns == 0)
		line->hold_ns = lab_role_hold_ns(role);
	if (is_input || line->hold_ns)
		r = complain_key(reader, map, "off_time", "only a supply is switched off and on");
	if (r)
		return r;
	if (line->off_time_ns == 0)
		line->off_time_ns = 5 * SECOND;
	if (!yaml_tree_get(map, "safe"))
		line->safe = lab_line_default_safe(role, line->hold_ns);
	why = why_not(role, line);
	return why ? yaml_text_error(reader->path, (struct yaml_place){line->line, line->column},
				     reader->err, "%s: %s", lab_line_kind_name(line->kind), why)
		   : 0;
}

/* One wire has one meaning; the power button, held long, is the one that forces off. */
static bool may_share(enum lab_role a, enum lab_role b, const struct lab_line *lines)
{
	return a == LAB_ROLE_POWER && b == LAB_ROLE_FORCE_OFF && lines[a].hold_ns;
}

static int check_shared(const struct yaml_reader *reader, const struct yaml_item *map, int role,
			const struct lab_line *lines)
{
	for (int other = 0; other < role; other++) {
		if (lab_line_same(&lines[other], &lines[role]) &&
		    !may_share((enum lab_role)other, (enum lab_role)role, lines))
			return yaml_text_error(
				reader->path,
				yaml_tree_get(map, lab_role_name((enum lab_role)role))->key_place,
				reader->err, "%s: the same wire as %s in line %zu",
				lab_role_name((enum lab_role)role),
				lab_role_name((enum lab_role)other), lines[other].line);
	}
	return 0;
}

static int check_lines(const struct yaml_reader *reader, const struct yaml_item *map, void *object)
{
	struct lab_line *lines = object;
	int r = 0;

	for (int role = 0; r == 0 && role < LAB_ROLE_COUNT; role++) {
		const struct yaml_item *item =
			yaml_tree_get(map, lab_role_name((enum lab_role)role));

		if (!item)
			continue;
		r = check_role(reader, item, (enum lab_role)role, &lines[role]);
		if (r == 0)
			r = check_shared(reader, map, role, lines);
	}
	return r;
}

#define ROLE(name, role)                                                                           \
	{                                                                                          \
		name, YAML_TYPE_MAP, 0, .offset = (role) * sizeof(struct lab_line),                \
					.schema = &line_schema                                     \
	}

const struct yaml_schema labfile_lines_schema = {
	.what = "the lines of a target",
	.check = check_lines,
	.fields =
		(const struct yaml_field[]){
			ROLE("power", LAB_ROLE_POWER),
			ROLE("reset", LAB_ROLE_RESET),
			ROLE("force-off", LAB_ROLE_FORCE_OFF),
			ROLE("perst", LAB_ROLE_PERST),
			ROLE("presence", LAB_ROLE_PRESENCE),
			ROLE("power-good", LAB_ROLE_POWER_GOOD),
			{0},
		},
};
