/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics.h"

#include <math.h>
#include <stdlib.h>

#include "board.h"

#define TWO_PI 6.283185307179586476925

#define PAST	    4096	     /* moments of a slot that are remembered */
#define PAST_MIN_NS INT64_C(1000000) /* activity is no news so soon after other news */

/* All that a slot's watts follow from, since some moment. */
struct moment {
	int64_t t_ns;
	bool on;
	int64_t on_since_ns;
	unsigned awake;
	bool was_active;
	int64_t active_ns;
};

struct slot {
	const struct lab_slot *lab;
	unsigned functions;
	bool empty;	  /* since power-on: device-gone */
	bool switched_on; /* what ACPI last asked for */
	bool on;	  /* what is so */
	int64_t on_since_ns;
	unsigned dstate[BOARD_FUNCTIONS_MAX];
	unsigned awake; /* the lowest of them */
	bool was_active;
	int64_t active_ns;
	uint64_t noise;
	struct moment past[PAST]; /* a ring */
	size_t past_n;		  /* moments that were ever put into it */
};

struct physics {
	const struct lab_virtual *virt;
	physics_observer *observer;
	void *context;
	unsigned cycle;
	bool powered;
	size_t slots_n;
	struct slot slots[];
};

static struct slot *find(struct physics *p, unsigned device)
{
	for (size_t i = 0; i < p->slots_n; i++) {
		if (p->slots[i].lab->device == device)
			return &p->slots[i];
	}
	return NULL;
}

static const struct slot *find_const(const struct physics *p, unsigned device)
{
	return find((struct physics *)p, device);
}

static void tell(struct physics *p, int64_t t_ns, unsigned slot, enum physics_what what, int value)
{
	const struct physics_change change = {t_ns, slot, what, value};

	if (p->observer)
		p->observer(&change, p->context);
}

bool physics_slot_has_fault(const struct physics *p, enum lab_fault_kind kind, unsigned device)
{
	for (size_t i = 0; i < p->virt->faults_n; i++) {
		const struct lab_fault *f = &p->virt->faults[i];

		if (f->kind == kind && f->slot == device && lab_fault_is_in_force(f, p->cycle))
			return true;
	}
	return false;
}

/* The latest moment of a slot becomes what it is now. */
static void remember(struct slot *s, int64_t t_ns, bool is_news)
{
	struct moment now = {t_ns, s->on, s->on_since_ns, s->awake, s->was_active, s->active_ns};
	struct moment *last = &s->past[(s->past_n + PAST - 1) % PAST];

	if (!is_news && s->past_n > 0 && t_ns - last->t_ns < PAST_MIN_NS) {
		now.t_ns = last->t_ns;
		*last = now;
		return;
	}
	s->past[s->past_n++ % PAST] = now;
}

/* The slot as it was, or as early as is remembered. */
static const struct moment *recall(const struct slot *s, int64_t t_ns)
{
	size_t oldest = s->past_n > PAST ? s->past_n - PAST : 0, i = s->past_n - 1;

	while (i > oldest && s->past[i % PAST].t_ns > t_ns)
		i--;
	return &s->past[i % PAST];
}

static unsigned most_awake(const struct slot *s)
{
	unsigned awake = 3;

	for (unsigned i = 0; i < s->functions; i++) {
		if (s->dstate[i] < awake)
			awake = s->dstate[i];
	}
	return awake;
}

/*
 * A stuck rail is a switch that has welded: it conducts from the moment the fault is in force, even
 * if it was open before. Otherwise a device that sleeps through the start of the cycle would not
 * show the fault until it is next woken.
 */
static bool rail_should_be_on(const struct physics *p, const struct slot *s)
{
	unsigned device = s->lab->device;

	if (!p->powered || s->empty)
		return false;
	if (physics_slot_has_fault(p, LAB_FAULT_RAIL_STUCK_ON, device))
		return true;
	if (s->awake == 3 && physics_slot_has_fault(p, LAB_FAULT_RAIL_CUT_EARLY, device))
		return false;
	return s->switched_on;
}

/* Makes what is so follow from what was asked for, and tells what changed. */
static void follow(struct physics *p, struct slot *s, int64_t t_ns)
{
	unsigned awake = most_awake(s);
	bool on;

	if (awake != s->awake) {
		s->awake = awake;
		tell(p, t_ns, s->lab->device, PHYSICS_DSTATE, (int)awake);
	}
	on = rail_should_be_on(p, s);
	if (on == s->on)
		return;
	s->on = on;
	if (on)
		s->on_since_ns = t_ns;
	tell(p, t_ns, s->lab->device, PHYSICS_RAIL, on);
}

static void settle(struct physics *p, struct slot *s, int64_t t_ns)
{
	follow(p, s, t_ns);
	remember(s, t_ns, true);
}

static void settle_all(struct physics *p, int64_t t_ns)
{
	for (size_t i = 0; i < p->slots_n; i++)
		settle(p, &p->slots[i], t_ns);
}

/* splitmix64, by Sebastiano Vigna, from its description: a counter and a mixing function. */
static uint64_t noise_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* In (0, 1], so that its logarithm is finite. */
static double noise_uniform(uint64_t *state)
{
	return ((double)(noise_next(state) >> 11) + 1.0) * 0x1p-53;
}

static double noise_normal(uint64_t *state)
{
	double radius = sqrt(-2.0 * log(noise_uniform(state)));

	return radius * cos(TWO_PI * noise_uniform(state));
}

static void slot_init(struct slot *s, const struct lab_slot *lab, uint64_t seed, int64_t t_ns)
{
	uint64_t mix = seed ^ lab->device;

	s->lab = lab;
	s->functions = board_card(lab->card)->functions;
	s->switched_on = true;
	s->on = true;
	s->on_since_ns = t_ns;
	/* Mixed, so that two slots of one seed do not run along the same sequence. */
	s->noise = noise_next(&mix);
	remember(s, t_ns, true);
}

/* Faults that are in force now and were not in the cycle before. */
static void tell_faults(struct physics *p, bool first, unsigned before, int64_t t_ns)
{
	for (size_t i = 0; i < p->virt->faults_n; i++) {
		const struct lab_fault *f = &p->virt->faults[i];

		if (lab_fault_is_in_force(f, p->cycle) &&
		    (first || !lab_fault_is_in_force(f, before)))
			tell(p, t_ns, f->slot, PHYSICS_FAULT, (int)f->kind);
	}
}

static void look_for_cards(struct physics *p)
{
	for (size_t i = 0; i < p->slots_n; i++)
		p->slots[i].empty =
			physics_slot_has_fault(p, LAB_FAULT_DEVICE_GONE, p->slots[i].lab->device);
}

struct physics *physics_new(const struct lab_virtual *virt, int64_t t_ns,
			    physics_observer *observer, void *context)
{
	struct physics *p = calloc(1, sizeof(*p) + virt->slots_n * sizeof(p->slots[0]));

	if (!p)
		return NULL;
	p->virt = virt;
	p->observer = observer;
	p->context = context;
	p->powered = true;
	p->slots_n = virt->slots_n;
	for (size_t i = 0; i < p->slots_n; i++) {
		slot_init(&p->slots[i], &virt->slots[i], virt->seed, t_ns);
		tell(p, t_ns, virt->slots[i].device, PHYSICS_RAIL, 1);
		tell(p, t_ns, virt->slots[i].device, PHYSICS_DSTATE, 0);
	}
	tell_faults(p, true, 0, t_ns);
	look_for_cards(p);
	settle_all(p, t_ns);
	return p;
}

void physics_free(struct physics *p)
{
	free(p);
}

/*
 * A real device comes back from a power cut in D0uninitialized. The emulated one keeps its PMCSR
 * and says so when asked, and watts follow the emulated hardware: after the rail's return it stays
 * in the D-state that was last written.
 */
void physics_rail(struct physics *p, unsigned device, bool on, int64_t t_ns)
{
	struct slot *s = find(p, device);

	if (!s)
		return;
	s->switched_on = on;
	settle(p, s, t_ns);
}

void physics_dstate(struct physics *p, unsigned device, unsigned function, unsigned dstate,
		    int64_t t_ns)
{
	struct slot *s = find(p, device);

	if (!s || function >= s->functions || dstate > 3)
		return;
	s->dstate[function] = dstate;
	settle(p, s, t_ns);
}

void physics_activity(struct physics *p, unsigned device, int64_t t_ns)
{
	struct slot *s = find(p, device);

	if (!s)
		return;
	s->was_active = true;
	s->active_ns = t_ns;
	remember(s, t_ns, false);
}

void physics_cycle(struct physics *p, unsigned n, int64_t t_ns)
{
	unsigned before = p->cycle;

	p->cycle = n;
	tell_faults(p, false, before, t_ns);
	settle_all(p, t_ns);
}

void physics_reset(struct physics *p, int64_t t_ns)
{
	for (size_t i = 0; i < p->slots_n; i++) {
		struct slot *s = &p->slots[i];

		s->switched_on = true;
		for (unsigned f = 0; f < s->functions; f++)
			s->dstate[f] = 0;
		s->was_active = false;
		settle(p, s, t_ns);
	}
}

void physics_power_off(struct physics *p, int64_t t_ns)
{
	p->powered = false;
	settle_all(p, t_ns);
}

void physics_power_on(struct physics *p, int64_t t_ns)
{
	p->powered = true;
	look_for_cards(p);
	physics_reset(p, t_ns);
}

static double state_w(const struct lab_power *power, const struct moment *m, int64_t t_ns)
{
	if (!m->on)
		return power->off_w;
	if (m->awake == 3)
		return power->d3hot_w;
	if (m->was_active && t_ns - m->active_ns <= PHYSICS_BUSY_NS)
		return power->busy_w;
	return power->idle_w;
}

static double inrush_w(const struct lab_power *power, const struct moment *m, int64_t t_ns)
{
	if (!m->on || power->inrush_tau_ns <= 0)
		return 0.0;
	return power->inrush_w *
	       exp(-(double)(t_ns - m->on_since_ns) / (double)power->inrush_tau_ns);
}

double physics_power_w(const struct physics *p, unsigned device, int64_t t_ns)
{
	const struct slot *s = find_const(p, device);
	const struct moment *m = s ? recall(s, t_ns) : NULL;

	return m ? state_w(&s->lab->power, m, t_ns) + inrush_w(&s->lab->power, m, t_ns) : 0.0;
}

double physics_read_w(struct physics *p, unsigned device, int64_t t_ns)
{
	struct slot *s = find(p, device);

	if (!s)
		return 0.0;
	return physics_power_w(p, device, t_ns) + s->lab->power.noise_w * noise_normal(&s->noise);
}

bool physics_rail_is_on(const struct physics *p, unsigned device)
{
	const struct slot *s = find_const(p, device);

	return s && s->on;
}

bool physics_is_empty(const struct physics *p, unsigned device)
{
	const struct slot *s = find_const(p, device);

	return s && s->empty;
}

bool physics_is_switched_on(const struct physics *p, unsigned device)
{
	const struct slot *s = find_const(p, device);

	return s && s->switched_on;
}

bool physics_has_fault(const struct physics *p, enum lab_fault_kind kind)
{
	for (size_t i = 0; i < p->virt->faults_n; i++) {
		if (p->virt->faults[i].kind == kind &&
		    lab_fault_is_in_force(&p->virt->faults[i], p->cycle))
			return true;
	}
	return false;
}
