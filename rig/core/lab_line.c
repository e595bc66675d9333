/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab_line.h"

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

static const struct {
	const char *name;
	bool is_input;
	int64_t hold_ns;
} roles[LAB_ROLE_COUNT] = {
	[LAB_ROLE_POWER] = {"power", false, 0},
	[LAB_ROLE_RESET] = {"reset", false, 200 * MS},
	/* Boards power off after 4 s. */
	[LAB_ROLE_FORCE_OFF] = {"force-off", false, 6000 * MS},
	/* A card may count on 100 ms (PCIe CEM, TPVPERL). */
	[LAB_ROLE_PERST] = {"perst", false, 100 * MS},
	[LAB_ROLE_PRESENCE] = {"presence", true, 0},
	[LAB_ROLE_POWER_GOOD] = {"power-good", true, 0},
};

static const char *const kind_names[LAB_LINE_KIND_COUNT] = {
	[LAB_LINE_NONE] = "nothing",	[LAB_LINE_GPIO] = "gpio",
	[LAB_LINE_USBHUB] = "usbhub",	[LAB_LINE_USBRELAY] = "usbrelay",
	[LAB_LINE_COMMAND] = "command", [LAB_LINE_QMP] = "qmp",
	[LAB_LINE_FAKE] = "fake",	[LAB_LINE_REPLAY] = "replay",
};

static const char *const bias_names[LAB_BIAS_COUNT] = {"as-is", "none", "pull-up", "pull-down"};
static const char *const safe_names[LAB_SAFE_COUNT] = {"off", "on", "keep"};
static const char *const qmp_names[LAB_QMP_COUNT] = {"power", "reset"};

const char *lab_role_name(enum lab_role role)
{
	return roles[role].name;
}

bool lab_role_is_input(enum lab_role role)
{
	return roles[role].is_input;
}

int64_t lab_role_hold_ns(enum lab_role role)
{
	return roles[role].hold_ns;
}

const char *lab_line_kind_name(enum lab_line_kind kind)
{
	return kind_names[kind];
}

const char *lab_bias_name(enum lab_bias bias)
{
	return bias_names[bias];
}

const char *lab_safe_name(enum lab_safe safe)
{
	return safe_names[safe];
}

const char *lab_qmp_does_name(enum lab_qmp_does does)
{
	return qmp_names[does];
}

enum lab_safe lab_line_default_safe(enum lab_role role, int64_t hold_ns)
{
	return role == LAB_ROLE_POWER && hold_ns == 0 ? LAB_SAFE_ON : LAB_SAFE_OFF;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_words(char *const *a, char *const *b)
{
	if (!a || !b)
		return a == b;
	while (*a && *b && strcmp(*a, *b) == 0) {
		a++;
		b++;
	}
	return !*a && !*b;
}

bool lab_line_same(const struct lab_line *a, const struct lab_line *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case LAB_LINE_GPIO:
		return same_text(a->gpio.chip, b->gpio.chip) &&
		       same_text(a->gpio.line, b->gpio.line);
	case LAB_LINE_USBHUB:
		return same_text(a->usbhub.path, b->usbhub.path) &&
		       a->usbhub.port == b->usbhub.port;
	case LAB_LINE_USBRELAY:
		return same_text(a->usbrelay.serial, b->usbrelay.serial) &&
		       a->usbrelay.relay == b->usbrelay.relay;
	case LAB_LINE_COMMAND:
		return same_words(a->command.on, b->command.on) &&
		       same_words(a->command.off, b->command.off) &&
		       same_words(a->command.cycle, b->command.cycle) &&
		       same_words(a->command.query, b->command.query);
	case LAB_LINE_QMP:
		return same_text(a->qmp.socket, b->qmp.socket) && a->qmp.does == b->qmp.does;
	case LAB_LINE_FAKE:
	case LAB_LINE_REPLAY:
		return same_text(a->file, b->file);
	default:
		return false;
	}
}

static void free_words(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

void lab_line_free_parts(struct lab_line *line)
{
	free(line->gpio.chip);
	free(line->gpio.line);
	free(line->usbhub.path);
	free(line->usbrelay.serial);
	free_words(line->command.on);
	free_words(line->command.off);
	free_words(line->command.cycle);
	free_words(line->command.query);
	free(line->qmp.socket);
	free(line->file);
}
