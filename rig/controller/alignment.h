/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The alignment of meters with the target, for the analysis: from the load steps in the journal and
 * the readings to marks of each meter's lag (align.h), and what became of it in each arm.
 *
 * Marks are of one power-on of the target, as clock marks are.
 */
#ifndef COLDRIG_ALIGNMENT_H
#define COLDRIG_ALIGNMENT_H

#include "align.h"
#include "clock.h"
#include "err.h"
#include "lab.h"
#include "msg.h"
#include "plan.h"
#include "store.h"

struct alignment;

/* Lab, target and plan outlive it. -ENOMEM. */
int alignment_new(const struct lab *lab, const struct lab_target *target, const struct plan *plan,
		  struct alignment **out);
void alignment_free(struct alignment *alignment); /* NULL is fine */

/* The target of an arm was powered on: no marks yet. */
void alignment_begin_boot(struct alignment *alignment, int arm);

/* Steps begin. Those before are dropped, unless more of the same are to come: again. */
void alignment_begin_steps(struct alignment *alignment, bool again);

/* The body of a "step" entry. -EBADMSG, -ENOMEM. */
int alignment_take_step(struct alignment *alignment, const struct msg *body);

/* The device could not be stepped. */
void alignment_take_failure(struct alignment *alignment);

/*
 * Looks for the steps in the readings up to until_ns; the marks of the target's clock go around them.
 * A mark that was found before for these same steps is replaced, if they are found again.
 */
int alignment_find(struct alignment *alignment, struct store *store, int segment,
		   const struct clock_mark *clock, size_t clock_n, int64_t until_ns,
		   struct err *err);

/* Of each of the lab's meters. */
const struct align_marks *alignment_marks(const struct alignment *alignment);

/*
 * May the readings of a device around a moment be used? NULL, or the static reason why not. *error_ns
 * is the largest error of its meters' lag; 0 where the plan wants no alignment.
 */
const char *alignment_check(struct alignment *alignment, const struct lab_device *device,
			    int64_t t_ns, int64_t *error_ns);

/* How long one has to wait until readings of now are there; for meters that are not aligned, 0. */
int64_t alignment_wait_ns(const struct alignment *alignment);

/* Has every meter that is wanted, and of which readings came, been found with the last steps, and
 * have all steps had the time to be seen until until_ns? */
bool alignment_is_done(const struct alignment *alignment, int64_t until_ns);

/* Did the last steps leave the time of a meter that showed them too uncertain? */
bool alignment_is_coarse(const struct alignment *alignment);

struct align_result alignment_result(const struct alignment *alignment, int arm, size_t meter);

#endif
