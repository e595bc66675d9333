/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "traceline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETURN_INT "rpm_return_int"

/*
 * "            comm-PID   [CPU] flags SECONDS.MICROS: EVENT: TEXT". A comm may hold anything, so
 * the event is searched for by its name, and the time stands right before it.
 */
static const char *find_event(const char *line, const char *event, int64_t *t_ns)
{
	char mark[40];
	const char *at, *stamp;
	long long s;
	long us;
	int used = 0;

	snprintf(mark, sizeof(mark), ": %s: ", event);
	at = strstr(line, mark);
	if (!at)
		return NULL;
	for (stamp = at; stamp > line && stamp[-1] != ' '; stamp--)
		;
	if (sscanf(stamp, "%lld.%6ld%n", &s, &us, &used) != 2 || stamp + used != at)
		return NULL;
	*t_ns = (int64_t)s * 1000000000 + (int64_t)us * 1000;
	return at + strlen(mark);
}

/* "(pci_pm_runtime_suspend+0x0/0x150) name="0000:01:00.0"" */
static int parse_probe(const char *text, struct traceline *out)
{
	const char *name = strstr(text, "name=\"");

	return name && sscanf(name, "name=\"%63[^\"]\"", out->device) == 1 ? 0 : -ENOMSG;
}

/* "rpm_suspend+0x1a2/0x640:0000:01:00.0 ret=0" */
static int parse_return(const char *text, struct traceline *out)
{
	if (strncmp(text, "rpm_suspend", 11) == 0)
		out->kind = TRACELINE_SUSPEND_RETURNS;
	else if (strncmp(text, "rpm_resume", 10) == 0)
		out->kind = TRACELINE_RESUME_RETURNS;
	else
		return -ENOMSG;
	return sscanf(text, "%*[^:]:%63s ret=%d", out->device, &out->ret) == 2 ? 0 : -ENOMSG;
}

int traceline_parse(const char *line, struct traceline *out)
{
	const char *text;

	*out = (struct traceline){0};
	if ((text = find_event(line, RETURN_INT, &out->t_ns)))
		return parse_return(text, out);
	if ((text = find_event(line, TRACELINE_SUSPEND, &out->t_ns))) {
		out->kind = TRACELINE_SUSPEND_BEGINS;
		return parse_probe(text, out);
	}
	if ((text = find_event(line, TRACELINE_RESUME, &out->t_ns))) {
		out->kind = TRACELINE_RESUME_BEGINS;
		return parse_probe(text, out);
	}
	out->kind = TRACELINE_LOST;
	return strncmp(line, "CPU:", 4) == 0 && strstr(line, "LOST") ? 0 : -ENOMSG;
}
