/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rig's begin and end: power-on, the arm's kernel; and the way down. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "kimage.h"
#include "rig_parts.h"

#define BYE_LIMIT_NS (8000 * MS_NS)

static const struct plan_arm *this_arm(const struct rig *rig)
{
	return &rig->o.plan->arms[rig->o.arm];
}

static bool is_virtual(const struct rig *rig)
{
	return strcmp(rig->o.target->transport, "virtual") == 0;
}

/* The lab's faults and the plan's. */
static int join_faults(struct rig *rig)
{
	const struct lab_virtual *virt = &rig->o.lab->virt;
	const struct plan *plan = rig->o.plan;
	size_t n = virt->faults_n + plan->faults_n;
	struct lab_fault *faults = calloc(n ? n : 1, sizeof(*faults));

	if (!faults)
		return -ENOMEM;
	if (virt->faults_n)
		memcpy(faults, virt->faults, virt->faults_n * sizeof(*faults));
	if (plan->faults_n)
		memcpy(faults + virt->faults_n, plan->faults, plan->faults_n * sizeof(*faults));
	rig->faulty = *rig->o.lab;
	rig->faulty.virt.faults = faults;
	rig->faulty.virt.faults_n = n;
	return 0;
}

/* Begins to record the console, over a line that is taken over. */
static int open_tap(struct rig *rig, struct transport *line, const char *break_text,
		    struct err *err)
{
	char path[4096];
	struct tap_options options = {.transport = line, .break_text = break_text};

	if (rig->o.run_dir) {
		snprintf(path, sizeof(path), "%s/console-%s.log", rig->o.run_dir,
			 this_arm(rig)->name);
		options.log_path = path;
	}
	return tap_open(&options, &rig->tap, err);
}

static int open_console(struct rig *rig, struct err *err)
{
	const struct lab_target *target = rig->o.target;
	struct transport *line;
	int r;

	if (!target->console)
		return 0;
	r = transport_open(target->console, &line, err);
	return r < 0 ? r : open_tap(rig, line, target->console_break, err);
}

/* Recovery's; the virtual target's own are reached without a socket. */
static int open_lines(struct rig *rig, struct err *err)
{
	return rig->o.journal ? target_lines_open(rig->o.lab, rig->o.target, NULL, &rig->lines, err)
			      : 0;
}

static int wire_virtual(struct rig *rig, struct err *err)
{
	struct transport *console;
	int r = transport_wrap(vlab_console_fd(rig->vlab), true, &console);

	if (r == 0)
		r = open_tap(rig, console, VLAB_BREAK, err);
	return r < 0 ? r : transport_wrap(vlab_agent_fd(rig->vlab), true, &rig->transport);
}

static int start_virtual(struct rig *rig, struct err *err)
{
	const struct plan_arm *arm = this_arm(rig);
	char truth[4096], *kernel_dir = NULL;
	struct vlab_options options = {
		.lab = &rig->faulty,
		.data_dir = rig->o.target_files,
		.truth_path = rig->o.run_dir ? truth : NULL,
		.with_pme_card = rig->o.plan->conformance_ns > 0,
	};
	int r = vlab_kernel_dir(arm->kernel, &kernel_dir, err);

	if (r == 0 && arm->kexec.present) {
		rig->kexec_dir = kernel_dir;
		r = vlab_kernel_dir(arm->kexec.from, &rig->from_dir, err);
	}
	if (r == 0)
		r = join_faults(rig);
	if (r < 0)
		return r;
	options.kernel_dir = arm->kexec.present ? rig->from_dir : kernel_dir;
	options.kexec_dir = rig->kexec_dir;
	if (rig->o.run_dir)
		snprintf(truth, sizeof(truth), "%s/truth-%s.csv", rig->o.run_dir, arm->name);
	r = vlab_up(&options, &rig->vlab, err);
	if (!arm->kexec.present)
		free(kernel_dir);
	return r < 0 ? r : wire_virtual(rig, err);
}

static int check_kernel(const struct rig *rig, const struct msg *hello, struct err *err)
{
	const struct plan_arm *arm = this_arm(rig);
	const char *release = msg_get_str(hello, "release");

	if (kimage_release_is(release, arm->kernel))
		return 0;
	return err_set(err, -ENOEXEC, "arm %s asks for kernel %s, the target runs %s", arm->name,
		       arm->kernel, release);
}

static int note_arm_up(struct rig *rig, struct err *err)
{
	struct msg *body;
	int r;

	msg_free(rig->devices);
	rig->devices = NULL;
	r = rig_ask(rig, rig_request("list", NULL), &rig->devices, err);
	if (r < 0)
		return r;
	body = msg_object();
	msg_set(body, "hello", msg_copy(rig->hello));
	msg_set_str(body, "arm", this_arm(rig)->name);
	msg_set_bool(body, "accesses_watched", rig->vlab != NULL);
	if (rig->how)
		msg_set(body, "kexec", msg_copy(rig->how));
	msg_set(body, "list", msg_copy(rig->devices));
	return rig_note(rig, "arm-up", body, err);
}

static int boot_kernel(struct rig *rig, struct err *err)
{
	const struct payload payload = {rig->from_dir, rig->kexec_dir, rig->o.target_files};
	const struct boot boot = {rig, this_arm(rig), rig->vlab ? &payload : NULL};

	return boot_by_kexec(&boot, &rig->hello, &rig->how, err);
}

/* The kernel of the arm; by kexec, where the plan says so and it does not run yet. */
static int have_kernel(struct rig *rig, bool runs, struct err *err)
{
	int r = boot_check_hello(rig->hello, err);

	if (r < 0)
		return r;
	if (this_arm(rig)->kexec.present && !runs)
		return boot_kernel(rig, err);
	return check_kernel(rig, rig->hello, err);
}

static int connect_agent(struct rig *rig, struct err *err)
{
	int r = rig_greet(rig, &rig->hello, err);

	if (r < 0)
		return r;
	r = have_kernel(rig, false, err);
	return r < 0 ? r : note_arm_up(rig, err);
}

static int check_devices(const struct rig *rig, struct err *err)
{
	const struct journal *journal = rig->o.journal;
	const struct incidents *incidents = analysis_incidents(journal->analysis);

	for (size_t d = 0; d < rig->o.target->devices_n; d++) {
		const char *bdf = rig->o.target->devices[d].bdf;

		if (!rig_find_device(rig, bdf) &&
		    !incidents_find_left_out(incidents, journal->arm, (int)d))
			return err_set(err, -ENODEV, "%s is not there any more", bdf);
	}
	return 0;
}

int rig_take_over(struct rig *rig, struct msg *hello, bool same_boot, struct err *err)
{
	int r;

	msg_free(rig->hello);
	rig->hello = hello;
	if (!same_boot) {
		msg_free(rig->how);
		rig->how = NULL;
		rig->reboots = false;
	}
	rig->panic = rig->asleep = (struct console_event){0};
	r = have_kernel(rig, same_boot, err);
	if (r == 0)
		r = note_arm_up(rig, err);
	return r < 0 ? r : check_devices(rig, err);
}

/* A meter that is alive has read each channel by now; one that is not is an event, not a failure. */
static int await_meters(struct rig *rig, struct err *err)
{
	int64_t limit_ns = journal_now_ns() + METER_SILENCE_NS + rig_meters_start_ns(rig);
	int r = 0;

	while (r == 0 && !rig_meters_known(rig) && journal_now_ns() < limit_ns) {
		struct msg *none = NULL;

		r = rig_pump(rig, journal_now_ns() + 20 * MS_NS, 0, &none, err);
	}
	return r;
}

/* A real target that an arm before this one has rebooted. */
static bool may_be_down(const struct plan *plan)
{
	for (size_t i = 0; i < plan->arms_n; i++) {
		if (plan->arms[i].kexec.present)
			return true;
	}
	return false;
}

/* Powers a virtual one on; connects to a real one, unless that is better tried more than once. */
static int start_target(struct rig *rig, struct err *err)
{
	if (is_virtual(rig))
		return start_virtual(rig, err);
	if (may_be_down(rig->o.plan))
		return 0;
	return transport_open(rig->o.target->transport, &rig->transport, err);
}

int rig_up(const struct rig_options *options, struct rig **out, struct err *err)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	int r;

	if (!rig)
		return -ENOMEM;
	rig->o = *options;
	rig->meters =
		calloc(options->lab->meters_n ? options->lab->meters_n : 1, sizeof(*rig->meters));
	r = rig->meters ? open_lines(rig, err) : -ENOMEM;
	if (r == 0)
		r = open_console(rig, err);
	if (r == 0)
		r = start_target(rig, err);
	if (r == 0 && rig->transport)
		peer_init(&rig->peer, rig->transport);
	if (r == 0)
		r = rig_open_meters(rig, err);
	if (r == 0)
		r = connect_agent(rig, err);
	if (r == 0)
		r = await_meters(rig, err);
	if (r < 0) {
		rig_note_lost(rig, r);
		rig_down(rig);
		return r;
	}
	*out = rig;
	return 0;
}

/* The target is restored by its agent, one that was booted by kexec by what its owner boots; the
 * journal says whether it was. A lost one cannot be asked. */
static void say_bye(struct rig *rig)
{
	const char *op = rig->reboots ? "reboot" : "bye";
	struct err why = {""};
	struct msg *body;
	int code;

	rig_set_interrupted(false); /* what was asked for is under way */
	code = rig_ask_for(rig, rig_request(op, NULL), BYE_LIMIT_NS, NULL, &why);
	if (!rig->o.journal)
		return;
	body = msg_object();
	msg_set_str(body, "by", op);
	msg_set_bool(body, "ok", code == 0);
	msg_set_str(body, "why", code == 0 ? NULL : why.text);
	(void)journal_add(rig->o.journal, "restored", body, NULL, NULL);
}

void rig_down(struct rig *rig)
{
	bool was_interrupted = rig_is_interrupted();

	if (!rig)
		return;
	if (rig->greeted && !rig->is_lost)
		say_bye(rig);
	(void)rig_take_accesses(rig, NULL);
	(void)rig_take_console(rig, NULL);
	if (was_interrupted)
		rig_set_interrupted(true);
	for (size_t i = 0; rig->meters && i < rig->o.lab->meters_n; i++) {
		meter_keep_close(rig->meters[i].meter);
		free(rig->meters[i].buffer);
	}
	if (rig->transport)
		peer_end(&rig->peer);
	transport_close(rig->transport);
	tap_close(rig->tap);
	target_lines_close(rig->lines);
	vlab_down(rig->vlab);
	free(rig->faulty.virt.faults);
	msg_free(rig->devices);
	msg_free(rig->hello);
	msg_free(rig->how);
	free(rig->from_dir);
	free(rig->kexec_dir);
	free(rig->meters);
	free(rig);
}
