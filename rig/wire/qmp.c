/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "qmp.h"

#include <string.h>

#include "msg.h"

enum qmp_line qmp_parse(const char *line)
{
	enum qmp_line kind = QMP_OTHER;
	struct msg *msg;
	const char *event;

	if (msg_parse(line, strlen(line), &msg, NULL) < 0)
		return QMP_OTHER;
	event = msg_get_str(msg, "event");
	if (event)
		kind = strcmp(event, "RESET") == 0 ? QMP_RESET : QMP_OTHER;
	else if (msg_get(msg, "QMP"))
		kind = QMP_GREETING;
	else if (msg_get(msg, "return"))
		kind = QMP_DONE;
	else if (msg_get(msg, "error"))
		kind = QMP_REFUSED;
	msg_free(msg);
	return kind;
}

bool qmp_is_running(const char *line)
{
	struct msg *msg;
	bool running;

	if (msg_parse(line, strlen(line), &msg, NULL) < 0)
		return false;
	running = msg_get_bool(msg_get(msg, "return"), "running", false);
	msg_free(msg);
	return running;
}
