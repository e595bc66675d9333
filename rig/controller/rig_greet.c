/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the agent, over a line that is open or by connecting until it is there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol.h"
#include "rig_parts.h"

#define BEAT_MS	       1000
#define QUIET_LIMIT_MS 10000 /* the agent restores the target when it hears nothing so long */
#define HELLO_AGAIN_NS (1000 * MS_NS)  /* a booting target does not hear the first ones */
#define ATTEMPT_NS     (10000 * MS_NS) /* to reach a target that may be down */

static struct msg *hello_request(const char *nonce)
{
	struct msg *request = rig_request("hello", NULL);

	msg_set_int(request, "proto", PROTOCOL_VERSION);
	msg_set_str(request, "nonce", nonce);
	msg_set_int(request, "quiet_limit_ms", QUIET_LIMIT_MS);
	msg_set_int(request, "beat_ms", BEAT_MS);
	return request;
}

static int check_nonce(struct msg **hello, const char *nonce, struct err *err)
{
	const char *echoed = msg_get_str(*hello, "nonce");

	/* A refusal has none, and says why itself. */
	if (!msg_get_bool(*hello, "ok", false))
		return 0;
	if (echoed && strcmp(echoed, nonce) == 0)
		return 0;
	msg_free(*hello);
	*hello = NULL;
	return err_set(err, -EPROTO, "the agent answered a greeting that was not sent");
}

/* Greets until an agent answers: on a serial line the first greetings may meet a booting machine. */
static int greet(struct rig *rig, int64_t deadline_ns, struct msg **hello, struct err *err)
{
	int64_t begin_ns = journal_now_ns();
	char nonce[40];

	snprintf(nonce, sizeof(nonce), "%d-%lld", getpid(), (long long)begin_ns);
	for (;;) {
		int64_t again_ns = journal_now_ns() + HELLO_AGAIN_NS;
		int64_t id = peer_send(&rig->peer, hello_request(nonce), err);
		int r;

		if (id < 0)
			return (int)id;
		if (!transport_is_serial(rig->transport))
			again_ns = deadline_ns;
		r = rig_await(rig, id, again_ns < deadline_ns ? again_ns : deadline_ns, hello, err);
		if (r == -ETIMEDOUT && journal_now_ns() < deadline_ns)
			continue;
		if (r == -ETIMEDOUT)
			return err_set(err, r, "no agent answered within %lld s",
				       (long long)((journal_now_ns() - begin_ns) / 1000000000));
		return r < 0 ? r : check_nonce(hello, nonce, err);
	}
}

static int64_t boot_deadline_ns(const struct rig *rig)
{
	return journal_now_ns() + rig->o.plan->boot_limit_ns;
}

static void drop_line(struct rig *rig)
{
	if (rig->transport)
		peer_end(&rig->peer);
	if (!rig->vlab) {
		transport_close(rig->transport);
		rig->transport = NULL;
	}
}

/* One attempt over a line of its own. A machine that is down may take what is sent and say nothing. */
static int connect_once(struct rig *rig, int64_t deadline_ns, struct msg **hello, struct err *err)
{
	int64_t attempt_ns = journal_now_ns() + ATTEMPT_NS;
	int r = transport_open(rig->o.target->transport, &rig->transport, err);

	if (r < 0)
		return r;
	peer_init(&rig->peer, rig->transport);
	if (transport_is_serial(rig->transport) || attempt_ns > deadline_ns)
		attempt_ns = deadline_ns;
	return greet(rig, attempt_ns, hello, err);
}

static bool is_other_boot(const struct msg *hello, const char *before)
{
	const char *id = msg_get_str(hello, "boot_id");

	return !before || !id || strcmp(id, before) != 0;
}

/* Connects to a real target that may be down for a while. */
static int connect_anew(struct rig *rig, const char *before, int64_t deadline_ns,
			struct msg **hello, struct err *err)
{
	for (;;) {
		int r = connect_once(rig, deadline_ns, hello, err);

		if (r == 0 && is_other_boot(*hello, before))
			return 0;
		if (r == 0) {
			msg_free(*hello);
			r = err_set(err, -ENOEXEC, "the target still runs the kernel of before");
		}
		drop_line(rig);
		/* What says that the transport itself is wrong will not change. */
		if (r == -EINTR || r == -EINVAL || journal_now_ns() + HELLO_AGAIN_NS >= deadline_ns)
			return r;
		r = rig_listen(rig, journal_now_ns() + HELLO_AGAIN_NS, err);
		if (r < 0)
			return r;
	}
}

/* Ids go on: a late answer to the conversation before is none to this one. */
static int greet_same_line(struct rig *rig, const char *before, int64_t deadline_ns,
			   struct msg **hello, struct err *err)
{
	int64_t last_id = rig->peer.last_id;
	int r;

	peer_end(&rig->peer);
	peer_init(&rig->peer, rig->transport);
	rig->peer.last_id = last_id;
	r = greet(rig, deadline_ns, hello, err);
	if (r < 0 || is_other_boot(*hello, before))
		return r;
	msg_free(*hello);
	return err_set(err, -ENOEXEC, "the target still runs the kernel of before");
}

/* Whoever answered is the one to talk to. */
static void settle_line(struct rig *rig, const struct msg *hello)
{
	peer_expect_frames(&rig->peer);
	rig->greeted = true;
	rig->is_lost = false;
	rig->heard_ns = journal_now_ns();
	rig->beat_every_ns = msg_get_int(hello, "beat_ms", 0) * MS_NS;
}

static int greet_until(struct rig *rig, const char *before, int64_t deadline_ns, struct msg **hello,
		       struct err *err)
{
	int r;

	rig->greeted = false;
	if (rig->transport && transport_is_serial(rig->transport)) {
		r = greet_same_line(rig, before, deadline_ns, hello, err);
	} else {
		drop_line(rig);
		r = connect_anew(rig, before, deadline_ns, hello, err);
	}
	if (r < 0)
		return rig_note_lost(rig, r);
	settle_line(rig, *hello);
	return 0;
}

int rig_greet(struct rig *rig, struct msg **hello, struct err *err)
{
	int64_t deadline_ns = boot_deadline_ns(rig);
	int r = rig->transport ? greet(rig, deadline_ns, hello, err)
			       : connect_anew(rig, NULL, deadline_ns, hello, err);

	if (r == 0)
		settle_line(rig, *hello);
	return r;
}

int rig_greet_again(struct rig *rig, const char *before, struct msg **hello, struct err *err)
{
	int r = greet_until(rig, before, boot_deadline_ns(rig), hello, err);

	if (r == 0)
		rig->reboots = !rig->vlab && !rig->o.leaves_kernel;
	return r;
}

int rig_greet_until(struct rig *rig, int64_t deadline_ns, struct msg **hello, struct err *err)
{
	return greet_until(rig, NULL, deadline_ns, hello, err);
}
