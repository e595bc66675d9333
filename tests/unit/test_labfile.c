/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <unistd.h>

#include "labfile.h"
#include "test_yaml_edit.h"
#include "unit.h"

static const char good[] =
	"lab: l\n"						       /* 1 */
	"meters:\n"						       /* 2 */
	"  - name: m1\n"					       /* 3 */
	"    spec: \"scpi-pps:conn=tcp-raw/127.0.0.1/{port}\"\n"       /* 4 */
	"    rate: 450 Hz\n"					       /* 5 */
	"    accuracy: {gain: 0.05 %, offset: 2 mW}\n"		       /* 6 */
	"  - name: m2\n"					       /* 7 */
	"    spec: \"fake:x=1\"\n"				       /* 8 */
	"    rate: 2.5 Hz\n"					       /* 9 */
	"    accuracy: {gain: 1 %, offset: 0 W}\n"		       /* 10 */
	"targets:\n"						       /* 11 */
	"  - name: vt\n"					       /* 12 */
	"    transport: virtual\n"				       /* 13 */
	"    devices:\n"					       /* 14 */
	"      - bdf: \"0000:0A:00.0\"\n"			       /* 15 */
	"        model: GPU\n"					       /* 16 */
	"        rails:\n"					       /* 17 */
	"          - {name: r1, meter: m2, channel: P1}\n"	       /* 18 */
	"          - {name: r2, meter: m1, channel: P1, factor: -2}\n" /* 19 */
	"      - bdf: \"0000:0b:00.1\"\n"			       /* 20 */
	"        model: NIC\n"					       /* 21 */
	"  - name: box\n"					       /* 22 */
	"    transport: \"exec:ssh box\"\n"			       /* 23 */
	"    devices:\n"					       /* 24 */
	"      - {bdf: \"0000:01:00.0\", model: x}\n"		       /* 25 */
	"virtual:\n"						       /* 26 */
	"  memory: 2 GiB\n"					       /* 27 */
	"  cpus: 4\n"						       /* 28 */
	"  kvm: true\n"						       /* 29 */
	"  voltage: 3300 mV\n"					       /* 30 */
	"  seed: 18446744073709551615\n"			       /* 31 */
	"  slots:\n"						       /* 32 */
	"    - slot: 5\n"					       /* 33 */
	"      card: nvme\n"					       /* 34 */
	"      channel: 3\n"					       /* 35 */
	"      power: {busy: 70 W, idle: 8.2 W, d3hot: 6 W, off: 1 mW, noise: 30 mW,\n"
	"              inrush: 66 W, inrush_tau: 4.4 ms}\n"	 /* 37 */
	"    - slot: 8\n"					 /* 38 */
	"      card: gpu\n"					 /* 39 */
	"      channel: 1\n"					 /* 40 */
	"      power: {busy: 2 W, idle: 1 W, d3hot: 500 mW}\n"	 /* 41 */
	"  faults:\n"						 /* 42 */
	"    - {fault: rail-stuck-on, slot: 8, from_cycle: 3}\n" /* 43 */
	"    - {fault: meter-dead}\n";				 /* 44 */

static struct lab *load_good(void)
{
	struct err err = {""};
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL(labfile_parse("dir/l.yaml", good, &lab, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	return lab;
}

static void same(double a, double b)
{
	CU_ASSERT_DOUBLE_EQUAL(a, b, 1e-12);
}

static void meters_and_targets_arrive_field_by_field(void)
{
	struct lab *lab = load_good();
	const struct lab_device *device;

	CU_ASSERT_STRING_EQUAL(lab->name, "l");
	CU_ASSERT_STRING_EQUAL(lab->path, "dir/l.yaml");
	CU_ASSERT_STRING_EQUAL(lab->text, good);
	CU_ASSERT_EQUAL_FATAL(lab->meters_n, 2);
	CU_ASSERT_STRING_EQUAL(lab->meters[0].spec, "scpi-pps:conn=tcp-raw/127.0.0.1/{port}");
	same(lab->meters[0].rate_hz, 450);
	same(lab->meters[0].accuracy.power.gain, 0.0005);
	same(lab->meters[0].accuracy.power.offset_w, 0.002);
	CU_ASSERT_STRING_EQUAL(lab->meters[1].name, "m2");
	same(lab->meters[1].rate_hz, 2.5);

	CU_ASSERT_EQUAL_FATAL(lab->targets_n, 2);
	CU_ASSERT_STRING_EQUAL(lab->targets[0].transport, "virtual");
	CU_ASSERT_STRING_EQUAL(lab->targets[1].transport, "exec:ssh box");
	CU_ASSERT_PTR_EQUAL(lab_find_target(lab, "box"), &lab->targets[1]);
	CU_ASSERT_PTR_NULL(lab_find_target(lab, "bo"));
	CU_ASSERT_EQUAL(lab->targets[0].devices_n, 2);
	device = lab_find_device(&lab->targets[0], "0000:0a:00.0");
	CU_ASSERT_PTR_NOT_NULL_FATAL(device);
	CU_ASSERT_STRING_EQUAL(device->model, "GPU");
	CU_ASSERT_EQUAL_FATAL(device->rails_n, 2);
	CU_ASSERT_EQUAL(device->rails[0].feeds[LAB_FEED_POWER].meter, 1);
	same(device->rails[0].factor, 1);
	CU_ASSERT_STRING_EQUAL(device->rails[1].name, "r2");
	CU_ASSERT_STRING_EQUAL(device->rails[1].feeds[LAB_FEED_POWER].channel, "P1");
	CU_ASSERT_EQUAL(device->rails[1].feeds[LAB_FEED_POWER].meter, 0);
	same(device->rails[1].factor, -2);
	CU_ASSERT_EQUAL(lab->targets[0].devices[1].rails_n, 0);
	CU_ASSERT_PTR_NULL(lab_find_device(&lab->targets[0], "0000:01:00.0"));
	lab_free(lab);
	lab_free(NULL);
}

static void the_virtual_part_arrives_field_by_field(void)
{
	struct lab *lab = load_good();
	const struct lab_virtual *virt = &lab->virt;

	CU_ASSERT(virt->present);
	CU_ASSERT(virt->kvm);
	CU_ASSERT_EQUAL(virt->memory_mib, 2048);
	CU_ASSERT_EQUAL(virt->cpus, 4);
	same(virt->voltage_v, 3.3);
	CU_ASSERT_EQUAL(virt->seed, UINT64_MAX);
	CU_ASSERT_EQUAL_FATAL(virt->slots_n, 2);
	CU_ASSERT_EQUAL(virt->slots[0].device, 5);
	CU_ASSERT_EQUAL(virt->slots[0].card, LAB_CARD_NVME);
	CU_ASSERT_EQUAL(virt->slots[0].channel, 3);
	same(virt->slots[0].power.busy_w, 70);
	same(virt->slots[0].power.idle_w, 8.2);
	same(virt->slots[0].power.d3hot_w, 6);
	same(virt->slots[0].power.off_w, 0.001);
	same(virt->slots[0].power.noise_w, 0.03);
	same(virt->slots[0].power.inrush_w, 66);
	CU_ASSERT_EQUAL(virt->slots[0].power.inrush_tau_ns, 4400000);
	same(virt->slots[1].power.off_w, 0);
	same(virt->slots[1].power.inrush_w, 0);
	CU_ASSERT_EQUAL(virt->slots[1].power.inrush_tau_ns, 1000000);
	CU_ASSERT_EQUAL_FATAL(virt->faults_n, 2);
	CU_ASSERT_EQUAL(virt->faults[0].kind, LAB_FAULT_RAIL_STUCK_ON);
	CU_ASSERT_EQUAL(virt->faults[0].slot, 8);
	CU_ASSERT_EQUAL(virt->faults[0].from_cycle, 3);
	CU_ASSERT_EQUAL(virt->faults[1].kind, LAB_FAULT_METER_DEAD);
	CU_ASSERT_EQUAL(virt->faults[1].slot, 0);
	CU_ASSERT_EQUAL(virt->faults[1].from_cycle, 1);
	lab_free(lab);
}

/* The good lab, measured by a probe. */
static char *probe_text(void)
{
	char *a = edit_text(good, "  seed:", "  instrument: probe\n  seed:");
	char *b = edit_text(a, "      channel: 3\n", "      channel: 3\n      sense: 900 uOhm\n");
	char *c = edit_text(b, "      channel: 1\n", "      channel: 1\n      sense: 0.03 Ohm\n");

	free(a);
	free(b);
	return c;
}

static void a_probe_comes_with_its_sense_resistors(void)
{
	char *text = probe_text();
	struct lab *lab = load_good();

	CU_ASSERT_EQUAL(lab->virt.instrument, LAB_INSTRUMENT_DP832);
	lab_free(lab);
	CU_ASSERT_EQUAL_FATAL(labfile_parse("l", text, &lab, NULL), 0);
	CU_ASSERT_EQUAL(lab->virt.instrument, LAB_INSTRUMENT_PROBE);
	same(lab->virt.slots[0].sense_ohm, 900e-6);
	same(lab->virt.slots[1].sense_ohm, 0.03);
	lab_free(lab);
	free(text);
}

static void a_probe_that_cannot_measure_is_refused(void)
{
	static const struct {
		const char *old, *new, *why;
	} rows[] = {
		{"      sense: 900 uOhm\n", "",
		 "l:34:7: missing key \"sense\" in a slot that a probe measures"},
		{"900 uOhm", "1 mOhm",
		 "l:37:14: sense: \"1 mOhm\": busy drops 21.2 mV across it, and the probe's range "
		 "ends at 19.6 mV"},
		{"900 uOhm", "0 Ohm",
		 "l:37:14: sense: \"0 Ohm\": a resistance must be more than 0"},
		{"900 uOhm", "900",
		 "l:37:14: sense: \"900\": a resistance needs a unit: uOhm, mOhm"},
		{"3300 mV", "66 V", "l:30:12: voltage: \"66 V\": the probe's range ends at 65 V"},
		{"instrument: probe", "instrument: dp832",
		 "l:37:14: sense: \"900 uOhm\": the lab's instrument is no probe"},
		{"instrument: probe", "instrument: prob",
		 "l:31:15: instrument: \"prob\": no such word"},
	};
	char *text = probe_text();

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		char *edited = edit_text(text, rows[i].old, rows[i].new);
		struct err err = {""};
		struct lab *lab = NULL;

		CU_ASSERT_EQUAL(labfile_parse("l", edited, &lab, &err), -EINVAL);
		if (!strstr(err.text, rows[i].why))
			fprintf(stderr, "%s\n", err.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].why));
		free(edited);
	}
	free(text);
}

static void defaults_of_the_virtual_part_are_those_of_the_docs(void)
{
	char *text = edit_text(good,
			       "  memory: 2 GiB\n  cpus: 4\n  kvm: true\n"
			       "  voltage: 3300 mV\n  seed: 18446744073709551615\n",
			       "");
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL_FATAL(labfile_parse("l", text, &lab, NULL), 0);
	CU_ASSERT_EQUAL(lab->virt.memory_mib, 1024);
	CU_ASSERT_EQUAL(lab->virt.cpus, 2);
	CU_ASSERT(!lab->virt.kvm);
	same(lab->virt.voltage_v, 12);
	CU_ASSERT_EQUAL(lab->virt.seed, 1);
	CU_ASSERT_EQUAL(lab->virt.lag_ns, 0);
	CU_ASSERT_DOUBLE_EQUAL(lab->virt.drift, 0, 0);
	lab_free(lab);
	free(text);
}

static const struct edit edits[] = {
	{"lab: l\n", "", "l.yaml:1:1: missing key \"lab\" in a lab"},
	{"lab: l\n", "lab:\n", "l.yaml:1:1: lab: a value is missing"},
	{"lab: l\n", "lab: ../l\n", "l.yaml:1:6: lab: \"../l\": a name has only letters"},
	{"lab: l\n", "lab: -l\n", "l.yaml:1:6: lab: \"-l\": a name has only letters"},
	{"lab: l\n", "lab: [l]\n", "l.yaml:1:6: lab: one value belongs here, not a list"},
	{"lab: l\n", "lab: a12345678901234567890123456789012345678901234567890123456789012345\n",
	 "a name has at most 64 characters"},
	{"meters:", "meter:",
	 "l.yaml:2:1: unknown key \"meter\" in a lab; did you mean \"meters\"? "
	 "known: lab, meters, targets, virtual"},
	{"meters:\n", "meters: all\nxs:\n", "l.yaml:3:1: unknown key \"xs\" in a lab; known: lab"},
	{"name: m2", "name: m1", "l.yaml:7:11: name: \"m1\": given twice, first in line 3"},
	{"name: m2", "name: M1", "l.yaml:7:11: name: \"M1\": given twice, first in line 3"},
	{"name: m2", "name: m 2", "l.yaml:7:11: name: \"m 2\": a name has only"},
	{"name: m2", "nam: m2",
	 "l.yaml:7:5: unknown key \"nam\" in a meter; did you mean \"name\"?"},
	{"    rate: 2.5 Hz\n", "", "l.yaml:7:5: missing key \"rate\" in a meter"},
	{"2.5 Hz", "2.5", "l.yaml:9:11: rate: \"2.5\": a rate needs a unit: mHz, Hz, kHz, MHz"},
	{"2.5 Hz", "0 Hz", "l.yaml:9:11: rate: \"0 Hz\": a rate must be more than 0"},
	{"2.5 Hz", "-1 Hz", "l.yaml:9:11: rate: \"-1 Hz\": a rate must be more than 0"},
	{"2.5 Hz", "nan Hz", "l.yaml:9:11: rate: \"nan Hz\": a rate is a number and a unit"},
	{"\"fake:x=1\"", "\"\"", "l.yaml:8:5: spec: a value is missing"},
	{"\"fake:x=1\"", "\":x\"", "l.yaml:8:11: spec: \":x\": "},
	{"\"fake:x=1\"", "\"a\\nb\"", "l.yaml:8:11: spec: \"a?b\": control characters"},
	{"gain: 1 %", "gain: 1", "l.yaml:10:22: gain: \"1\": a percentage needs a unit: %"},
	{"gain: 1 %", "gain: -1 %", "l.yaml:10:22: gain: \"-1 %\": a percentage must be 0 or more"},
	{"gain: 1 %, ", "", "l.yaml:10:15: missing key \"gain\" in an accuracy"},
	{"{gain: 1 %, offset: 0 W}", "1 %",
	 "l.yaml:10:15: accuracy: \"1 %\": an accuracy is a "
	 "mapping of keys to values"},
	{"name: box", "name: vt", "l.yaml:22:11: name: \"vt\": given twice, first in line 12"},
	{"\"exec:ssh box\"", "\"ssh box\"",
	 "l.yaml:23:16: transport: \"ssh box\": no such "
	 "transport; known: virtual, exec:COMMAND"},
	{"\"exec:ssh box\"", "\"exec: \"", "l.yaml:23:16: transport: \"exec: \": something must"},
	{"\"exec:ssh box\"", "\"tcp:box\"",
	 "l.yaml:23:16: transport: \"tcp:box\": must be tcp:HOST"},
	{"\"exec:ssh box\"", "\"tcp:b:65536\"",
	 "l.yaml:23:16: transport: \"tcp:b:65536\": must be"},
	{"\"exec:ssh box\"", "virtual",
	 "l.yaml:23:16: transport: \"virtual\": only one target can "
	 "be, and there is one in line 13"},
	{"transport: virtual", "transport: \"exec:x\"",
	 "l.yaml:26:1: virtual: no target has the "
	 "transport \"virtual\""},
	{"virtual:\n  mem", "virtuaal:\n  mem", "l.yaml:26:1: unknown key \"virtuaal\""},
	{"0000:0A:00.0", "0000:0A:0.0", "l.yaml:15:14: bdf: \"0000:0A:0.0\": not a PCI function"},
	{"0000:0A:00.0", "0000:0A:20.0", "l.yaml:15:14: bdf: \"0000:0A:20.0\": not a PCI function"},
	{"0000:0b:00.1", "0000:0a:00.0",
	 "l.yaml:20:14: bdf: \"0000:0a:00.0\": given twice, first "
	 "in line 15"},
	{"        model: GPU\n", "", "l.yaml:15:9: missing key \"model\" in a device"},
	{"meter: m2", "meter: m3",
	 "l.yaml:18:31: meter: \"m3\": no such meter in this lab; did you "
	 "mean \"m1\"? known: m1, m2"},
	{"meter: m2", "meter: m1",
	 "l.yaml:19:44: channel: \"P1\": given twice for this device, "
	 "first for rail r1"},
	{"meter: m2, channel: P1", "meter: m2",
	 "l.yaml:18:13: a rail has either a \"channel\" of watts, or a \"voltage\" and a "
	 "\"current\""},
	{"meter: m2, channel: P1", "meter: m2, voltage: V1", "l.yaml:18:13: a rail has either"},
	{"meter: m2, channel: P1", "meter: m2, current: I1", "l.yaml:18:13: a rail has either"},
	{"meter: m2, channel: P1", "meter: m2, channel: P1, voltage: V1, current: I1",
	 "l.yaml:18:13: a rail has either"},
	{"meter: m2, channel: P1", "meter: m2, channel: P1, current_meter: m1",
	 "l.yaml:18:63: current_meter: \"m1\": is only for a rail with a current"},
	{"meter: m2, channel: P1", "meter: m2, voltage: V1, current: I1",
	 "l.yaml:18:44: voltage: \"V1\": the accuracy of meter m2 must have voltage: "
	 "{gain, offset}"},
	{"{gain: 1 %, offset: 0 W}", "{voltage: {gain: 1 %, offset: 0 V}}",
	 "l.yaml:18:44: channel: \"P1\": the accuracy of meter m2 must have gain and offset"},
	{"{gain: 1 %, offset: 0 W}", "{gain: 1 %}",
	 "l.yaml:10:15: missing key \"offset\" in an accuracy"},
	{"{gain: 1 %, offset: 0 W}", "{}", "l.yaml:10:15: an accuracy has gain and offset, or"},
	{"{gain: 1 %, offset: 0 W}", "{voltage: {gain: 1 %, offset: 1 A}}",
	 "l.yaml:10:45: offset: \"1 A\": \"A\" is no unit of a voltage"},
	{"name: r2", "name: r1", "l.yaml:19:20: name: \"r1\": given twice"},
	{"factor: -2", "factor: 0", "l.yaml:19:56: factor: \"0\": must not be 0"},
	{"factor: -2", "factor: 0x2", "l.yaml:19:56: factor: \"0x2\": not a number"},
	{"factor: -2", "factor: 1e999", "l.yaml:19:56: factor: \"1e999\": too large"},
	{"      - {bdf: \"0000:01:00.0\", model: x}\n", "      []\n",
	 "l.yaml:25:7: devices: must have 1 to 256 entries, not 0"},
	{"      - {bdf: \"0000:01:00.0\", model: x}\n", "",
	 "l.yaml:24:5: devices: a value is missing"},
	{"      - {bdf: \"0000:01:00.0\", model: x}\n", "      a: b\n",
	 "l.yaml:25:7: devices: must be a list"},
	{"      - {bdf: \"0000:01:00.0\", model: x}\n", "      - x\n",
	 "l.yaml:25:9: \"x\": a device is a mapping of keys to values"},
	{"2 GiB", "2 GB",
	 "l.yaml:27:11: memory: \"2 GB\": \"GB\" is no unit of an amount of memory"},
	{"2 GiB", "64 MiB", "l.yaml:27:11: memory: \"64 MiB\": must be 256 to 65536 MiB"},
	{"cpus: 4", "cpus: 0", "l.yaml:28:9: cpus: \"0\": must be 1 to 16"},
	{"cpus: 4", "cpus: -4", "l.yaml:28:9: cpus: \"-4\": not a whole number"},
	{"cpus: 4", "cpus: 4.5", "l.yaml:28:9: cpus: \"4.5\": not a whole number"},
	{"cpus: 4", "cpus: 4294967298", "l.yaml:28:9: cpus: \"4294967298\": must be 1 to 16"},
	{"kvm: true", "kvm: yes", "l.yaml:29:8: kvm: \"yes\": must be true or false"},
	{"3300 mV", "3300 mW",
	 "l.yaml:30:12: voltage: \"3300 mW\": \"mW\" is no unit of a voltage"},
	{"18446744073709551615", "18446744073709551616", "l.yaml:31:9: seed: "},
	{"slot: 5", "slot: 4", "l.yaml:33:13: slot: \"4\": must be 5 to 8"},
	{"slot: 5", "slot: 8", "l.yaml:38:13: slot: \"8\": given twice, first in line 33"},
	{"card: nvme", "card: nvm",
	 "l.yaml:34:13: card: \"nvm\": no such word; did you mean "
	 "\"nvme\"? known: gpu, nic, nvme"},
	{"channel: 3", "channel: 4", "l.yaml:35:16: channel: \"4\": must be 1 to 3"},
	{"channel: 3", "channel: 1", "l.yaml:40:16: channel: \"1\": given twice, first in line 35"},
	{"busy: 2 W", "busy: 0 W", "l.yaml:41:21: busy: \"0 W\": a power must be more than 0"},
	{"d3hot: 500 mW", "d3hot: -1 mW", "d3hot: \"-1 mW\": a power must be 0 or more"},
	{"inrush_tau: 4.4 ms", "inrush_tau: 0.4 ns",
	 "l.yaml:37:41: inrush_tau: \"0.4 ns\": a "
	 "duration must be more than 0"},
	{"inrush_tau: 4.4 ms", "inrush_tau: 4.4 W", "\"W\" is no unit of a duration: ns, us, ms"},
	{"fault: rail-stuck-on", "fault: rail-stuck",
	 "l.yaml:43:15: fault: \"rail-stuck\": no such "
	 "word"},
	{"slot: 8, from", "slot: 6, from", "l.yaml:43:36: slot: \"6\": no such slot in this lab"},
	{"slot: 8, from", "slot: 9, from", "l.yaml:43:36: slot: \"9\": must be 5 to 8"},
	{"slot: 8, from", "from",
	 "l.yaml:43:7: missing key \"slot\" in a fault of kind "
	 "rail-stuck-on"},
	{"{fault: meter-dead}", "{fault: meter-dead, slot: 5}",
	 "l.yaml:44:33: slot: \"5\": meter-dead is of no one slot"},
	{"{fault: meter-dead}", "{fault: rail-stuck-on, slot: 8}",
	 "l.yaml:44:15: fault: \"rail-stuck-on\": given twice, first in line 43"},
	{"{fault: meter-dead}", "{fault: target-panic, from_cycle: 0}",
	 "l.yaml:44:41: from_cycle: \"0\": no kernel runs yet to which this could happen"},
	{"{fault: meter-dead}", "{fault: soft-lockup, from_cycle: 0}",
	 "l.yaml:44:40: from_cycle: \"0\": no kernel runs yet to which this could happen"},
	{"{fault: meter-dead}", "{fault: wake-fails}",
	 "l.yaml:44:7: missing key \"slot\" in a fault of kind wake-fails"},
	{"{fault: meter-dead}", "{fault: target-panic, cycles: 3, every: 3}",
	 "every: \"3\": must be more than the cycles that it lasts"},
	{"{fault: meter-dead}", "{fault: target-panic, lasts: 3 s}",
	 "lasts: \"3 s\": target-panic lasts for whole cycles"},
	{"{fault: meter-dead}", "{fault: meter-dead, from_cycle: -1}",
	 "l.yaml:44:39: from_cycle: \"-1\": not a whole number"},
};

static void bad_labs_say_where_and_why(void)
{
	for (size_t i = 0; i < UNIT_COUNT(edits); i++) {
		char *text = edit_text(good, edits[i].from, edits[i].to);
		struct lab *lab = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(labfile_parse("l.yaml", text, &lab, &err), -EINVAL);
		CU_ASSERT_PTR_NULL(lab);
		edit_check_error(&edits[i], &err);
		free(text);
	}
}

static void a_virtual_target_needs_the_virtual_part(void)
{
	struct err err = {""};
	struct lab *lab = NULL;
	char *text = edit_text(good, "virtual:\n", "#virtual:\n");

	/* What was below it goes too. */
	strstr(text, "#virtual")[0] = '\0';
	CU_ASSERT_EQUAL(labfile_parse("l.yaml", text, &lab, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err.text, "l.yaml:4:11: spec: \"scpi-pps:conn=tcp-raw/127.0.0.1/"
					 "{port}\": {port} is the virtual instrument's, and the "
					 "lab has no key \"virtual\"");
	memcpy(strstr(text, "{port}"), "123456", 6);
	CU_ASSERT_EQUAL(labfile_parse("l.yaml", text, &lab, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err.text, "l.yaml:13:16: transport: \"virtual\": the lab has no key "
					 "\"virtual\" to say what this is");
	free(text);
}

static void files_that_cannot_be_read_say_so(void)
{
	char path[] = "/tmp/coldrig-test-XXXXXX";
	struct err err = {""};
	struct lab *lab = NULL;
	int fd;

	CU_ASSERT_EQUAL(labfile_load("/nonexistent/l.yaml", &lab, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "/nonexistent/l.yaml: cannot be opened: No such file or directory");
	CU_ASSERT_EQUAL(labfile_load("/", &lab, &err), -EISDIR);
	CU_ASSERT_STRING_EQUAL(err.text, "/: cannot be read: Is a directory");
	CU_ASSERT_EQUAL(labfile_load("/dev/zero", &lab, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err.text, "/dev/zero: larger than 1048576 bytes");

	fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "lab: l\nx: \0\n", 12), 12);
	close(fd);
	CU_ASSERT_EQUAL(labfile_load(path, &lab, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, ":2:4: a NUL character"));
	unlink(path);
	CU_ASSERT_PTR_NULL(lab);
}

static void check_loads(const char *path)
{
	struct err err = {""};
	struct lab *lab = NULL;

	CU_ASSERT_EQUAL(labfile_load(path, &lab, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	lab_free(lab);
}

static void labs_of_the_repository_load(void)
{
	check_loads(COLDRIG_SOURCE_DIR "/labs/virtual.yaml");
	check_loads(COLDRIG_SOURCE_DIR "/labs/virtual-probe.yaml");
	check_loads(COLDRIG_SOURCE_DIR "/labs/example-ssh.yaml");
}

static int load_examples(const char *path)
{
	char *page = edit_read(path), *block;
	const char *rest = page;
	int n = 0;

	while ((block = edit_next_block(&rest))) {
		struct err err = {""};
		struct lab *lab = NULL;

		CU_ASSERT_EQUAL(labfile_parse(path, block, &lab, &err), 0);
		CU_ASSERT_STRING_EQUAL(err.text, "");
		lab_free(lab);
		free(block);
		n++;
	}
	free(page);
	return n;
}

static void examples_of_the_docs_load(void)
{
	CU_ASSERT(load_examples(COLDRIG_SOURCE_DIR "/docs/lab.md") >= 3);
	CU_ASSERT(load_examples(COLDRIG_SOURCE_DIR "/docs/lines.md") >= 2);
}

static void damaged_labs_do_no_harm(void)
{
	char *file = edit_read(COLDRIG_SOURCE_DIR "/labs/virtual.yaml");
	uint32_t state = 1;

	for (int i = 0; i < 3000; i++) {
		char *text = strdup(i % 2 ? file : good);
		struct err err = {""};
		struct lab *lab = NULL;
		int ret;

		edit_damage(text, &state);
		ret = labfile_parse("l.yaml", text, &lab, &err);
		CU_ASSERT(ret == 0 || (ret == -EINVAL && strncmp(err.text, "l.yaml:", 7) == 0));
		lab_free(lab);
		free(text);
	}
	free(file);
}

static void names_of_cards_and_faults_go_both_ways(void)
{
	enum lab_fault_kind fault;
	enum lab_card card;

	for (int i = 0; i < LAB_CARD_COUNT; i++) {
		CU_ASSERT_EQUAL(lab_card_parse(lab_card_name((enum lab_card)i), &card), 0);
		CU_ASSERT_EQUAL((int)card, i);
	}
	for (int i = 0; i < LAB_FAULT_COUNT; i++) {
		CU_ASSERT_EQUAL(lab_fault_parse(lab_fault_name((enum lab_fault_kind)i), &fault), 0);
		CU_ASSERT_EQUAL((int)fault, i);
	}
	CU_ASSERT_EQUAL(lab_card_parse("gpus", &card), -EINVAL);
	CU_ASSERT_EQUAL(lab_fault_parse("", &fault), -EINVAL);
}

static const struct unit_case cases[] = {
	{"meters and targets arrive field by field", meters_and_targets_arrive_field_by_field},
	{"the virtual part arrives field by field", the_virtual_part_arrives_field_by_field},
	{"a probe comes with its sense resistors", a_probe_comes_with_its_sense_resistors},
	{"a probe that cannot measure is refused", a_probe_that_cannot_measure_is_refused},
	{"defaults of the virtual part are those of the docs",
	 defaults_of_the_virtual_part_are_those_of_the_docs},
	{"bad labs say where and why", bad_labs_say_where_and_why},
	{"a virtual target needs the virtual part", a_virtual_target_needs_the_virtual_part},
	{"files that cannot be read say so", files_that_cannot_be_read_say_so},
	{"labs of the repository load", labs_of_the_repository_load},
	{"examples of the docs load", examples_of_the_docs_load},
	{"damaged labs do no harm", damaged_labs_do_no_harm},
	{"names of cards and faults go both ways", names_of_cards_and_faults_go_both_ways},
};

int main(void)
{
	return unit_run("labfile", cases, UNIT_COUNT(cases));
}
