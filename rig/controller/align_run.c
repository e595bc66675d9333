/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "align_run.h"

#include <errno.h>
#include <math.h>

#include "cycle.h"
#include "runner.h"
#include "wiring.h"

#define MS_NS	    INT64_C(1000000)
#define QUIET_UNITS 2		     /* before the first step and after the last one */
#define UNIT_MIN_NS (40 * MS_NS)     /* of a hold */
#define READINGS    3		     /* of a channel in a unit: an edge needs two */
#define FIRST_NS    (50 * MS_NS)     /* most meters have shown the last step by then */
#define NEXT_NS	    (350 * MS_NS)    /* and if not, it is looked for again so often */
#define ROUNDS_MAX  3		     /* if the steps before left the time too uncertain */
#define EVERY_NS    (120000 * MS_NS) /* 100 ppm of this is 12 ms */

/* Units between steps: a Golomb ruler of order 6. No two of its distances are equal, so a lag that is
 * not the true one fits one step at most. */
static const int holds[] = {1, 3, 6, 2, 5, QUIET_UNITS};
#define STEPS (sizeof(holds) / sizeof(holds[0]))

/* How well a meter can tell the device's two states apart; negative if it was not measured. */
static double contrast(const struct runner *r, size_t device)
{
	const struct result_levels *l =
		analysis_levels(r->journal->analysis, r->journal->arm, (int)device);
	const struct level *d0 = &l->d0.level, *d3hot = &l->d3hot.level;

	if (!d0->valid || !d3hot->valid)
		return -1;
	return fabs(d0->mean_w - d3hot->mean_w) / fmax(fmax(d0->sd_w, d3hot->sd_w), 1e-9);
}

/* The device whose steps a meter shows best, of those that are not left out; devices_n if there is
 * none. */
static size_t choose_device(const struct runner *r, size_t meter)
{
	size_t best = r->target->devices_n;
	const struct incidents *incidents = analysis_incidents(r->journal->analysis);

	for (size_t d = 0; d < r->target->devices_n; d++) {
		if (wiring_shows(&r->target->devices[d], meter) &&
		    !incidents_find_left_out(incidents, r->journal->arm, (int)d) &&
		    (best == r->target->devices_n || contrast(r, d) > contrast(r, best)))
			best = d;
	}
	return best;
}

/* A unit of the holds, for the slowest meter of a device. */
static int64_t unit_ns(const struct runner *r, const struct lab_device *device)
{
	int64_t unit = UNIT_MIN_NS;

	for (size_t m = 0; m < r->lab->meters_n; m++) {
		const char *names[WIRING_CHANNELS_MAX];
		size_t channels = wiring_channels(r->target, m, names);
		double ns = 1e9 * READINGS * (double)channels / r->lab->meters[m].rate_hz;

		if (!wiring_shows(device, m))
			continue;
		unit = ns > (double)unit ? (int64_t)ns : unit;
	}
	return unit;
}

/* Writes one state; *took_ns is how long that took. */
static int power(struct rig *rig, const char *bdf, bool up, int64_t *took_ns, struct msg **times,
		 struct err *err)
{
	struct msg *request = rig_request("power", bdf), *answer;
	int code;

	msg_set_str(request, "state", up ? "D0" : "D3hot");
	code = rig_ask(rig, request, &answer, err);
	if (code < 0)
		return code;
	*times = msg_object();
	msg_set_str(*times, "device", bdf);
	msg_set_bool(*times, "up", up);
	msg_set_int(*times, "t0_ns", msg_get_int(answer, "t0_ns", -1));
	msg_set_int(*times, "t1_ns", msg_get_int(answer, "t1_ns", -1));
	*took_ns = msg_get_int(answer, "t1_ns", 0) - msg_get_int(answer, "t0_ns", 0);
	msg_free(answer);
	return 0;
}

/* A hold is no shorter than what a step takes, or the ruler's marks would run into each other. */
static int hold(struct rig *rig, int units, int64_t unit, int64_t took_ns, struct err *err)
{
	return rig_wait(rig, journal_now_ns() + units * (took_ns > unit ? took_ns : unit), err);
}

/* Begins and ends in D3hot. The first step down is none that is known to change anything. */
static int step_all(struct rig *rig, const struct runner *r, const struct lab_device *device,
		    struct err *err)
{
	int64_t unit = unit_ns(r, device), took_ns;
	struct msg *times;
	int code = power(rig, device->bdf, false, &took_ns, &times, err);

	if (code < 0)
		return code;
	msg_free(times);
	code = hold(rig, QUIET_UNITS, unit, took_ns, err);
	for (size_t i = 0; code == 0 && i < STEPS; i++) {
		code = power(rig, device->bdf, i % 2 == 0, &took_ns, &times, err);
		if (code == 0)
			code = journal_add(r->journal, "step", times, NULL, err);
		if (code == 0)
			code = hold(rig, holds[i], unit, took_ns, err);
	}
	return code;
}

/* Steps between D0 and D3hot of a device that is held open: on every kernel, and each is done when the
 * register is written, while opening and closing may also reset the device. */
static int stimulate(struct rig *rig, const struct runner *r, const struct lab_device *device,
		     struct err *err)
{
	struct err why = {""};
	int code = rig_ask(rig, rig_request("open", device->bdf), NULL, &why), closed;

	if (code == 0) {
		code = step_all(rig, r, device, &why);
		if (rig_is_lost(code))
			return err_set(err, code, "%s", why.text);
		closed = rig_ask(rig, rig_request("close", device->bdf), NULL,
				 code < 0 ? NULL : &why);
		code = code < 0 ? code : closed;
	}
	if (code == -EREMOTEIO) {
		struct msg *body = msg_object();

		msg_set_str(body, "device", device->bdf);
		msg_set_str(body, "why", why.text);
		code = journal_add(r->journal, "step-failed", body, NULL, &why);
	}
	return code < 0 ? err_set(err, code, "%s: load steps: %s", device->bdf, why.text) : 0;
}

/* Looks for the steps in the readings, and again in more of them if they are not there. */
static int look(struct rig *rig, const struct runner *r, struct err *err)
{
	int64_t done_ns = journal_now_ns(), until_ns = done_ns + FIRST_NS;
	int code;

	do {
		struct msg *body = msg_object();

		code = rig_wait(rig, until_ns, err);
		if (code == 0)
			code = rig_sync_samples(rig, until_ns, err);
		msg_set_int(body, "until_ns", until_ns);
		if (code == 0)
			code = journal_add(r->journal, "align", body, NULL, err);
		else
			msg_free(body);
		if (alignment_is_done(analysis_alignment(r->journal->analysis), until_ns))
			break;
		until_ns += NEXT_NS;
	} while (code == 0 && until_ns <= done_ns + ALIGN_LAG_MAX_NS + FIRST_NS);
	return code;
}

/* What a person should know before waiting for the end. */
static void say_result(const struct runner *r)
{
	for (size_t m = 0; m < r->lab->meters_n; m++) {
		struct align_result a = alignment_result(analysis_alignment(r->journal->analysis),
							 r->journal->arm, m);

		if (a.is_wanted && !a.is_found)
			progress_say(r->progress, "  meter %s is not aligned: %s: it is no witness",
				     r->lab->meters[m].name, a.why);
		else if (a.is_wanted && !a.is_ok)
			progress_say(r->progress,
				     "  meter %s: its time is known to %.3g ms, and should be to a "
				     "tenth of the dwell, %.3g ms: this run will be rejected",
				     r->lab->meters[m].name, a.u95_ms, a.limit_ms);
	}
}

/* The device to be stepped for a meter; devices_n if there is none, or an earlier meter has it. */
static size_t device_for(const struct rig *rig, const struct runner *r, size_t meter)
{
	size_t d = choose_device(r, meter);

	for (size_t m = 0; m < meter; m++) {
		if (rig_meter_reads(rig, m) && choose_device(r, m) == d)
			return r->target->devices_n;
	}
	return rig_meter_reads(rig, meter) ? d : r->target->devices_n;
}

static int begin(struct rig *rig, const struct runner *r, bool again, struct err *err)
{
	struct msg *body = msg_object();
	int code;

	msg_set_bool(body, "again", again);
	code = journal_add(r->journal, "stimulus", body, NULL, err);
	return code < 0 ? code : rig_mark_clock(rig, err);
}

/* One round of steps; *any is false if there is nothing to align. */
static int run_once(struct rig *rig, const struct runner *r, bool again, bool *any, struct err *err)
{
	int code = 0;

	*any = false;
	for (size_t m = 0; code == 0 && m < r->lab->meters_n; m++) {
		size_t d = device_for(rig, r, m);

		if (d == r->target->devices_n)
			continue;
		if (!*any)
			code = begin(rig, r, again, err);
		*any = true;
		progress_step(r->progress, "%s: load steps for meter %s", r->target->devices[d].bdf,
			      r->lab->meters[m].name);
		if (code == 0)
			code = stimulate(rig, r, &r->target->devices[d], err);
	}
	if (code < 0 || !*any)
		return code;
	code = rig_mark_clock(rig, err);
	return code < 0 ? code : look(rig, r, err);
}

int align_run(struct rig *rig, const struct runner *r, struct err *err)
{
	bool any = r->plan->align != PLAN_ALIGN_NONE;
	int code = 0;

	for (int i = 0; code == 0 && any && i < ROUNDS_MAX &&
			(i == 0 || alignment_is_coarse(analysis_alignment(r->journal->analysis)));
	     i++)
		code = run_once(rig, r, i > 0, &any, err);
	if (code == 0 && any)
		code = cycle_put_open_rows(r, err);
	if (code == 0 && any)
		say_result(r);
	return code;
}

bool align_is_due(const struct runner *r, int64_t last_ns)
{
	return r->plan->align != PLAN_ALIGN_NONE && journal_now_ns() - last_ns > EVERY_NS;
}
