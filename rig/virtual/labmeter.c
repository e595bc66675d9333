/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "labmeter.h"

#include <time.h>

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The moment that a reading of now is of. */
static int64_t seen_ns(const struct labmeter *m)
{
	int64_t now_ns = clock_ns();

	return now_ns - m->virt->lag_ns -
	       (int64_t)(m->virt->drift * (double)(now_ns - m->start_ns));
}

/* The instrument stands upstream of the slots' switches: its voltage is there in any case. */
static double reading(unsigned channel, enum scpi_quantity quantity, void *context)
{
	struct labmeter *m = context;
	double watts = 0.0;

	if (quantity == SCPI_VOLTAGE)
		return m->virt->voltage_v;
	for (size_t i = 0; i < m->virt->slots_n; i++) {
		if (m->virt->slots[i].channel == channel)
			watts = physics_read_w(m->physics, m->virt->slots[i].device, seen_ns(m));
	}
	return quantity == SCPI_CURRENT ? watts / m->virt->voltage_v : watts;
}

static double drawn(unsigned device, int64_t t_ns, bool noisy, void *context)
{
	struct labmeter *m = context;

	return noisy ? physics_read_w(m->physics, device, t_ns)
		     : physics_power_w(m->physics, device, t_ns);
}

int labmeter_start(struct labmeter *m, const struct lab_virtual *virt, struct physics *physics,
		   const char *data_dir, struct err *err)
{
	*m = (struct labmeter){.virt = virt, .physics = physics, .start_ns = clock_ns()};
	if (virt->instrument == LAB_INSTRUMENT_PROBE)
		return emuprobe_new(virt, data_dir, drawn, m, &m->probe, err);
	return instrument_new(reading, m, &m->instrument, err);
}

void labmeter_stop(struct labmeter *m)
{
	instrument_free(m->instrument);
	emuprobe_free(m->probe);
	m->instrument = NULL;
	m->probe = NULL;
}

uint16_t labmeter_port(const struct labmeter *m)
{
	return m->probe ? emuprobe_tcp_port(m->probe) : instrument_port(m->instrument);
}

void labmeter_set_faults(struct labmeter *m, bool dead, bool unplugged)
{
	if (m->probe) {
		emuprobe_set_faults(m->probe, dead, unplugged);
		return;
	}
	instrument_set_dead(m->instrument, dead);
	instrument_set_unplugged(m->instrument, unplugged);
}

int labmeter_update(struct labmeter *m)
{
	return m->probe ? emuprobe_update(m->probe, clock_ns()) : -1;
}

void labmeter_pollfds(const struct labmeter *m, struct pollfd fds[static LABMETER_POLLFDS])
{
	for (int i = 0; i < LABMETER_POLLFDS; i++)
		fds[i] = (struct pollfd){.fd = -1};
	if (m->probe)
		emuprobe_pollfds(m->probe, fds);
	else
		instrument_pollfds(m->instrument, fds);
}

void labmeter_handle(struct labmeter *m, const struct pollfd fds[static LABMETER_POLLFDS])
{
	if (m->probe)
		emuprobe_handle(m->probe, fds, clock_ns());
	else
		instrument_handle(m->instrument, fds);
}
