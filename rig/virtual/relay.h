/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line that can be cut: bytes pass both ways, or are lost, as on a wire that is not plugged in. */
#ifndef COLDRIG_RELAY_H
#define COLDRIG_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define RELAY_POLLFDS 2
#define RELAY_SIZE    16384

struct relay {
	int fd[2]; /* -1: none, or ended */
	bool is_cut;
	struct relay_way {
		size_t n; /* read from the one, not yet written to the other */
		char bytes[RELAY_SIZE];
	} to[2];
};

/* Both ends are made not to block, and stay the caller's to close. */
void relay_init(struct relay *relay, int a, int b);

/* What is on its way is lost with a cut. */
void relay_cut(struct relay *relay, bool is_cut);

void relay_pollfds(const struct relay *relay, struct pollfd fds[static RELAY_POLLFDS]);
void relay_handle(struct relay *relay, const struct pollfd fds[static RELAY_POLLFDS]);

#endif
