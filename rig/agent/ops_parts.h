/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The operations themselves, for the table in ops.c: those of the session in ops_session.c, of devices
 * in ops_device.c, of kernels to be booted in ops_kexec.c. protocol.h says what each takes and answers.
 */
#ifndef COLDRIG_OPS_PARTS_H
#define COLDRIG_OPS_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent.h"
#include "bdf.h"
#include "err.h"
#include "msg.h"

/* One request on its way through its operation. */
struct ops_call {
	struct agent *agent;
	const struct msg *request;
	struct msg *answer;
	struct bdf bdf; /* where the operation takes one */
	struct err *err;
};

/* Members of the request: -EINVAL with words for one that is missing or of another kind. */
int ops_call_count(const struct ops_call *call, const char *key, int64_t min, int64_t max,
		   int64_t *value);
int ops_call_text(const struct ops_call *call, const char *key, const char **text);

/* One of two words. */
int ops_call_word(const struct ops_call *call, const char *key, const char *no, const char *yes,
		  bool *is_yes);

/* Of the session. */
int ops_hello(struct ops_call *call);
int ops_ping(struct ops_call *call);
int ops_suite(struct ops_call *call);
int ops_reboot(struct ops_call *call);
int ops_bye(struct ops_call *call);

/* Of devices. */
int ops_list(struct ops_call *call);
int ops_claim(struct ops_call *call);
int ops_bind(struct ops_call *call);
int ops_unbind(struct ops_call *call);
int ops_native(struct ops_call *call);
int ops_open(struct ops_call *call);
int ops_close(struct ops_call *call);
int ops_power(struct ops_call *call);
int ops_vfs(struct ops_call *call);
int ops_set(struct ops_call *call);
int ops_state(struct ops_call *call);
int ops_watch(struct ops_call *call);
int ops_unwatch(struct ops_call *call);
int ops_release(struct ops_call *call);

/* Of kernels, and of the files that they are in. */
int ops_put(struct ops_call *call);
int ops_data(struct ops_call *call);
int ops_kexec_load(struct ops_call *call);
int ops_kexec_boot(struct ops_call *call);
int ops_dead_log(struct ops_call *call);

#endif
