/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test_good_lab.h"

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

static const struct edit edits[] = {
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

static void bad_virtual_parts_say_where_and_why(void)
{
	expect_bad_labs(edits, UNIT_COUNT(edits));
}

static const struct unit_case cases[] = {
	{"the virtual part arrives field by field", the_virtual_part_arrives_field_by_field},
	{"a probe comes with its sense resistors", a_probe_comes_with_its_sense_resistors},
	{"a probe that cannot measure is refused", a_probe_that_cannot_measure_is_refused},
	{"defaults of the virtual part are those of the docs",
	 defaults_of_the_virtual_part_are_those_of_the_docs},
	{"a virtual target needs the virtual part", a_virtual_target_needs_the_virtual_part},
	{"names of cards and faults go both ways", names_of_cards_and_faults_go_both_ways},
	{"bad virtual parts say where and why", bad_virtual_parts_say_where_and_why},
};

int main(void)
{
	return unit_run("labfile_virtual", cases, UNIT_COUNT(cases));
}
