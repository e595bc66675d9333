/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the agent has changed, and how it was before. A claim covers one slot, all its functions,
 * and its port; several claims may share a port, which is then restored with the last of them.
 */
#ifndef COLDRIG_SAVED_H
#define COLDRIG_SAVED_H

#include <stdbool.h>
#include <stddef.h>

#include "bdf.h"
#include "err.h"
#include "host.h"
#include "keep.h"
#include "vfio.h"

/* All claims; zero-initialised is none. */
struct saved {
	struct saved_claim *claims;
	size_t n;
	struct keep keep; /* the same on paper */
};

/*
 * Remembers the slot of bdf, then lets its port go to D3cold. Claiming a claimed slot again is
 * fine. After a failure nothing is remembered and nothing changed.
 */
int saved_claim(struct saved *saved, const struct host *host, const struct bdf *bdf,
		struct err *err);

bool saved_has(const struct saved *saved, const struct bdf *bdf);

/*
 * Puts a slot back as it was: closed, without virtual functions that it did not have, its drivers,
 * its attributes, its port. Goes on after a failure, says each on stderr, and returns the first.
 * Claims of its own virtual functions are released before. -ENOENT if it was not claimed.
 */
int saved_release(struct saved *saved, struct vfio *vfio, const struct host *host,
		  const struct bdf *bdf, struct err *err);

/* Puts back what an agent that was killed has left, if any; says so on stderr. Nothing is claimed. */
void saved_put_back_left(struct saved *saved, struct vfio *vfio, const struct host *host);

/* All of them, the latest claim first. */
int saved_release_all(struct saved *saved, struct vfio *vfio, const struct host *host,
		      struct err *err);

#endif
