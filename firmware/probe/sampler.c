/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sampler.h"

#include <string.h>

#include "adm1272.h"
#include "fixed.h"

#define PJ_PER_NJ 1000

static uint8_t address_of(unsigned channel)
{
	return (uint8_t)(PROBE_FIRST_ADDRESS + channel);
}

static int64_t power_uw(int32_t uv, int32_t ua)
{
	return fixed_scale(uv, ua, 1000000);
}

void sampler_start(struct sampler *s, const struct probe_board *board,
		   const struct settings *settings)
{
	memset(s, 0, sizeof(*s));
	s->board = board;
	s->settings = settings;
	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		s->channels[i].present = adm1272_start(board, address_of(i)) == 0;
}

/* Half of the sum times the time between: uW * us is pJ. A step of more than an hour would
 * overflow; it is taken for an hour. */
static void add_energy(struct sampler_channel *c, int64_t uw, uint64_t step_us)
{
	const uint64_t hour_us = UINT64_C(3600000000);
	int64_t step = (int64_t)(step_us < hour_us ? step_us : hour_us);

	if (c->has_last) {
		c->rest_pj += (c->last_uw + uw) * step / 2;
		c->energy_nj += c->rest_pj / PJ_PER_NJ;
		c->rest_pj %= PJ_PER_NJ;
	}
	c->last_uw = uw;
	c->has_last = true;
}

static void watch_limit(struct sampler *s, unsigned i, int32_t ua)
{
	struct sampler_channel *c = &s->channels[i];

	c->over = ua > s->settings->channels[i].fields[SETTINGS_LIMIT] ? c->over + 1 : 0;
	if (c->over < SAMPLER_TRIP_AFTER || c->tripped)
		return;
	c->tripped = true;
	c->trip_told = false;
	/* A chip that does not hear it is tried again with each sample that is over. */
	if (adm1272_operate(s->board, address_of(i), false) < 0)
		c->tripped = false;
}

static void add_to_sum(struct sampler_sum *sum, unsigned i, int32_t uv, int32_t ua, int64_t uw)
{
	sum->channels[i].n++;
	sum->channels[i].uv += uv;
	sum->channels[i].ua += ua;
	sum->channels[i].uw += uw;
}

/* False if there is no chip, or it does not answer. */
static bool read_channel(struct sampler *s, unsigned i, int32_t *uv, int32_t *ua)
{
	const struct settings_channel *settings = &s->settings->channels[i];
	uint16_t voltage, current;

	if (!s->channels[i].present ||
	    adm1272_read(s->board, address_of(i), &voltage, &current) < 0)
		return false;
	*uv = adm1272_microvolts(settings, voltage);
	*ua = adm1272_microamperes(settings, current);
	return true;
}

static void sample_channel(struct sampler *s, unsigned i, struct sample *sample, uint64_t step_us)
{
	struct sampler_channel *c = &s->channels[i];
	int64_t uw;

	sample->uv[i] = sample->ua[i] = SAMPLER_NONE;
	if (!read_channel(s, i, &sample->uv[i], &sample->ua[i])) {
		c->has_last = false;
		c->missed++;
		return;
	}
	uw = power_uw(sample->uv[i], sample->ua[i]);
	add_energy(c, uw, step_us);
	if (s->sum.n < s->sum.wanted)
		add_to_sum(&s->sum, i, sample->uv[i], sample->ua[i], uw);
	watch_limit(s, i, sample->ua[i]);
}

static void keep(struct sampler *s, const struct sample *sample)
{
	s->ring[s->ring_next] = *sample;
	s->ring_next = (s->ring_next + 1) % SAMPLER_RING;
	if (s->ring_n < SAMPLER_RING)
		s->ring_n++;
	else
		s->ring_lost++;
}

void sampler_tick(struct sampler *s)
{
	struct sample sample = {.t_us = s->board->now_us()};

	for (unsigned i = 0; i < PROBE_CHANNELS; i++)
		sample_channel(s, i, &sample, sample.t_us - s->last.t_us);
	if (s->sum.n < s->sum.wanted) {
		if (s->sum.n++ == 0)
			s->sum.first_us = sample.t_us;
		s->sum.last_us = sample.t_us;
	}
	keep(s, &sample);
	s->last = sample;
	s->ticks++;
}

void sampler_begin(struct sampler *s)
{
	s->board->hold(true);
	memset(&s->sum, 0, sizeof(s->sum));
	s->sum.wanted = s->settings->average;
	s->board->hold(false);
}

bool sampler_is_done(struct sampler *s)
{
	bool done;

	s->board->hold(true);
	done = s->sum.n == s->sum.wanted;
	s->board->hold(false);
	return done;
}

static const struct reading no_reading = {0, 0, SAMPLER_NONE, SAMPLER_NONE, SAMPLER_NONE};

struct reading sampler_reading(struct sampler *s, unsigned channel)
{
	struct reading reading = no_reading;
	uint32_t n;

	s->board->hold(true);
	n = s->sum.channels[channel].n;
	reading.first_us = s->sum.first_us;
	reading.last_us = s->sum.last_us;
	if (n > 0) {
		reading.uv = fixed_scale(s->sum.channels[channel].uv, 1, n);
		reading.ua = fixed_scale(s->sum.channels[channel].ua, 1, n);
		reading.uw = fixed_scale(s->sum.channels[channel].uw, 1, n);
	}
	s->board->hold(false);
	return reading;
}

struct reading sampler_now(struct sampler *s, unsigned channel)
{
	struct reading reading = no_reading;
	int32_t uv, ua;

	s->board->hold(true);
	reading.first_us = reading.last_us = s->board->now_us();
	if (read_channel(s, channel, &uv, &ua)) {
		reading.uv = uv;
		reading.ua = ua;
		reading.uw = power_uw(uv, ua);
	}
	s->board->hold(false);
	return reading;
}

struct reading sampler_newest(struct sampler *s, unsigned channel)
{
	struct reading reading = no_reading;

	s->board->hold(true);
	reading.first_us = reading.last_us = s->last.t_us;
	if (s->ticks > 0 && s->last.uv[channel] != SAMPLER_NONE) {
		reading.uv = s->last.uv[channel];
		reading.ua = s->last.ua[channel];
		reading.uw = power_uw(s->last.uv[channel], s->last.ua[channel]);
	}
	s->board->hold(false);
	return reading;
}

bool sampler_is_present(const struct sampler *s, unsigned channel)
{
	return s->channels[channel].present;
}

int64_t sampler_energy_nj(struct sampler *s, unsigned channel)
{
	int64_t energy_nj;

	s->board->hold(true);
	energy_nj = s->channels[channel].energy_nj;
	s->board->hold(false);
	return energy_nj;
}

void sampler_clear_energy(struct sampler *s, unsigned channel)
{
	s->board->hold(true);
	s->channels[channel].energy_nj = 0;
	s->channels[channel].rest_pj = 0;
	s->board->hold(false);
}

uint32_t sampler_missed(struct sampler *s, unsigned channel)
{
	uint32_t missed;

	s->board->hold(true);
	missed = s->channels[channel].missed;
	s->board->hold(false);
	return missed;
}

bool sampler_fetch(struct sampler *s, struct sample *out)
{
	bool any;

	s->board->hold(true);
	any = s->ring_n > 0;
	if (any) {
		*out = s->ring[(s->ring_next + SAMPLER_RING - s->ring_n) % SAMPLER_RING];
		s->ring_n--;
	}
	s->board->hold(false);
	return any;
}

uint32_t sampler_waiting(struct sampler *s)
{
	uint32_t n;

	s->board->hold(true);
	n = s->ring_n;
	s->board->hold(false);
	return n;
}

uint32_t sampler_take_lost(struct sampler *s)
{
	uint32_t lost;

	s->board->hold(true);
	lost = s->ring_lost;
	s->ring_lost = 0;
	s->board->hold(false);
	return lost;
}

int sampler_operate(struct sampler *s, unsigned channel, bool on)
{
	int code = SAMPLER_LATCHED;

	s->board->hold(true);
	if (!on || !s->channels[channel].tripped)
		code = adm1272_operate(s->board, address_of(channel), on);
	s->board->hold(false);
	return code;
}

int sampler_is_operating(struct sampler *s, unsigned channel, bool *on)
{
	int code;

	s->board->hold(true);
	code = adm1272_is_operating(s->board, address_of(channel), on);
	s->board->hold(false);
	return code;
}

bool sampler_is_tripped(struct sampler *s, unsigned channel)
{
	bool tripped;

	s->board->hold(true);
	tripped = s->channels[channel].tripped;
	s->board->hold(false);
	return tripped;
}

void sampler_clear_trip(struct sampler *s, unsigned channel)
{
	s->board->hold(true);
	s->channels[channel].tripped = false;
	s->channels[channel].over = 0;
	s->board->hold(false);
}

int sampler_take_trip(struct sampler *s)
{
	int channel = -1;

	s->board->hold(true);
	for (int i = 0; i < PROBE_CHANNELS && channel < 0; i++) {
		if (s->channels[i].tripped && !s->channels[i].trip_told) {
			s->channels[i].trip_told = true;
			channel = i;
		}
	}
	s->board->hold(false);
	return channel;
}
