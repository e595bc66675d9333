# SPDX-License-Identifier: GPL-3.0-or-later
"""coldrig meter: scan, show, read, on a scripted SCPI meter and on what is no meter."""

import json
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import AGENT, BINARY, SOURCE, RigTest, plan_text  # noqa: E402

METER_RATE = os.path.join(BINARY, "tests", "bench", "meter_rate")
VALUES = {"VOLT": 12.0, "CURR": 0.5, "POWE": 6.0}


class Dp832(socketserver.StreamRequestHandler):
    """As much of the meter as libsigrok asks for; answers are scripted in the server."""

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for line in self.rfile:
            text = line.decode().strip()
            if "?" in text and (answer := self.server.answer(text)) is not None:
                self.wfile.write(answer.encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Dp832)
        self.mute = False
        self.idn_after_s = 0
        self.answered = 0
        self.lost_after = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def spec(self):
        return f"scpi-pps:conn=tcp-raw/127.0.0.1/{self.server_address[1]}"

    def answer(self, text):
        if self.mute:
            return None
        if text.startswith("*IDN?"):
            time.sleep(self.idn_after_s)
            self.idn_after_s = 0
            return "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16"
        if match := re.match(r":MEAS:(\w+)\?", text):
            self.answered += 1
            if self.lost_after is not None and self.answered > self.lost_after:
                return None
            return f"{VALUES[match[1]]:.3f}"
        return "OFF"


class MeterTest(RigTest):
    def setUp(self):
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def read(self, *args):
        done = self.coldrig("meter", "read", *args, "--json", timeout=60)
        return done, [json.loads(line) for line in done.stdout.splitlines()]


class Scan(MeterTest):
    def test_a_meter_that_answers_is_listed(self):
        done = self.coldrig("meter", "scan", self.server.spec, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(), [self.server.spec, "Rigol", "DP832", "00.01.16", "DP8C000001"])
        done = self.coldrig("meter", "scan", self.server.spec, "--json", timeout=60)
        self.assertEqual(json.loads(done.stdout), {
            "spec": self.server.spec, "vendor": "Rigol", "model": "DP832", "version": "00.01.16",
            "serial": "DP8C000001"})

    def test_one_that_never_answers_is_given_up(self):
        self.server.mute = True
        done = self.coldrig("meter", "scan", self.server.spec, timeout=60)
        self.assert_one_message(done, 3, self.server.spec, "does not answer within 2 s")
        self.assert_nothing_left_running()

    def test_nothing_listens(self):
        done = self.coldrig("meter", "scan", "scpi-pps:conn=tcp-raw/127.0.0.1/1", timeout=60)
        self.assert_one_message(done, 3, "refused")

    def test_without_a_spec_the_demo_device_is_found(self):
        done = self.coldrig("meter", "scan", timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("demo", done.stdout)
        self.assert_nothing_left_running()


class StartLimit(MeterTest):
    """A meter that takes 2.5 s to say who it is: too long, unless it is given longer."""

    def setUp(self):
        super().setUp()
        self.server.idn_after_s = 2.5

    def test_two_seconds_unless_told_otherwise(self):
        done, _ = self.read(self.server.spec, "--count", "1")
        self.assert_one_message(done, 3, "not ready after 2.0 s", "--start-limit", "start_limit")

    def test_read_record_show_and_scan_wait_as_long_as_they_are_told(self):
        for args in (["read", "--channel", "V1", "--count", "1"], ["record", "--samples", "1", "--out", self.path("r.db")],
                     ["show"], ["scan"]):
            with self.subTest(args[0]):
                self.server.idn_after_s = 2.5
                done = self.coldrig("meter", *args, self.server.spec, "--start-limit", "20 s", timeout=60)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.server.idn_after_s, 0)

    def test_a_lab_says_it_and_an_option_overrules_it(self):
        self.write("lab.yaml", LAB.format(spec=self.server.spec, wiring="channel: P1").replace(
            "rate: 100 Hz", "rate: 100 Hz\n    start_limit: 20 s"))
        done, _ = self.read("--lab", "lab.yaml", "m", "--count", "1", "--start-limit", "0.5 s")
        self.assert_one_message(done, 3, "not ready after 0.5 s")
        self.server.idn_after_s = 2.5
        done, lines = self.read("--lab", "lab.yaml", "m", "--channel", "P1", "--count", "1")
        self.assertEqual((done.returncode, lines[0]["value"]), (0, 6.0), done.stderr)

    def test_it_is_bounded(self):
        for name in ("read", "record", "show", "scan"):
            for word in ("0 s", "60.1 s", "5", "-1 s"):
                done = self.coldrig("meter", name, self.server.spec, "--start-limit", word)
                self.assert_one_message(done, 2, f"meter {name}: --start-limit {word}: ")


class Show(MeterTest):
    def test_identity_channels_units_and_settings(self):
        done = self.coldrig("meter", "show", self.server.spec, "--json", timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        shown = json.loads(done.stdout)
        self.assertEqual(shown["serial"], "DP8C000001")
        self.assertEqual([(c["name"], c["unit"]) for c in shown["channels"]],
                         [(f"{letter}{n}", unit) for n in (1, 2, 3)
                          for letter, unit in (("V", "V"), ("I", "A"), ("P", "W"))])
        self.assertIn("1.voltage_target", [s["name"] for s in shown["settings"]])
        text = self.coldrig("meter", "show", self.server.spec, timeout=60).stdout
        self.assertRegex(text, r"(?m)^serial +DP8C000001$")
        self.assertRegex(text, r"(?m)^  I3 +A$")


class Read(MeterTest):
    def test_readings_have_unit_time_and_its_error(self):
        done, lines = self.read(self.server.spec, "--channel", "V1", "--channel", "I1", "--count", "6")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(line["channel"], line["value"], line["unit"]) for line in lines],
                         [("V1", 12.0, "V"), ("I1", 0.5, "A")] * 3)
        times = [line["t_ns"] for line in lines]
        self.assertEqual(times, sorted(times))
        self.assertTrue(all(line["error_ns"] > 0 for line in lines))
        self.assertIn("Rigol DP832", done.stderr)
        self.assert_nothing_left_running()

    def test_for_people(self):
        done = self.coldrig("meter", "read", self.server.spec, "--channel", "P2", "--count", "2", timeout=60)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        self.assertRegex(done.stdout.splitlines()[0], r"^ +0\.000000 s +P2 +6 W +time \+-[0-9.]+ ms$")

    def test_a_meter_of_a_lab_by_its_name(self):
        self.write("lab.yaml", LAB.format(spec=self.server.spec, wiring="channel: P1"))
        done, lines = self.read("--lab", "lab.yaml", "m", "--channel", "P1", "--count", "1")
        self.assertEqual((done.returncode, lines[0]["value"]), (0, 6.0), done.stderr)
        done = self.coldrig("meter", "read", "--lab", "lab.yaml", "n")
        self.assert_one_message(done, 2, "lab.yaml", "no meter n", "m")
        done = self.coldrig("meter", "read", "--lab", os.path.join(SOURCE, "labs", "virtual.yaml"), "probe")
        self.assert_one_message(done, 2, "virtual lab's instrument")

    def test_a_meter_that_stalls_ends_it_with_what_was_read(self):
        self.server.lost_after = 4
        done, lines = self.read(self.server.spec, "--channel", "P1", "--count", "10", "--rate", "100 Hz")
        self.assertEqual((done.returncode, len(lines)), (3, 4), done.stderr)
        self.assertIn("no answer for", done.stderr)

    def test_ctrl_c_is_an_orderly_end(self):
        process = self.start("meter", "read", self.server.spec, "--count", "0", "--json")
        while not process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, errors)
        self.assert_nothing_left_running()

    def test_what_cannot_be_is_said(self):
        spec = self.server.spec
        for status, args, words in (
                (2, ["no-such-driver"], ["no-such-driver"]),
                (2, [spec, "--channel", "P4"], ["no channel 'P4'", "V1 I1 P1"]),
                (2, [spec, "--count", "-1"], ["--count -1"]),
                (2, [spec, "--rate", "5"], ["--rate 5"]),
                (2, [spec, "--colour"], ["--colour"]),
                (2, [], ["SPEC"]),
                (2, [spec, spec], ["SPEC"]),
                (2, ["--lab", "none.yaml", "m"], ["none.yaml"]),
                (3, ["scpi-pps:conn=tcp-raw/127.0.0.1/1"], ["refused"])):
            with self.subTest(args):
                self.assert_one_message(self.coldrig("meter", "read", *args, timeout=60), status, *words)
        self.assert_one_message(self.coldrig("meter", "raed"), 2, "raed")
        self.assert_one_message(self.coldrig("meter"), 2, "subcommand")

    def test_help(self):
        for name in ("scan", "show", "read"):
            done = self.coldrig("meter", name, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(f"Usage: coldrig meter {name}", done.stdout)


LAB = """lab: bench
meters:
  - name: m
    spec: "{spec}"
    rate: 100 Hz
    accuracy:
      gain: 1 %
      offset: 1 mW
      voltage: {{gain: 1 %, offset: 1 mV}}
      current: {{gain: 1 %, offset: 1 mA}}
targets:
  - name: box
    transport: "exec:{agent} --root root"
    devices:
      - bdf: "0000:01:00.0"
        model: a card
        rails:
          - {{name: slot, meter: m, {wiring}}}
""".replace("{agent}", AGENT)


class WrongUnit(MeterTest):
    """A channel that does not deliver what the lab file takes it for ends a run, with the place."""

    def run_with(self, wiring):
        os.makedirs(self.path("root/sys/bus/pci/devices"), exist_ok=True)
        release = os.uname().release.split("-")[0]
        self.write("lab.yaml", LAB.format(spec=self.server.spec, wiring=wiring))
        self.write("plan.yaml", plan_text(["{scenario: idle, cycles: 1}"]).replace('"6.1"', f'"{release}"'))
        shutil.rmtree(self.path("run"), ignore_errors=True)
        return self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run", timeout=60)

    def test_each_kind(self):
        for wiring, words in (
                ("channel: V1", ['lab.yaml:18:45: channel: "V1"', "meter m delivers V", "not W"]),
                ("voltage: P1, current: I1", ['voltage: "P1"', "delivers W", "not V"]),
                ("voltage: V1, current: V2", ['current: "V2"', "delivers V", "not A"])):
            with self.subTest(wiring):
                self.assert_one_message(self.run_with(wiring), 3, *words)

    def test_the_right_ones_get_further(self):
        self.assert_one_message(self.run_with("voltage: V1, current: I1"), 3, "0000:01:00.0")


class Process(MeterTest):
    """The meter's process, looked at from outside."""

    def test_memory_is_flat_over_a_long_recording(self):
        """Of a fake meter and of a supply that libsigrok reads, as fast as they come."""
        done = subprocess.run([METER_RATE, "--memory", "150000"], capture_output=True, text=True, timeout=600, check=True)
        sizes = [int(kib) for kib in re.findall(r"(\d+) KiB", done.stdout)]
        self.assertEqual(len(sizes), 8, done.stdout)
        for early, late in zip(sizes[::2], sizes[1::2]):
            self.assertLess(late - early, 256, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
