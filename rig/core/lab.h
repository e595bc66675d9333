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
	double rate_hz; /* readings a second over all channels of the meter that are used */
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
};

enum lab_fault_kind {
	LAB_FAULT_RAIL_STUCK_ON,  /* ACPI switches the rail off, it stays on: the planted lie */
	LAB_FAULT_RAIL_CUT_EARLY, /* the rail drops as soon as the device is in D3hot */
	LAB_FAULT_METER_DEAD,	  /* the instrument stops answering */
	LAB_FAULT_TARGET_HANG,	  /* the emulated machine stops, in that one cycle */
	LAB_FAULT_TARGET_PANIC,	  /* its kernel panics, in that one cycle */
	LAB_FAULT_TOUCH_WHILE_OFF, /* once a cycle somebody touches the device while its rail is off */
	LAB_FAULT_COUNT
};

struct lab_fault {
	enum lab_fault_kind kind;
	unsigned slot;	     /* device number as in struct lab_slot; 0 where the kind has no slot */
	unsigned from_cycle; /* counted over an arm from 1, in the order run; 0: from power-on */
};

struct lab_virtual {
	bool present;
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

const char *lab_feed_key(enum lab_feed_kind kind);    /* in a lab file: "channel", "voltage", ... */
const char *lab_feed_unit(enum lab_feed_kind kind);   /* "W", "V", "A" */
const char *lab_card_name(enum lab_card card);	      /* "gpu", "nic", "nvme" */
const char *lab_fault_name(enum lab_fault_kind kind); /* "rail-stuck-on", ... */
int lab_card_parse(const char *name, enum lab_card *out); /* -EINVAL */
int lab_fault_parse(const char *name, enum lab_fault_kind *out);

const struct lab_target *lab_find_target(const struct lab *lab, const char *name);
const struct lab_device *lab_find_device(const struct lab_target *target, const char *bdf);

void lab_free(struct lab *lab);

#endif
