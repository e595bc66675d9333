/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLDRIG_METER_NOTE_H
#define COLDRIG_METER_NOTE_H

#include "meter.h"
#include "msg.h"

/* The journal's entry of kind "meter" for an event; NULL: it has none. last_ns is the time of the latest
 * reading, 0: none came. Freed with msg_free(). */
struct msg *meter_note(const char *meter, const struct meter_event *event, int64_t last_ns);

#endif
