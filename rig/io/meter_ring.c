/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "meter_ring.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chunk.h"

#define SLOTS	  16 /* 2 million values */
#define GIVE_BACK 4  /* slots at once: each time costs both sides a system call */

struct meter_ring {
	int free_slots; /* an eventfd that counts those given back */
	size_t slot_size;
	size_t taken;	  /* by this process, the child */
	uint64_t may_use; /* more, before it has to ask */
	uint64_t done;	  /* with, by this process, the parent, and not given back */
	uint8_t *memory;
};

int meter_ring_new(struct meter_ring **out)
{
	struct meter_ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	ring->slot_size = (chunk_block_bound(METER_BLOCK_MAX) + 63) & ~(size_t)63;
	ring->free_slots = eventfd(SLOTS, EFD_CLOEXEC);
	ring->memory = mmap(NULL, SLOTS * ring->slot_size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ring->free_slots < 0 || ring->memory == MAP_FAILED) {
		int code = -errno;

		meter_ring_free(ring);
		return code;
	}
	*out = ring;
	return 0;
}

void meter_ring_free(struct meter_ring *ring)
{
	if (!ring)
		return;
	if (ring->memory != MAP_FAILED)
		munmap(ring->memory, SLOTS * ring->slot_size);
	if (ring->free_slots >= 0)
		close(ring->free_slots);
	free(ring);
}

int meter_ring_fd(const struct meter_ring *ring)
{
	return ring->free_slots;
}

void meter_ring_set_fd(struct meter_ring *ring, int fd)
{
	ring->free_slots = fd;
}

void *meter_ring_take(struct meter_ring *ring)
{
	if (!ring->may_use &&
	    read(ring->free_slots, &ring->may_use, sizeof(ring->may_use)) != sizeof(ring->may_use))
		return NULL;
	ring->may_use--;
	return ring->memory + ring->taken++ % SLOTS * ring->slot_size;
}

const void *meter_ring_slot(const struct meter_ring *ring, size_t n)
{
	return ring->memory + n % SLOTS * ring->slot_size;
}

void meter_ring_give_back(struct meter_ring *ring)
{
	if (++ring->done < GIVE_BACK)
		return;
	if (write(ring->free_slots, &ring->done, sizeof(ring->done)) == sizeof(ring->done))
		ring->done = 0;
}
