/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of a target as data: its buttons, supply and signals, and by what each is reached. Loaded
 * by io/labfile.h, which checks all that is promised here; freed with the lab. Strings are never
 * NULL unless said so.
 */
#ifndef COLDRIG_LAB_LINE_H
#define COLDRIG_LAB_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lab_role {
	LAB_ROLE_POWER,	     /* with a hold time the power button, else the supply itself */
	LAB_ROLE_RESET,	     /* active: held in reset */
	LAB_ROLE_FORCE_OFF,  /* a button that powers off if it is held long enough */
	LAB_ROLE_PERST,	     /* active: PERST# of the slot asserted */
	LAB_ROLE_PRESENCE,   /* input: a card is in the slot */
	LAB_ROLE_POWER_GOOD, /* input: the target has power */
	LAB_ROLE_COUNT
};

enum lab_line_kind {
	LAB_LINE_NONE, /* the role is wired to nothing */
	LAB_LINE_GPIO,
	LAB_LINE_USBHUB,
	LAB_LINE_USBRELAY,
	LAB_LINE_COMMAND,
	LAB_LINE_QMP,
	LAB_LINE_FAKE,
	LAB_LINE_REPLAY,
	LAB_LINE_KIND_COUNT
};

enum lab_bias {
	LAB_BIAS_AS_IS,
	LAB_BIAS_NONE,
	LAB_BIAS_PULL_UP,
	LAB_BIAS_PULL_DOWN,
	LAB_BIAS_COUNT
};

struct lab_gpio {
	char *chip; /* its path (/dev/gpiochip0), name (gpiochip0) or label (cp2112_gpio) */
	char *line; /* its name, else its number */
	bool active_low;
	bool open_drain; /* never driven high */
	enum lab_bias bias;
};

struct lab_usbhub {
	char *path; /* the hub's, as in sysfs: "1-1.4" */
	unsigned port;
};

struct lab_usbrelay {
	char *serial;	/* five characters that the board reports; NULL: the only board there is */
	unsigned relay; /* from 1 */
};

/* Words to execute, NULL at the end; or NULL: there is no such command. */
struct lab_command {
	char **on, **off, **cycle, **query;
	bool by_shell;	  /* its words are then {"/bin/sh", "-c", text} */
	int64_t limit_ns; /* of each */
};

enum lab_qmp_does { LAB_QMP_POWER, LAB_QMP_RESET, LAB_QMP_COUNT };

#define LAB_QMP_OWN "{qmp}" /* the socket of the virtual target itself */

struct lab_qmp {
	char *socket;
	enum lab_qmp_does does;
};

/* What a line that was driven is left as, however that comes about. */
enum lab_safe { LAB_SAFE_OFF, LAB_SAFE_ON, LAB_SAFE_KEEP, LAB_SAFE_COUNT };

struct lab_line {
	enum lab_line_kind kind;
	bool is_input;	     /* as its role says */
	size_t line, column; /* of the file, for messages */
	int64_t hold_ns;     /* how long a button is held; 0: an input, or a supply, not a button */
	int64_t off_time_ns; /* how long a supply that is cycled stays off */
	enum lab_safe safe;
	struct lab_gpio gpio; /* of these the one that kind says */
	struct lab_usbhub usbhub;
	struct lab_usbrelay usbrelay;
	struct lab_command command;
	struct lab_qmp qmp;
	char *file; /* LAB_LINE_FAKE, LAB_LINE_REPLAY */
};

const char *lab_role_name(enum lab_role role); /* "power", "force-off", ... */
bool lab_role_is_input(enum lab_role role);
int64_t lab_role_hold_ns(enum lab_role role);		 /* of lines that do not say */
const char *lab_line_kind_name(enum lab_line_kind kind); /* "gpio", ... */
const char *lab_bias_name(enum lab_bias bias);	       /* "as-is", "none", "pull-up", "pull-down" */
const char *lab_safe_name(enum lab_safe safe);	       /* "off", "on", "keep" */
const char *lab_qmp_does_name(enum lab_qmp_does does); /* "power", "reset" */

/* What a line that does not say is left as: a supply on, all else off (released). */
enum lab_safe lab_line_default_safe(enum lab_role role, int64_t hold_ns);

/* Are both the same wire? */
bool lab_line_same(const struct lab_line *a, const struct lab_line *b);

void lab_line_free_parts(struct lab_line *line); /* not the struct itself */

#endif
