/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "hwtrace.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DSTATE_EVENT "pci_pm_transition"
#define READ_EVENT   "pci_cfg_read"
#define WRITE_EVENT  "pci_cfg_write"

static bool lab_has_card(const struct lab_virtual *virt, enum lab_card card)
{
	for (size_t i = 0; i < virt->slots_n; i++) {
		if (virt->slots[i].card == card)
			return true;
	}
	return false;
}

size_t hwtrace_names(const struct lab_virtual *virt, const char *names[static HWTRACE_NAMES_MAX])
{
	size_t n = 0;

	names[n++] = DSTATE_EVENT;
	names[n++] = READ_EVENT;
	names[n++] = WRITE_EVENT;
	for (int card = 0; card < LAB_CARD_COUNT; card++) {
		const char *const *activity = board_card((enum lab_card)card)->activity;

		for (int i = 0; i < BOARD_ACTIVITY_MAX && activity[i]; i++) {
			if (lab_has_card(virt, (enum lab_card)card))
				names[n++] = activity[i];
		}
		if (board_card((enum lab_card)card)->looked &&
		    lab_has_card(virt, (enum lab_card)card))
			names[n++] = board_card((enum lab_card)card)->looked;
	}
	return n;
}

/* Is name the first word of the line? */
static bool begins_with(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncmp(line, name, n) == 0 && (line[n] == ' ' || line[n] == '\0');
}

/* "pci_pm_transition nvme 03:00.0 PM transition D0->D3" */
static struct hwtrace_event parse_dstate(const struct lab_virtual *virt, const char *line)
{
	struct hwtrace_event event = {.kind = HWTRACE_PASSED};
	unsigned bus, device, function, from, to;
	const struct lab_slot *slot;

	if (sscanf(line, DSTATE_EVENT " %*63s %2x:%2x.%1u PM transition D%1u->D%1u", &bus, &device,
		   &function, &from, &to) != 5)
		return event;
	slot = board_slot_on_bus(virt, bus);
	if (!slot || device != 0 || to > 3 || function >= board_card(slot->card)->functions)
		return event;
	event.kind = HWTRACE_DSTATE;
	event.slot = slot->device;
	event.function = function;
	event.dstate = to;
	return event;
}

static bool tells_activity(const char *line, enum lab_card card)
{
	const char *const *activity = board_card(card)->activity;

	for (int i = 0; i < BOARD_ACTIVITY_MAX && activity[i]; i++) {
		if (begins_with(line, activity[i]))
			return true;
	}
	return false;
}

static bool tells_look(const char *line, enum lab_card card)
{
	const char *looked = board_card(card)->looked;

	return looked && begins_with(line, looked);
}

/* What forbidden.h is for. */
static bool tells_access(const char *line)
{
	return begins_with(line, READ_EVENT) || begins_with(line, WRITE_EVENT) ||
	       begins_with(line, "Invalid read") || begins_with(line, "Invalid write");
}

struct hwtrace_event hwtrace_parse(const struct lab_virtual *virt, const char *line)
{
	struct hwtrace_event event = {.kind = HWTRACE_NONE};

	if (begins_with(line, DSTATE_EVENT))
		return parse_dstate(virt, line);
	if (tells_access(line)) {
		event.kind = HWTRACE_PASSED;
		return event;
	}
	for (int card = 0; card < LAB_CARD_COUNT; card++) {
		bool works = tells_activity(line, (enum lab_card)card);

		if (!works && !tells_look(line, (enum lab_card)card))
			continue;
		event.kind = works ? HWTRACE_ACTIVITY : HWTRACE_LOOKED;
		event.card = (enum lab_card)card;
		break;
	}
	return event;
}
