/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "labfile.h"
#include "test_yaml_edit.h"
#include "unit.h"

static const char good[] =
	"lab: l\n"
	"targets:\n"
	"  - name: box\n"
	"    transport: \"exec:x\"\n"
	"    devices: [{bdf: \"0000:01:00.0\", model: x}]\n"
	"    lines:\n"
	"      power: {gpio: {chip: cp2112_gpio, line: 3, active_low: true, bias: pull-up}, hold: "
	"500 ms}\n"
	"      reset: {usbrelay: {serial: \"6QMBS\", relay: 2}}\n"
	"      force-off: {gpio: {chip: cp2112_gpio, line: 3}, hold: 5 s, safe: keep}\n"
	"      presence: {replay: rec}\n"
	"      power-good: {command: {query: [pdu, \"-o 1\"], limit: 3 s}}\n"
	"      perst: {fake: /tmp/x}\n"
	"  - name: other\n"
	"    transport: \"exec:x\"\n"
	"    devices: [{bdf: \"0000:01:00.0\", model: x}]\n"
	"    lines:\n"
	"      power:\n"
	"        command: {on: \"pdu on | tee log\", off: \"pdu off\", shell: true}\n"
	"        off_time: 3 s\n"
	"      power-good: {qmp: {socket: /run/q, does: power}}\n";

static void lines_arrive_field_by_field(void)
{
	struct err err = {""};
	struct lab *lab = NULL;
	const struct lab_line *l;

	CU_ASSERT_EQUAL(labfile_parse("l.yaml", good, &lab, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.text, "");
	if (!lab)
		return;
	l = &lab->targets[0].lines[LAB_ROLE_POWER];
	CU_ASSERT_EQUAL(l->kind, LAB_LINE_GPIO);
	CU_ASSERT_STRING_EQUAL(l->gpio.chip, "cp2112_gpio");
	CU_ASSERT_STRING_EQUAL(l->gpio.line, "3");
	CU_ASSERT(l->gpio.active_low);
	CU_ASSERT_EQUAL(l->gpio.bias, LAB_BIAS_PULL_UP);
	CU_ASSERT_EQUAL(l->hold_ns, 500000000);
	CU_ASSERT_EQUAL(l->safe, LAB_SAFE_OFF);
	CU_ASSERT_EQUAL(l->line, 7);
	CU_ASSERT_EQUAL(l->column, 15);
	l = &lab->targets[0].lines[LAB_ROLE_RESET];
	CU_ASSERT_EQUAL(l->kind, LAB_LINE_USBRELAY);
	CU_ASSERT_STRING_EQUAL(l->usbrelay.serial, "6QMBS");
	CU_ASSERT_EQUAL(l->usbrelay.relay, 2);
	CU_ASSERT_EQUAL(l->hold_ns, 200000000);
	l = &lab->targets[0].lines[LAB_ROLE_FORCE_OFF];
	CU_ASSERT_EQUAL(l->safe, LAB_SAFE_KEEP);
	CU_ASSERT_EQUAL(lab->targets[0].lines[LAB_ROLE_PRESENCE].kind, LAB_LINE_REPLAY);
	l = &lab->targets[0].lines[LAB_ROLE_POWER_GOOD];
	CU_ASSERT_EQUAL(l->kind, LAB_LINE_COMMAND);
	CU_ASSERT_STRING_EQUAL(l->command.query[1], "-o 1");
	CU_ASSERT_PTR_NULL(l->command.query[2]);
	CU_ASSERT_PTR_NULL(l->command.on);
	CU_ASSERT_EQUAL(l->command.limit_ns, 3000000000);
	CU_ASSERT_EQUAL(lab->targets[0].lines[LAB_ROLE_PERST].hold_ns, 100000000);
	l = &lab->targets[1].lines[LAB_ROLE_POWER];
	CU_ASSERT_STRING_EQUAL(l->command.on[0], "/bin/sh");
	CU_ASSERT_STRING_EQUAL(l->command.on[2], "pdu on | tee log");
	CU_ASSERT_EQUAL(l->command.limit_ns, 10000000000);
	CU_ASSERT_EQUAL(l->hold_ns, 0);
	CU_ASSERT_EQUAL(l->off_time_ns, 3000000000);
	CU_ASSERT_EQUAL(l->safe, LAB_SAFE_ON);
	CU_ASSERT_EQUAL(lab->targets[1].lines[LAB_ROLE_RESET].kind, LAB_LINE_NONE);
	CU_ASSERT_EQUAL(lab->targets[1].lines[LAB_ROLE_POWER_GOOD].qmp.does, LAB_QMP_POWER);
	lab_free(lab);
}

static const struct edit edits[] = {
	{"replay: rec", "usbhub: {hub: 1-1.4, port: 2}",
	 "l.yaml:10:18: usbhub: it is driven, and cannot tell what the target does"},
	{"{replay: rec}", "{}", "l.yaml:10:17: presence: by what is it reached? one of gpio"},
	{"replay: rec", "usbhub: {hub: 1.4, port: 2}",
	 "l.yaml:10:32: hub: \"1.4\": not the place of a hub"},
	{"replay: rec", "usbhub: {hub: 1-1., port: 2}",
	 "l.yaml:10:32: hub: \"1-1.\": not the place of a hub"},
	{"replay: rec", "usbhub: {hub: 1-1.4, port: 0}",
	 "l.yaml:10:45: port: \"0\": must be 1 to 31"},
	{"replay: rec", "replay: rec, hold: 1 s", "l.yaml:10:31: hold: an input is not held"},
	{"replay: rec", "replay: rec, safe: on", "l.yaml:10:31: safe: an input is not driven"},
	{"replay: rec", "replay: rec, off_time: 1 s",
	 "l.yaml:10:31: off_time: only a supply is switched off and on"},
	{"replay: rec", "qmp: {socket: /q, does: reset}",
	 "l.yaml:10:18: qmp: only \"does: power\" can be read"},
	{"replay: rec", "qmp: {socket: \"{qmp}\", does: power}",
	 "l.yaml:10:18: qmp: {qmp} is the virtual target's"},
	{"replay: rec", "command: {on: [x]}", "l.yaml:10:18: command: it needs a query"},
	{"replay: rec", "command: {query: []}",
	 "l.yaml:10:35: query: the words of a command belong here"},
	{"replay: rec", "command: {query: x}",
	 "l.yaml:10:35: query: \"x\": a list of words, or a text with shell: true"},
	{"replay: rec", "command: {query: [x], shell: true}",
	 "l.yaml:10:35: query: with shell: true this is one text"},
	{"replay: rec", "command: {query: [x], limit: 3 min}", "limit: \"3 min\": at most 2 min"},
	{"replay: rec", "replay: rec, fake: rec",
	 "l.yaml:10:18: replay: the line is reached by fake already"},
	{"relay: 2", "relay: 9", "l.yaml:8:50: relay: \"9\": must be 1 to 8"},
	{"\"6QMBS\"", "6Q", "l.yaml:8:34: serial: \"6Q\": a board's serial has 5 characters"},
	{"{usbrelay: {serial: \"6QMBS\", relay: 2}}", "{replay: rec}",
	 "l.yaml:8:15: replay: a recording cannot be driven"},
	{"{usbrelay: {serial: \"6QMBS\", relay: 2}}", "{command: {on: [x]}}",
	 "l.yaml:8:15: command: it needs on and off, or a cycle"},
	{"{usbrelay: {serial: \"6QMBS\", relay: 2}}", "{gpio: {chip: cp2112_gpio, line: 3}}",
	 "l.yaml:8:7: reset: the same wire as power in line 7"},
	{"hold: 5 s", "hold: 61 s", "l.yaml:9:61: hold: \"61 s\": at most 60 s"},
	{"bias: pull-up", "bias: up", "bias: \"up\": no such word; known: as-is, none"},
	{"chip: cp2112_gpio, line: 3, active", "line: 3, active",
	 "l.yaml:7:21: missing key \"chip\" in a gpio line"},
	{"reset:", "rest:",
	 "l.yaml:8:7: unknown key \"rest\" in the lines of a target; did you mean \"reset\"?"},
};

static void bad_lines_say_where_and_why(void)
{
	for (size_t i = 0; i < UNIT_COUNT(edits); i++) {
		char *text = edit_text(good, edits[i].from, edits[i].to);
		struct lab *lab = NULL;
		struct err err = {""};

		CU_ASSERT_EQUAL(labfile_parse("l.yaml", text, &lab, &err), -EINVAL);
		edit_check_error(&edits[i], &err);
		lab_free(lab);
		free(text);
	}
}

static void a_supply_and_a_button_are_told_apart(void)
{
	char *other = edit_text(good, "        off_time: 3 s\n",
				"        off_time: 3 s\n        hold: 1 s\n");
	struct lab *lab = NULL;
	struct err err = {""};

	CU_ASSERT_EQUAL(labfile_parse("l.yaml", other, &lab, &err), -EINVAL);
	CU_ASSERT_STRING_EQUAL(err.text,
			       "l.yaml:19:9: off_time: only a supply is switched off and on");
	free(other);
}

static void damaged_lines_do_no_harm(void)
{
	uint32_t state = 1;

	for (int i = 0; i < 2000; i++) {
		char *text = strdup(good);
		struct err err = {""};
		struct lab *lab = NULL;
		int r;

		edit_damage(text, &state);
		r = labfile_parse("l.yaml", text, &lab, &err);
		CU_ASSERT(r == 0 || (r == -EINVAL && strncmp(err.text, "l.yaml:", 7) == 0));
		lab_free(lab);
		free(text);
	}
}

static const struct unit_case cases[] = {
	{"lines arrive field by field", lines_arrive_field_by_field},
	{"bad lines say where and why", bad_lines_say_where_and_why},
	{"a supply and a button are told apart", a_supply_and_a_button_are_told_apart},
	{"damaged lines do no harm", damaged_lines_do_no_harm},
};

int main(void)
{
	return unit_run("labfile line", cases, UNIT_COUNT(cases));
}
