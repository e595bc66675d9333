/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of a target by what they are for, and what is done with them. */
#ifndef COLDRIG_TARGET_LINES_H
#define COLDRIG_TARGET_LINES_H

#include "lab.h"
#include "lines.h"

struct target_lines;

/*
 * Opens what the lab file wires, one guardian for all; NULL in *out if it wires nothing. qmp_socket is
 * what LAB_QMP_OWN stands for; NULL: lines with it count as not wired. Closed with target_lines_close().
 */
int target_lines_open(const struct lab *lab, const struct lab_target *target,
		      const char *qmp_socket, struct target_lines **out, struct err *err);

/* Only these roles of a target: a bit for each, 1u << role. */
#define TARGET_LINES_ALL ((1u << LAB_ROLE_COUNT) - 1)
int target_lines_open_some(const struct lab *lab, const struct lab_target *target, unsigned roles,
			   const char *qmp_socket, struct target_lines **out, struct err *err);

/* NULL is no line of any role. */
bool target_lines_has(const struct target_lines *lines, enum lab_role role);

/* For lines_fd(), lines_next() and lines_begin(); belongs to lines. */
struct lines *target_lines_all(const struct target_lines *lines);
size_t target_lines_index(const struct target_lines *lines, enum lab_role role);

/* What begins every message on a line: "lab.yaml:12:7: lines: reset". */
#define TARGET_LINES_WHERE_SIZE 256
void target_lines_where(const struct lab *lab, const struct lab_target *target, enum lab_role role,
			char where[static TARGET_LINES_WHERE_SIZE]);

/* A button is pressed and held as the lab file says; a supply is switched off, and on again. -ENOENT:
 * not wired. Waits for the end of it. */
int target_lines_press(struct target_lines *lines, enum lab_role role, struct err *err);

int target_lines_read(struct target_lines *lines, enum lab_role role, bool *active,
		      struct err *err);

/*
 * Power off and on again by what is wired: the supply; or force-off, and then the power button. Each step
 * is verified by power-good, if that is wired. -ENOENT: there is nothing to do it by; -EIO: the target
 * does not do it, err says what.
 */
int target_lines_power_cycle(struct target_lines *lines, struct err *err);

/* Everything that was driven is left in its safe state. */
void target_lines_close(struct target_lines *lines);

#endif
