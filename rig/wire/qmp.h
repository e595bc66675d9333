/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The little that is said to the emulator's monitor (QMP: a JSON object a line). Pure. */
#ifndef COLDRIG_QMP_H
#define COLDRIG_QMP_H

#include <stdbool.h>

#define QMP_HELLO "{\"execute\":\"qmp_capabilities\"}\n"
#define QMP_STOP  "{\"execute\":\"stop\"}\n"
#define QMP_CONT  "{\"execute\":\"cont\"}\n"
#define QMP_POWER "{\"execute\":\"system_reset\"}\n" /* also leaves what only a reset leaves */
#define QMP_QUERY "{\"execute\":\"query-status\"}\n"
#define QMP_NMI	  "{\"execute\":\"inject-nmi\"}\n"
/* The debugger's port, on a line that the emulator has; stops the machine. */
#define QMP_DEBUGGER                                                                               \
	"{\"execute\":\"human-monitor-command\",\"arguments\":"                                    \
	"{\"command-line\":\"gdbserver chardev:gdb\"}}\n"
/* Reads four bytes of physical memory as a CPU would, through whatever device is there. */
#define QMP_TOUCH_FORMAT                                                                           \
	"{\"execute\":\"human-monitor-command\",\"arguments\":"                                    \
	"{\"command-line\":\"xp /1wx 0x%" PRIx64 "\"}}\n"

enum qmp_line {
	QMP_OTHER,
	QMP_GREETING, /* to be answered with QMP_HELLO before anything else */
	QMP_DONE,     /* the command was carried out */
	QMP_REFUSED,
	QMP_RESET /* the machine was reset, by its guest as a rule */
};

enum qmp_line qmp_parse(const char *line);

/* Of the answer to QMP_QUERY. */
bool qmp_is_running(const char *line);

#endif
