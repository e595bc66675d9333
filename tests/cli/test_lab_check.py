# SPDX-License-Identifier: GPL-3.0-or-later
"""coldrig lab check and coldrig lab line, on lines that are files and programs, and what goes wrong with them."""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import AGENT, COLDRIG, SOURCE, RigTest, processes_of  # noqa: E402

# A target whose power button and force-off are one program, which keeps what the target does in a file.
MACHINE = """#!/bin/sh
state=DIR/machine
case $1 in
press) echo down >$state.button ;;
release) [ "$(cat $state)" = on ] || echo on >$state; rm $state.button ;;
force) echo off >$state ;;
nothing) ;;
query) cat $state ;;
esac
echo "$1" >>DIR/calls
"""

LINES = """    lines:
      power: {command: {on: [DIR/machine.sh, press], off: [DIR/machine.sh, release]}, hold: 50 ms}
      force-off: {command: {on: [DIR/machine.sh, FORCE], off: [DIR/machine.sh, nothing]}, hold: 50 ms}
      reset: {fake: DIR/reset, hold: 30 ms}
      power-good: {command: {query: [DIR/machine.sh, query]}}
"""

LAB = """lab: bench
meters:
  - {name: m, spec: "SPEC", rate: 100 Hz, accuracy: {gain: 1 %, offset: 1 mW}}
targets:
  - name: box
    transport: "TRANSPORT"
    devices:
      - bdf: "0000:01:00.0"
        model: a card
        rails: [{name: slot, meter: m, channel: P1}]
"""


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class LabCheck(RigTest):
    def setUp(self):
        super().setUp()
        self.root = self.path("root")
        for name in ("proc/sys/kernel/random", "sys/bus/pci/devices", "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0"):
            os.makedirs(os.path.join(self.root, name))
        os.symlink("../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0",
                   os.path.join(self.root, "sys/bus/pci/devices/0000:01:00.0"))
        self.write("machine", "on\n")
        self.write("machine.sh", MACHINE.replace("DIR", self.dir))
        os.chmod(self.path("machine.sh"), 0o755)

    def lab(self, lines="", spec="fake:w=1.5", transport=None):
        transport = transport or f"exec:{AGENT} --root {self.root}"
        text = LAB.replace("SPEC", spec).replace("TRANSPORT", transport) + lines
        return self.write("lab.yaml", text.replace("DIR", self.dir))

    def check(self, *args):
        done = self.coldrig("lab", "check", "--lab", "lab.yaml", *args)
        self.assertNotIn("Sanitizer", done.stderr)
        return done

    def findings(self, *args):
        done = self.check("--json", *args)
        result = json.loads(done.stdout)
        self.assertEqual(result["ok"], done.returncode == 0, done.stderr)
        return done.returncode, {(f["what"], f["name"]): f for f in result["checks"]}

    def levels(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return "".join(line.split()[1] for line in file)
        except FileNotFoundError:
            return ""

    def calls(self):
        try:
            with open(self.path("calls"), encoding="utf-8") as file:
                return file.read().split()
        except FileNotFoundError:
            return []

    def test_a_check_drives_nothing_and_tells_what_is_there(self):
        self.lab(LINES.replace("FORCE", "force"))
        status, found = self.findings()
        self.assertEqual(status, 0, found)
        self.assertEqual({name: f["state"] for (what, name), f in found.items() if what == "line"},
                         {"power": "ok", "force-off": "ok", "reset": "ok", "perst": "not-wired",
                          "presence": "not-wired", "power-good": "ok"})
        self.assertIs(found["line", "power-good"]["active"], True)
        self.assertIs(found["line", "reset"]["active"], False)
        self.assertIsNone(found["line", "power"]["active"], "a command without query cannot know")
        self.assertEqual(found["meter", "m"]["text"].split(":")[1], " P1 1.5 W")
        self.assertIn("1 of 1 devices", found["transport", f"exec:{AGENT} --root {self.root}"]["text"])
        self.assertEqual(self.calls(), ["query"])
        self.assertEqual(self.levels("reset"), "")
        self.assert_nothing_left_running()

    def test_exercise_drives_and_verifies(self):
        self.lab(LINES.replace("FORCE", "force"))
        status, found = self.findings("--exercise")
        self.assertEqual(status, 0, found)
        self.assertEqual(found["exercise", "power"]["state"], "ok")
        self.assertEqual(self.levels("reset"), "10")
        self.assertEqual([c for c in self.calls() if c != "query"], ["force", "nothing", "press", "release"])

    def test_a_power_line_that_does_nothing_is_found(self):
        self.lab(LINES.replace("FORCE", "nothing"))
        done = self.check("--exercise")
        self.assertEqual(done.returncode, 3)
        self.assertIn("lab.yaml:15:20: lines: power-good: still active 10 s after force-off: is it wired to this "
                      "target, and is force-off?", done.stdout)
        self.assertIn("coldrig: lab bench: 1 of its checks failed", done.stderr)

    def test_what_is_missing_is_said(self):
        self.lab("    lines: {power: {fake: DIR/p}}\n")
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"reset +not-wired +a target that hangs cannot be reset")
        self.assertRegex(done.stdout, r"console +not-wired +what its kernel says in trouble is not recorded")
        self.assertRegex(done.stdout, r"force-off +not-wired +not needed where power is a supply")

    def test_wrong_wiring_is_named_by_its_place(self):
        for wire, words in (
                ("gpio: {chip: nochip, line: 1}", "no GPIO chip is called nochip"),
                ("gpio: {chip: /dev/null, line: 1}", "/dev/null: not a GPIO chip"),
                ("gpio: {chip: /dev/nowhere, line: 1}", "/dev/nowhere: not there: is it plugged in"),
                ("usbhub: {hub: 99-1.4, port: 1}", "no USB device at 99-1.4: is the hub plugged in there?"),
                ("usbrelay: {serial: ABCDE, relay: 1}", "no USB relay board"),
                ("qmp: {socket: DIR/q, does: reset}", "no QEMU listens there"),
                ("fake: DIR/no/dir", "No such file or directory")):
            self.lab("    lines: {reset: {" + wire + "}}\n")
            done = self.check()
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertIn("lab.yaml:11:21: lines: reset: ", done.stdout)
            self.assertIn(words, done.stdout)

    def test_a_wrong_libgpiod_is_told_of_the_line_and_of_nothing_else(self):
        self.lab("    lines: {reset: {gpio: {chip: cp2112_gpio, line: 1}}}\n")
        what = r"reset +failed +lab.yaml:11:21: lines: reset: libgpiod 2 is needed: "
        todo = r": install libgpiod3 \(setup/packages does\)"
        os.makedirs(self.path("lib"))
        self.env["LD_LIBRARY_PATH"] = self.path("lib")
        self.write("one.c", "int gpiod_ctxless_get_value(void); int gpiod_ctxless_get_value(void) { return 0; }\n")
        build = ["cc", "-shared", "-fPIC", "-o", self.path("one.so"), self.path("one.c")]
        subprocess.run(build, check=True, env=self.env)
        # Version 1 under its own name, and under that of version 2; the first is what a program sees that was built elsewhere.
        self.write("lib/libgpiod.so.3", "nothing that could be loaded\n")
        shutil.copy(self.path("one.so"), self.path("lib/libgpiod.so.2"))
        self.assertRegex(self.check().stdout, what + r".*lib/libgpiod.so.3: .*, and libgpiod.so.2 is version 1" + todo)
        shutil.copy(self.path("one.so"), self.path("lib/libgpiod.so.3"))
        self.assertRegex(self.check().stdout, what + r"the libgpiod.so.3 that is there has no gpiod_\w+" + todo)
        self.lab("    lines: {reset: {fake: DIR/r}}\n")
        self.assertEqual(self.check().returncode, 0, "a lab without GPIO lines needs none")

    def test_a_build_with_libgpiod_1_is_refused_with_words(self):
        self.write("libgpiod.pc", "Name: libgpiod\nDescription: lines\nVersion: 1.6.3\nCflags:\nLibs: -lgpiod\n")
        done = subprocess.run(["cmake", "-S", SOURCE, "-B", self.path("build"), "-G", "Ninja"], capture_output=True, text=True,
                              env=dict(self.env, PKG_CONFIG_PATH=self.dir), check=False, timeout=120)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("libgpiod: 2 or newer is needed, 1.x is another library: run setup/packages", done.stderr)

    def test_what_a_user_may_not_do_is_named_with_what_helps(self):
        """As nobody, if this is root; a copy of the program, as its own place may be closed to that user."""
        shutil.copy(COLDRIG, self.path("coldrig"))
        os.makedirs(self.path("locks"))
        for name, mode in ((".", 0o755), ("machine.sh", 0o600), ("locks", 0o777)):
            os.chmod(self.path(name), mode)
        quiet = socket.socket(socket.AF_UNIX)
        self.addCleanup(quiet.close)
        quiet.bind(self.path("q"))
        quiet.listen()
        os.chmod(self.path("q"), 0)
        terminal = os.openpty()
        for end in terminal:
            self.addCleanup(os.close, end)
        tty = os.ttyname(terminal[1])
        os.chmod(tty, 0)
        who = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        for wire, words in (
                ("command: {query: [DIR/machine.sh, query], on: [x], off: [x]}",
                 "/machine.sh: Permission denied: this user may not run it: make it executable"),
                ("qmp: {socket: DIR/q, does: reset}", "mode 0000: give it to a group of this user by a udev rule")):
            self.lab(f'    console: "serial:{tty}"\n    lines: {{reset: {{{wire}}}}}\n', transport=f"serial:{tty}")
            done = subprocess.run([self.path("coldrig"), "lab", "check", "--lab", "lab.yaml"], cwd=self.dir, text=True,
                                  env=dict(self.env, COLDRIG_LOCK_DIR=self.path("locks")), capture_output=True,
                                  timeout=60, check=False, **who)
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            line = [line for line in done.stdout.splitlines() if " reset " in line][0]
            self.assertIn("lab.yaml:12:21: lines: reset: ", line)
            self.assertIn(words, line)
            self.assertIn(f"serial:{tty}: no permission for user ", done.stdout)
            self.assertRegex(done.stdout, rf"console +failed +lab.yaml:11:14: console: serial:{tty}: no permission for user ")
            self.assertNotIn("Sanitizer", done.stderr)

    def test_targets_and_meters_that_do_not_answer(self):
        self.lab(transport="exec:true", spec="fake:w=x")
        status, found = self.findings()
        self.assertEqual(status, 3)
        self.assertIn("the agent ended the connection", found["transport", "exec:true"]["text"])
        self.assertIn("fake:w=W", found["meter", "m"]["text"])
        begin = time.monotonic()
        self.lab(transport="exec:sleep 100", spec="scpi-pps:conn=tcp-raw/127.0.0.1/1")
        status, found = self.findings()
        self.assertEqual(status, 3)
        self.assertIn("no agent answered within", found["transport", "exec:sleep 100"]["text"])
        self.assertIn("lab.yaml:3:21: spec: ", found["meter", "m"]["text"])
        self.assertLess(time.monotonic() - begin, 60)
        self.assert_nothing_left_running()

    def test_a_device_that_is_not_there_is_said(self):
        with open(self.lab(), encoding="utf-8") as file:
            text = file.read()
        self.write("lab.yaml", text.replace("01:00.0", "02:00.0"))
        status, found = self.findings()
        self.assertEqual(status, 3)
        self.assertIn("is not on this target", found["device", "0000:02:00.0"]["text"])

    def test_the_lab_of_the_docs_is_checked_as_they_show(self):
        """Its lines, machine and meter are stood in for; the rest is printed as it stands there."""
        with open(os.path.join(SOURCE, "docs", "lines.md"), encoding="utf-8") as file:
            page = file.read()
        lab = re.search(r"```yaml\n(lab: bench-4\n.*?)```", page, re.S).group(1)
        shown = re.search(r"```\n(target box\n.*?)```", page, re.S).group(1).splitlines()
        place = re.search(r"`my-lab\.yaml:(\d+):(\d+): lines: reset:`", page).groups()
        self.assertRegex(lab.splitlines()[int(place[0]) - 1], r"^ +reset: \{gpio")
        self.assertEqual(lab.splitlines()[int(place[0]) - 1][int(place[1]) - 1:].split(":")[0], "gpio")
        ends = os.openpty()
        for end in ends:
            self.addCleanup(os.close, end)
        os.rename(os.path.join(self.root, "sys/bus/pci/devices/0000:01:00.0"),
                  os.path.join(self.root, "sys/bus/pci/devices/0000:41:00.0"))
        self.write("gpio2", "1 1\n")
        for old, new in ((r'"exec:ssh [^"]*"', f'"exec:{AGENT} --root {self.root}"'), (r'"serial:[^"]*"', f'"serial:{os.ttyname(ends[1])}"'),
                         (r'"scpi-pps:[^"]*"', '"fake:w=5"'), (r"gpio: \{chip: cp2112_gpio, line: (\d)[^}]*\}", rf"fake: {self.dir}/gpio\1")):
            lab, n = re.subn(old, new, lab)
            self.assertGreater(n, 0, old)
        self.write("lab.yaml", lab)
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        said = re.sub(rf"{self.dir}/gpio(\d)", r"cp2112_gpio (/dev/gpiochip2) line \1", done.stdout).splitlines()
        for kind, what in (("transport", r"Linux \S+,"), ("meter", r"ok +.*: P1 \S+ W, P3 \S+ W$")):  # of that machine
            for lines in (said, shown):
                i = [i for i, line in enumerate(lines) if line.startswith("  " + kind)][0]
                lines[i], n = re.subn(what, "(its own)", lines[i])
                self.assertEqual(n, 1, lines[i])
        self.maxDiff = None
        # What it costs that a line is not wired is left out there.
        self.assertEqual([re.sub(r"not-wired.*", "not-wired", line).rstrip() for line in said], shown)

    def line(self, *args):
        return self.coldrig("lab", "line", "--lab", "lab.yaml", *args)

    def test_a_line_by_hand_stays_as_it_was_told(self):
        self.lab("    lines: {power: {fake: DIR/p}, reset: {fake: DIR/r}}\n")
        for action, levels in (("off", "0"), ("on", "01")):
            done = self.line("power", action)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(self.levels("p"), levels)
        self.assertEqual(self.line("power", "read").stdout, "active\n")
        self.assertEqual(self.line("reset", "press").returncode, 0)
        self.assertEqual(self.levels("r"), "10")
        self.assert_one_message(self.line("perst", "read"), 3, "target box: this line is wired to nothing")
        self.assert_one_message(self.line("presence", "on"), 2, "an input")
        self.assert_one_message(self.line("power", "of"), 2, "read, on, off, press or watch")
        self.assert_one_message(self.line("pwr", "on"), 2, "no line called pwr")

    def test_changes_are_seen_with_their_times(self):
        self.write("r", "1000000000 0\n1300000000 1\n1600000000 0\n")
        self.lab("    lines: {presence: {replay: DIR/r}}\n")
        done = self.line("presence", "watch", "--for", "1 s")
        rows = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual([row[2] for row in rows], ["inactive", "active", "inactive"], done.stderr)
        between = int(rows[2][0]) - int(rows[1][0])
        self.assertLessEqual(abs(between - 300_000_000), int(rows[1][1][2:]) + int(rows[2][1][2:]))

    def await_levels(self, name, levels):
        deadline = time.monotonic() + 10
        while self.levels(name) != levels and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(self.levels(name), levels)

    def test_whatever_ends_it_lines_are_let_go(self):
        def guardian_of(process):
            return [pid for pid, _ in processes_of(self.marker) if pid != process.pid]

        def twice(number):
            return lambda process: (process.send_signal(number), time.sleep(0.1), process.send_signal(number))

        ways = {"kill": lambda process: process.kill(),
                "kill_group": lambda process: os.killpg(process.pid, signal.SIGKILL),
                "kill_guardian": lambda process: [os.kill(pid, signal.SIGKILL) for pid in guardian_of(process)],
                "interrupt": twice(signal.SIGINT), "terminate": twice(signal.SIGTERM), "hang_up": twice(signal.SIGHUP),
                "quit": lambda process: process.send_signal(signal.SIGQUIT)}
        for name, way in ways.items():
            with self.subTest(name):
                self.lab(f"    lines: {{reset: {{fake: DIR/{name}, hold: 50 s}}}}\n")
                process = subprocess.Popen([COLDRIG, "lab", "line", "--lab", "lab.yaml", "reset", "press"], env=self.env,
                                           cwd=self.dir, text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                           start_new_session=True, preexec_fn=no_core)
                self.await_levels(name, "1")
                self.assertEqual(len(guardian_of(process)), 1)
                way(process)
                said = process.communicate(timeout=20)[1]
                self.await_levels(name, "10")
                self.assertNotEqual(process.returncode, 0)
                if name == "kill_guardian":
                    self.assertEqual(process.returncode, 3)
                    self.assertIn("coldrig: lab.yaml:11:21: lines: reset: the guardian of the lines (coldrig-lines) was killed: what was driven "
                                  "is in its safe state", said)
                self.assert_nothing_left_running()

    def test_the_end_of_its_terminal_lets_go_too(self):
        self.lab("    lines: {reset: {fake: DIR/r, hold: 50 s}}\n")
        pid, terminal = os.forkpty()
        if pid == 0:
            os.chdir(self.dir)
            os.execve("/bin/sh", ["sh", "-c", f"{COLDRIG} lab line --lab lab.yaml reset press"], self.env)
        self.await_levels("r", "1")
        os.close(terminal)
        os.waitpid(pid, 0)
        # The first hang-up only asks for an end, which a press of a minute is not: nobody is left to see it.
        for left, _ in processes_of(self.marker):
            os.kill(left, signal.SIGHUP)
        self.await_levels("r", "10")
        self.assert_nothing_left_running(10)

    def test_two_do_not_drive_one_target(self):
        self.lab("    lines: {reset: {fake: DIR/r, hold: 50 s}}\n")
        process = self.start("lab", "line", "--lab", "lab.yaml", "reset", "press")
        self.await_levels("r", "1")
        self.assert_one_message(self.line("reset", "on"), 3, "target box", "coldrig lab line")
        process.kill()
        process.communicate()


if __name__ == "__main__":
    unittest.main(verbosity=2)
