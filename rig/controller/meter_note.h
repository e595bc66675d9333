/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLDRIG_METER_NOTE_H
#define COLDRIG_METER_NOTE_H

#include "meter.h"
#include "msg.h"

/* The journal's entry of kind "meter" for an event; NULL: it has none. Freed with msg_free(). */
struct msg *meter_note(const char *meter, const struct meter_event *event);

#endif
