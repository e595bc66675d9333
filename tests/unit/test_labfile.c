/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <unistd.h>

#include "test_good_lab.h"

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
	{"2.5 Hz", "2.5 Hz\n    start_limit: 61 s",
	 "l.yaml:10:18: start_limit: want at most 60 s"},
	{"2.5 Hz", "2.5 Hz\n    start_limit: 0 s", "l.yaml:10:18: start_limit: \"0 s\": a duration"},
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
};

static void bad_labs_say_where_and_why(void)
{
	expect_bad_labs(edits, UNIT_COUNT(edits));
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
	check_loads(COLDRIG_SOURCE_DIR "/labs/virtual-computed.yaml");
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

static const struct unit_case cases[] = {
	{"meters and targets arrive field by field", meters_and_targets_arrive_field_by_field},
	{"bad labs say where and why", bad_labs_say_where_and_why},
	{"files that cannot be read say so", files_that_cannot_be_read_say_so},
	{"labs of the repository load", labs_of_the_repository_load},
	{"examples of the docs load", examples_of_the_docs_load},
	{"damaged labs do no harm", damaged_labs_do_no_harm},
};

int main(void)
{
	return unit_run("labfile", cases, UNIT_COUNT(cases));
}
