/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "recover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hands.h"
#include "rescue.h"
#include "rig_parts.h"
#include "runner.h"

#define ECHO_NS	   (2000 * MS_NS) /* a kernel that hears SysRq says so at once */
#define KEY_GAP_NS (300 * MS_NS)

struct ladder {
	struct rig *rig;
	const struct runner *runner;
	struct recovery at;
	bool crash_loaded;
	char boot_id[64]; /* of the boot that was lost */
};

/* Does this code say that the rig itself failed, or shall stop? Others are what a step found. */
static bool is_ours(int code)
{
	return code == -EINTR || code == -ENOSPC || code == -ENOMEM || code == -EIO ||
	       code == -EACCES || code == -EBADMSG;
}

static void remember_boot(struct ladder *l)
{
	const char *id = msg_get_str(rig_hello(l->rig), "boot_id");

	snprintf(l->boot_id, sizeof(l->boot_id), "%s", id ? id : "");
}

/* The steps: each does its part, and leaves the greeting to greet() where there may be an agent. */

static int do_wait(struct ladder *l, struct err *why)
{
	int64_t begin_ns = journal_now_ns(), until_ns = recovery_deadline_ns(&l->at);
	int r = 0;

	while (r == 0 && journal_now_ns() < until_ns) {
		struct msg *none = NULL;

		r = rig_pump(l->rig, until_ns, 0, &none, why);
		if (l->rig->heard_ns >= begin_ns)
			return RECOVERY_HEARD;
	}
	return r < 0 ? r : RECOVERY_NOTHING;
}

static int press(struct ladder *l, const char *keys, struct err *why)
{
	int r = 0;

	for (; r == 0 && *keys; keys++) {
		r = tap_sysrq(l->rig->tap, *keys);
		if (r < 0)
			return err_set(why, r, "console: %s", strerror(-r));
		r = rig_listen(l->rig, journal_now_ns() + KEY_GAP_NS, why);
	}
	return r;
}

/* Has the console said anything since a moment? It gets a moment to. */
static int await_echo(struct ladder *l, int64_t since_ns, struct err *why)
{
	int64_t until_ns = journal_now_ns() + ECHO_NS;
	int r = 0;

	while (r == 0 && tap_heard_ns(l->rig->tap) < since_ns && journal_now_ns() < until_ns)
		r = rig_listen(l->rig, journal_now_ns() + KEY_GAP_NS, why);
	if (r == 0 && tap_heard_ns(l->rig->tap) < since_ns)
		r = err_set(why, -EHOSTDOWN, "the console does not react");
	return r;
}

/* w and l say what hangs; then s, u and b sync, remount and reboot. */
static int do_sysrq(struct ladder *l, struct err *why)
{
	int64_t begin_ns = journal_now_ns();
	int r = press(l, "wl", why);

	if (r == 0)
		r = await_echo(l, begin_ns, why);
	if (r == 0)
		r = press(l, "sub", why);
	return r < 0 ? r : RECOVERY_FOUND_COUNT;
}

static int do_nothing(struct ladder *l, struct err *why)
{
	(void)l;
	(void)why;
	return RECOVERY_FOUND_COUNT;
}

static int do_reset(struct ladder *l, struct err *why)
{
	int r = hands_reset(l->rig, why);

	return r < 0 ? r : RECOVERY_FOUND_COUNT;
}

static int do_power(struct ladder *l, struct err *why)
{
	int r = hands_cycle_power(l->rig, why);

	return r < 0 ? r : RECOVERY_FOUND_COUNT;
}

/* What was found, or RECOVERY_FOUND_COUNT: an agent is to be greeted. */
static int (*const steps[RECOVERY_STEP_COUNT])(struct ladder *l, struct err *why) = {
	[RECOVERY_WAIT] = do_wait,     [RECOVERY_ASK] = do_nothing, [RECOVERY_SYSRQ] = do_sysrq,
	[RECOVERY_CRASH] = do_nothing, [RECOVERY_RESET] = do_reset, [RECOVERY_POWER] = do_power,
};

/* Out of the crash kernel, whose agent answered: its log, then a reboot. *hello is replaced. */
static int leave_crash_kernel(struct ladder *l, struct msg **hello, struct err *why)
{
	const char *arm = l->runner->plan->arms[l->runner->journal->arm].name;
	const char *id = msg_get_str(*hello, "boot_id");
	int64_t until_ns = journal_now_ns() + l->at.means.limit_ns[RECOVERY_CRASH];
	char crash_id[64];
	int r = rescue_log(l->rig, l->runner->run_dir, arm, *hello, why);

	if (r == 0)
		progress_say(l->runner->progress, "  %s: its kernel panicked; the log is saved",
			     arm);
	else
		progress_say(l->runner->progress, "  %s: no log of a panic: %s", arm, why->text);
	snprintf(crash_id, sizeof(crash_id), "%s", id ? id : "");
	msg_free(*hello);
	*hello = NULL;
	if (is_ours(r))
		return r;
	r = rig_ask(l->rig, rig_request("reboot", NULL), NULL, why);
	while (r == 0) {
		r = rig_greet_until(l->rig, until_ns, hello, why);
		if (r < 0 || !msg_get_str(*hello, "boot_id") ||
		    strcmp(msg_get_str(*hello, "boot_id"), crash_id) != 0)
			break;
		msg_free(*hello); /* it has not gone down yet */
		*hello = NULL;
		r = rig_listen(l->rig, journal_now_ns() + KEY_GAP_NS, why);
	}
	return r;
}

/* Meets whoever answers until the step's end, and goes on with it if it is all there. */
static int greet(struct ladder *l, struct err *why)
{
	struct msg *hello = NULL;
	const char *id;
	bool same;
	int r = rig_greet_until(l->rig, recovery_deadline_ns(&l->at), &hello, why);

	if (r == 0 && msg_get_bool(hello, "crash", false))
		r = leave_crash_kernel(l, &hello, why);
	if (r < 0)
		return is_ours(r) ? r : RECOVERY_NOTHING;
	id = msg_get_str(hello, "boot_id");
	same = id && strcmp(id, l->boot_id) == 0;
	if (same && l->at.symptom == RECOVERY_ASLEEP) {
		msg_free(hello);
		return RECOVERY_SAME_BOOT;
	}
	r = rig_take_over(l->rig, hello, same, why);
	if (r == -ENODEV)
		return RECOVERY_INCOMPLETE;
	if (r < 0)
		return is_ours(r) ? r : r == -ENOEXEC ? RECOVERY_OTHER_KERNEL : RECOVERY_NOTHING;
	return same ? RECOVERY_SAME_BOOT : RECOVERY_NEW_BOOT;
}

static int climb(struct ladder *l, struct err *why)
{
	int found = steps[l->at.step](l, why);

	if (found < 0)
		return is_ours(found) ? found : RECOVERY_NOTHING;
	return found == RECOVERY_FOUND_COUNT ? greet(l, why) : found;
}

/* The journal's entries. */

static int note_step(const struct ladder *l, enum recovery_step step, int64_t begin_ns, int found,
		     const char *why, struct err *err)
{
	bool back = found == RECOVERY_NEW_BOOT || found == RECOVERY_SAME_BOOT;
	struct msg *body = msg_object();

	msg_set_str(body, "what", "step");
	msg_set_str(body, "step", recovery_step_name(step));
	msg_set_str(body, "found", recovery_found_name((enum recovery_found)found));
	/* What did not help says why; what helped may have had to try more than once. */
	msg_set_str(body, "why", *why && !back ? why : NULL);
	msg_set_int(body, "t0_ns", begin_ns);
	msg_set_int(body, "t1_ns", journal_now_ns());
	return rig_note(l->rig, "recovery", body, err);
}

static int note_end(const struct ladder *l, int64_t begin_ns, struct err *err)
{
	bool back = l->at.state == RECOVERY_BACK;
	struct msg *body = msg_object();

	msg_set_str(body, "what", "end");
	msg_set_str(body, "symptom", recovery_symptom_name(l->at.symptom));
	msg_set_bool(body, "back", back);
	msg_set_str(body, "by", back ? recovery_step_name(l->at.step) : NULL);
	msg_set_int(body, "t0_ns", begin_ns);
	msg_set_int(body, "t1_ns", journal_now_ns());
	return rig_note(l->rig, "recovery", body, err);
}

static struct recovery_means means_of(const struct ladder *l)
{
	const struct rig *rig = l->rig;
	struct recovery_means means = {
		.has = {[RECOVERY_WAIT] = true,
			[RECOVERY_ASK] = true,
			/* What is silent may be a crash kernel that boots: keys would kill it. */
			[RECOVERY_SYSRQ] = rig->tap && tap_can_sysrq(rig->tap) && !l->crash_loaded,
			[RECOVERY_CRASH] = l->crash_loaded,
			[RECOVERY_RESET] = hands_have_reset(rig),
			[RECOVERY_POWER] = hands_have_power(rig)},
	};

	memcpy(means.limit_ns, rig->o.plan->recovery.limit_ns, sizeof(means.limit_ns));
	return means;
}

static int climb_all(struct ladder *l, struct err *err)
{
	const char *arm = l->runner->plan->arms[l->runner->journal->arm].name;
	int r = 0;

	while (r == 0 && l->at.state == RECOVERY_GOES_ON) {
		enum recovery_step step = l->at.step;
		int64_t begin_ns = journal_now_ns();
		struct err why = {""};
		int found;

		progress_step(l->runner->progress, "%s: recovery: %s", arm,
			      recovery_step_name(step));
		found = climb(l, &why);
		if (found < 0)
			return err_set(err, found, "%s", why.text);
		r = note_step(l, step, begin_ns, found, why.text, err);
		if (r == 0) /* a line that is held lets nothing else happen for a while */
			r = store_commit(l->runner->journal->store, err);
		recovery_take(&l->at, (enum recovery_found)found, journal_now_ns());
	}
	return r;
}

int recover(struct rig *rig, const struct runner *runner, enum recovery_symptom symptom,
	    struct err *err)
{
	const char *arm = runner->plan->arms[runner->journal->arm].name;
	int64_t begin_ns = journal_now_ns();
	struct ladder l = {.rig = rig, .runner = runner};
	struct recovery_means means;
	int r;

	l.crash_loaded = msg_get_bool(rig_how(rig), "crash_kernel", false);
	remember_boot(&l);
	means = means_of(&l);
	rig_set_recovering(rig, true);
	recovery_begin(&l.at, symptom, &means, begin_ns);
	r = climb_all(&l, err);
	rig_set_recovering(rig, false);
	if (r == 0)
		r = note_end(&l, begin_ns, err);
	if (r == 0 && l.at.state != RECOVERY_BACK)
		r = err_set(err, -EHOSTDOWN, "no step of recovery brought it back");
	else if (r == 0)
		progress_say(runner->progress, "  %s: back after %.1f s, by %s", arm,
			     (double)(journal_now_ns() - begin_ns) / 1e9,
			     recovery_step_name(l.at.step));
	return r;
}
