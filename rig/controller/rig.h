/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rig in action, for one arm: the target with its agent, the meters, and for a virtual target the
 * virtual lab. While it waits for anything it takes in what meters and agent send and writes it to
 * the journal.
 *
 * Errors that callers tell apart: -ETIMEDOUT, -EPIPE, -EPROTO: the target is lost. -EREMOTEIO: the
 * agent is well and refused, err says why. -EINTR: the user wants to stop. Others: the run file or
 * this machine failed.
 */
#ifndef COLDRIG_RIG_H
#define COLDRIG_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "journal.h"
#include "lab.h"
#include "msg.h"
#include "plan.h"
#include "progress.h"
#include "recovery.h"

struct rig;

struct rig_options {
	const struct lab *lab;
	const struct lab_target *target;
	const struct plan *plan;
	int arm;
	const char *run_dir; /* for the console's log and the truth of the virtual lab; NULL: for
				     neither */
	const char *target_files; /* agent.cpio and slots.aml of the build */
	struct journal *journal;  /* NULL: nothing is recorded, and no meter is read */
	struct progress *progress;
	bool leaves_kernel; /* a real target that booted by kexec is not rebooted in the end */
};

/* Is this code one of those that mean that the target does not answer properly any more? */
bool rig_is_lost(int code);

/* Asks the process to stop: from a signal handler. */
void rig_interrupt(void);
bool rig_is_interrupted(void);

/*
 * Powers a virtual target on or connects to a real one, greets the agent, starts the meters and
 * writes "arm-up". On failure nothing is left running.
 */
int rig_up(const struct rig_options *options, struct rig **out, struct err *err);

/*
 * Sends a request (taken over) and waits for its answer, at most the plan's answer limit. *answer
 * is freed with msg_free(); it may be NULL, then nothing is kept. The times of sending and receiving
 * are set in the answer as sent_ns and received_ns.
 */
int rig_ask(struct rig *rig, struct msg *request, struct msg **answer, struct err *err);

/* The same with a limit of its own, for what takes a target long. */
int rig_ask_for(struct rig *rig, struct msg *request, int64_t limit_ns, struct msg **answer,
		struct err *err);

/*
 * Greets the agent of another kernel that comes up, for at most the plan's boot limit: on the same
 * line if it is a serial one, else by connecting anew. An answer under before, the boot id of the
 * kernel that ended, is not one; on a serial line it means that it did not end. *hello is freed
 * with msg_free().
 */
int rig_greet_again(struct rig *rig, const char *before, struct msg **hello, struct err *err);

/*
 * Greets whatever agent answers until a moment, on the same line or a new one, as above. For a target
 * that is being recovered: until rig_take_over() its meters and its console are read, and that it is
 * lost is no news.
 */
int rig_greet_until(struct rig *rig, int64_t deadline_ns, struct msg **hello, struct err *err);

/* Is a target being recovered? Then silence, ends and panics are only noted. */
void rig_set_recovering(struct rig *rig, bool recovering);

/* Meters and console alone, until a moment. */
int rig_listen(struct rig *rig, int64_t until_ns, struct err *err);

/*
 * Goes on with the target whose agent has answered hello (taken over): verifies that the kernel and
 * all devices that are not left out are there, after another boot by kexec where the arm wants it, and
 * writes "arm-up". -ENOEXEC: another kernel. -ENODEV: a device is missing; all else is as it should be.
 */
int rig_take_over(struct rig *rig, struct msg *hello, bool same_boot, struct err *err);

/* Why a target was lost, from the code that said so. */
enum recovery_symptom rig_symptom(struct rig *rig, int code);

/* What the console said of this device: that it did not wake. NULL if it did not. */
const char *rig_asleep(const struct rig *rig, const char *bdf);

/* What the agent's list, which came with "arm-up", says of a device; NULL if it is not on the target. */
const struct msg *rig_find_device(const struct rig *rig, const char *bdf);

/* What the agent answered when the arm came up; for a kernel by kexec, that one's agent. */
const struct msg *rig_hello(const struct rig *rig);

/* How the kernel was booted, as boot_by_kexec() tells; NULL where nobody but the target knows. */
const struct msg *rig_how(const struct rig *rig);

/* Writes an entry to the journal, where there is one; takes body over. */
int rig_note(struct rig *rig, const char *kind, struct msg *body, struct err *err);

/* {"op":op} and {"op":op,"bdf":bdf}, to be sent. */
struct msg *rig_request(const char *op, const char *bdf);

/* Waits until a moment of CLOCK_MONOTONIC, keeping the agent awake with pings. */
int rig_wait(struct rig *rig, int64_t until_ns, struct err *err);

/* Measures the target's clock and writes "clock". */
int rig_mark_clock(struct rig *rig, struct err *err);

/* Is this meter in use, and alive as far as one can tell? */
bool rig_meter_reads(const struct rig *rig, size_t meter);

/* Waits until the meters' readings reach a moment, and shortly after it for those that are slow, and
 * puts them into the run file. */
int rig_sync_samples(struct rig *rig, int64_t until_ns, struct err *err);

/*
 * Runs the conformance suite on the target to its end: "suite-begin", "suite" for each line, then
 * "suite-end". One that does not end within the plan's limit is stopped with the session: -ETIMEDOUT,
 * as for a target that is lost.
 */
int rig_run_suite(struct rig *rig, struct err *err);

/* Tells the virtual lab, where there is one, that the n-th cycle of the arm begins. */
int rig_begin_cycle(struct rig *rig, unsigned n, struct err *err);

/* Writes "forbidden" for each access to a device without power that was made until now. Nothing where
 * nobody can watch for them: on a real target. */
int rig_take_accesses(struct rig *rig, struct err *err);

/* Lets the agent restore the target if it still answers, ends all processes, frees. NULL is fine. */
void rig_down(struct rig *rig);

#endif
