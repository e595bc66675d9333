/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lab as data: targets, meters and how they are wired. Loaded from YAML by io/labfile.h, which
 * checks everything that this header promises; freed by lab_free(). Strings are never NULL unless
 * said so.
 */
#ifndef COLDRIG_LAB_H
#define COLDRIG_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bdf.h"
#include "err.h"
#include "lab_fault.h"
#include "lab_line.h"

/* How far a meter's word may be off: the larger the reading, the larger the first part. */
struct lab_accuracy {
	double gain;	 /* of the reading, 0.001 is 0.1 % */
	double offset_w; /* whatever the reading */
};

/* The same of another quantity, in its unit. */
struct lab_term {
	bool present;
	double gain, offset;
};

/* Of single readings of a meter, 95 %, from its data sheet; only what its rails need is there. */
struct lab_meter_accuracy {
	bool has_power;
	struct lab_accuracy power;
	struct lab_term voltage, current;
};

struct lab_meter {
	char *name;
	char *spec; /* libsigrok's own form: driver[:conn=...]; {port} stands for the virtual
			       instrument's TCP port */
	size_t spec_line, spec_column; /* of the file, for messages */
	double rate_hz;	  /* readings a second over all channels of the meter that are used */
	int64_t start_ns; /* how long it may take until it is ready; 0: not said */
	struct lab_meter_accuracy accuracy;
};

/* What a rail takes from a channel of a meter. */
enum lab_feed_kind { LAB_FEED_POWER, LAB_FEED_VOLTAGE, LAB_FEED_CURRENT, LAB_FEED_COUNT };

struct lab_feed {
	size_t meter;	     /* index into lab.meters */
	char *channel;	     /* by its sigrok name; NULL: this rail takes no such thing */
	size_t line, column; /* of the file, for messages */
};

/* A supply of a device: a channel that delivers watts, or one of volts and one of amperes, whose
 * product it is; times a factor. */
struct lab_rail {
	char *name;
	struct lab_feed feeds[LAB_FEED_COUNT];
	double factor; /* sign and scale, not 0 */
};

struct lab_device {
	char bdf[BDF_TEXT_SIZE];
	char *model;
	struct lab_rail *rails; /* their sum is the device's power; may be none: then unmeasured */
	size_t rails_n;
};

struct lab_target {
	char *name;
	char *transport; /* "virtual", "exec:COMMAND", "unix:PATH", "tcp:HOST:PORT", "serial:PATH" */
	struct lab_device *devices; /* at least one, no BDF twice */
	size_t devices_n;
	char *console; /* as a transport; NULL: none, or the virtual target's own */
	size_t console_line, console_column; /* of the file, for messages */
	char *console_break; /* what stands for a break on that line; NULL: a serial line's own */
	struct lab_line lines[LAB_ROLE_COUNT]; /* LAB_LINE_NONE: not wired */
};

/* The virtual lab's physics: what a slot draws in each state of the emulated hardware. */
enum lab_card { LAB_CARD_GPU, LAB_CARD_NIC, LAB_CARD_NVME, LAB_CARD_COUNT };

struct lab_power {
	double busy_w;	       /* D0, working */
	double idle_w;	       /* D0, not working */
	double d3hot_w;	       /* rail on, D3hot written to every function */
	double off_w;	       /* rail off; leakage, normally 0 */
	double noise_w;	       /* standard deviation of a reading */
	double inrush_w;       /* on top of the state's watts when the rail switches on */
	int64_t inrush_tau_ns; /* the inrush decays with this time constant */
};

struct lab_slot {
	unsigned device; /* root port's device number, 5 to 8, no number twice */
	enum lab_card card;
	unsigned channel; /* of the virtual instrument, 1 to 3, no channel twice */
	struct lab_power power;
	double sense_ohm; /* the probe's resistor in its supply; 0 where the instrument is another */
};

/* What measures the slots. */
enum lab_instrument {
	LAB_INSTRUMENT_DP832, /* computed: answers as a DP832, exactly */
	LAB_INSTRUMENT_PROBE, /* the slot power probe's firmware in an emulated board */
	LAB_INSTRUMENT_COUNT
};

/* The emulated probe's chips see no more across their sense resistors, nor across a slot. */
#define LAB_SENSE_MAX_V 0.0196
#define LAB_PROBE_MAX_V 65.0

struct lab_virtual {
	bool present;
	enum lab_instrument instrument;
	unsigned memory_mib;
	unsigned cpus;
	bool kvm;	  /* TCG otherwise */
	double voltage_v; /* what the instrument reports as the rails' voltage */
	uint64_t seed;	  /* of the noise */
	int64_t lag_ns;	  /* a reading is of so long ago */
	double drift;	  /* and of more, by this part of the time since power-on */
	struct lab_slot *slots;
	size_t slots_n;
	struct lab_fault *faults;
	size_t faults_n;
};

#define LAB_METERS_MAX 64

struct lab {
	char *name;
	char *path; /* of the file it came from */
	char *text; /* the file's text, kept with each run */
	struct lab_meter *meters;
	size_t meters_n;	    /* at most LAB_METERS_MAX */
	struct lab_target *targets; /* exactly one is used by a run */
	size_t targets_n;
	struct lab_virtual virt; /* present if a target's transport is "virtual" */
};

const char *lab_feed_key(enum lab_feed_kind kind);  /* in a lab file: "channel", "voltage", ... */
const char *lab_feed_unit(enum lab_feed_kind kind); /* "W", "V", "A" */
const char *lab_card_name(enum lab_card card);	    /* "gpu", "nic", "nvme" */
int lab_card_parse(const char *name, enum lab_card *out); /* -EINVAL */

const char *lab_instrument_name(enum lab_instrument instrument); /* "dp832", "probe" */

const struct lab_target *lab_find_target(const struct lab *lab, const char *name);
const struct lab_device *lab_find_device(const struct lab_target *target, const char *bdf);

void lab_free(struct lab *lab);

#endif
