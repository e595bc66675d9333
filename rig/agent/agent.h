/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a session has in its hands; ops.c works on it, session.c owns it. */
#ifndef COLDRIG_AGENT_H
#define COLDRIG_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "host.h"
#include "inbox.h"
#include "kexec.h"
#include "line.h"
#include "saved.h"
#include "suite.h"
#include "vfio.h"
#include "watch.h"

/* What becomes of the machine once the answer is out. */
enum agent_next { AGENT_STAYS, AGENT_BOOTS_LOADED, AGENT_REBOOTS };

struct agent {
	struct host host;
	const char *version;
	struct line line;
	struct saved saved;
	struct vfio vfio;
	struct suite suite;
	struct inbox inbox;
	struct kexec kexec;
	char *dead_log; /* of the kernel that panicked, NULL until it is asked for */
	size_t dead_log_n;
	enum agent_next next;
	struct watch *watch; /* of the session, NULL outside one */
	int64_t quiet_limit_ns;
	int64_t beat_every_ns; /* 0: the controller wants no heartbeats */
	int64_t beat_ns;       /* when the last one was sent */
	int64_t heard_ns;      /* when the controller last said something */
	bool bye;	       /* the controller has ended the session */
	bool bye_failed;       /* not all was as before */
	int send_error;	       /* of events, that nobody waits for */
};

/* Ends a session that is open: everything as it was before. 0 or the first failure, with words. */
int agent_restore(struct agent *agent, struct err *err);

#endif
