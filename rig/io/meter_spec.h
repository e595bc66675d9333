/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A meter's spec, "driver:key=value:key=value", as sigrok-cli's --driver takes it; and
 * "replay:FILE:key=value", in which FILE is the value of the key "file".
 */
#ifndef COLDRIG_METER_SPEC_H
#define COLDRIG_METER_SPEC_H

#include <stddef.h>

#include "err.h"

#define METER_SPEC_SIZE	   512
#define METER_SPEC_OPTIONS 16

struct meter_spec_option {
	const char *key;
	const char *value; /* never NULL, may be "" */
};

/* Points into itself: do not copy. */
struct meter_spec {
	char text[METER_SPEC_SIZE];
	const char *driver;
	struct meter_spec_option options[METER_SPEC_OPTIONS];
	size_t options_n;
};

/* -EINVAL with words. As with sigrok-cli, a value cannot contain a colon. */
int meter_spec_parse(const char *text, struct meter_spec *out, struct err *err);

/* NULL if the spec has no such key. */
const char *meter_spec_get(const struct meter_spec *spec, const char *key);

#endif
