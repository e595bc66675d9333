/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_note.h"

static const char *const names[] = {
	[METER_EVENT_READY] = "ready",	 [METER_EVENT_CHANNEL] = "channel",
	[METER_EVENT_OPTION] = "option", [METER_EVENT_LOST] = "lost",
	[METER_EVENT_NOTE] = "note",
};

struct msg *meter_note(const char *meter, const struct meter_event *event, int64_t last_ns)
{
	char identity[METER_IDENTITY_SIZE];
	const char *text = event->text;
	struct msg *body;

	if (event->kind == METER_EVENT_CHANNEL && !*event->unit)
		return NULL; /* told again with its unit */
	if (event->kind == METER_EVENT_READY) {
		meter_identity_text(&event->identity, identity);
		text = identity;
	}
	body = msg_object();
	msg_set_str(body, "meter", meter);
	msg_set_str(body, "event", event->complete ? "end" : names[event->kind]);
	msg_set_str(body, "text", text);
	if (event->kind == METER_EVENT_CHANNEL)
		msg_set_str(body, "unit", event->unit);
	if (event->first_ns)
		msg_set_int(body, "first_ns", event->first_ns);
	if (event->gap_ns)
		msg_set_int(body, "gap_ns", event->gap_ns);
	if ((event->kind == METER_EVENT_LOST || event->gap_ns) && last_ns)
		msg_set_int(body, "last_ns", last_ns);
	msg_set_int(body, "t_ns", event->t_ns);
	return body;
}
