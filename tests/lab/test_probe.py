# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe's firmware in its emulated board, spoken to over its serial line; and as the virtual lab's meter."""

import json
import os
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import BINARY, GPU, NIC, NVME, SOURCE, RigTest, missing_for_virtual_lab, plan_text  # noqa: E402

FIRMWARE = os.path.join(BINARY, "target", "probe-mps2-an385.elf")
AMPERE = 1000  # of the emulated chips, in the unit of their property
STEP_A = 10 / 198  # of a code of theirs, at 300 uohm
STEP_V = 100 / 4062


def missing_for_the_probe():
    """Why the firmware cannot be run here, or None."""
    if not shutil.which("qemu-system-arm"):
        return "qemu-system-arm is not installed: run setup/packages"
    if not os.path.exists(FIRMWARE):
        return "no firmware was built, for want of arm-none-eabi-gcc: run setup/packages"
    return None


def serve_line(listener, line):
    """A serial line as a TCP port, for one client after the other. libsigrok wants an answer in one segment."""
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        answer = b""
        with peer:
            while ready := select.select([peer, line], [], [], 20)[0]:
                data = ready[0].recv(4096)
                if not data:
                    break
                if ready[0] is peer:
                    line.sendall(data)
                elif (answer := answer + data).endswith(b"\n"):
                    peer.sendall(answer)
                    answer = b""


class Probe:
    """An emulated board with four chips, its serial line, and the emulator's monitor."""

    def __init__(self, test, chips=4):
        line, qmp = socket.socketpair(), socket.socketpair()
        devices = [a for i in range(chips) for a in ("-device", f"adm1272,id=pm{i + 1},bus=i2c,address={0x10 + i}")]
        self.process = subprocess.Popen(
            ["qemu-system-arm", "-M", "mps2-an385", "-display", "none", "-nodefaults", "-kernel", FIRMWARE, *devices,
             "-chardev", f"socket,id=line,fd={line[1].fileno()}", "-serial", "chardev:line",
             "-chardev", f"socket,id=qmp,fd={qmp[1].fileno()}", "-mon", "chardev=qmp,mode=control"],
            pass_fds=(line[1].fileno(), qmp[1].fileno()), env=test.env, stderr=subprocess.DEVNULL)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)
        for far in (line[1], qmp[1]):
            far.close()
        self.line, self.monitor = line[0], qmp[0].makefile("rw")
        test.addCleanup(self.line.close)
        test.addCleanup(qmp[0].close)
        test.addCleanup(self.monitor.close)
        self.line.settimeout(20)
        self.monitor.readline()
        self.order("qmp_capabilities")

    def order(self, command, **arguments):
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.monitor.flush()
        while "return" not in (answer := json.loads(self.monitor.readline())):
            if "error" in answer:
                raise AssertionError(answer)
        return answer["return"]

    def set(self, channel, **values):
        """Of a chip: vin, vout (mV), iout (mA), pin (W). The time at which it was in force: from, to."""
        begin = time.monotonic()
        for name, value in values.items():
            self.order("qom-set", path=f"/machine/peripheral/pm{channel}", property=name, value=value)
        return begin, time.monotonic()

    def say(self, text):
        self.line.sendall(text.encode() + b"\n")

    def take(self, n):
        data = b""
        while len(data) < n:
            data += self.line.recv(n - len(data))
        return data

    def ask(self, text):
        self.say(text)
        answer = b""
        while not answer.endswith(b"\n"):
            answer += self.line.recv(4096)
        return answer.decode().rstrip("\n")

    def numbers(self, text):
        return [float(x) for x in self.ask(text).split(",")]

    def samples(self):
        """What the buffer holds: times in us, then volt and ampere of each channel; and how many were lost."""
        rows, lost = [], 0
        while True:
            self.say("FETC:BUFF?")
            head = self.take(2)
            assert head == b"#4", head
            block = self.take(int(self.take(4)))
            assert self.take(1) == b"\n"
            version, channels, size, lost_now = struct.unpack("<BBHI", block[:8])
            assert (version, channels, size) == (1, 4, 40)
            lost += lost_now
            new = [struct.unpack("<Q8i", block[i:i + size]) for i in range(8, len(block), size)]
            if not new:
                return rows, lost
            rows += new

    def clock(self):
        """When the probe's time was zero, on ours, and how far that may be off: the best of some questions."""
        best = None
        for _ in range(10):
            begin = time.monotonic()
            probe = int(self.ask("SYST:TIME?")) / 1e6
            end = time.monotonic()
            if best is None or (end - begin) / 2 < best[1]:
                best = ((begin + end) / 2 - probe, (end - begin) / 2)
        return best


WHY_NOT = missing_for_the_probe()


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Firmware(RigTest):
    def setUp(self):
        super().setUp()
        self.probe = Probe(self)

    def test_it_says_who_it_is_and_is_well(self):
        self.assertEqual(self.probe.ask("*IDN?"), "COLDRIG,SLOT PROBE MPS2-AN385,0,1.0")
        self.assertEqual(self.probe.ask("*TST?;*OPC?;:SYST:ERR?"), '0;1;0,"No error"')
        self.probe.say("NONSENSE")
        self.assertEqual(self.probe.ask("SYST:ERR?;:SYST:ERR?"), '-113,"Undefined header";0,"No error"')

    def test_readings_are_what_the_chips_measure(self):
        for channel in (1, 2, 3, 4):
            self.probe.set(channel, vout=3300 * channel, iout=2 * AMPERE * channel)
        for channel, (volt, ampere, watt) in enumerate(zip(*(self.probe.numbers(f"MEAS:{q}? (@1:4)")
                                                             for q in ("VOLT", "CURR", "POW"))), 1):
            self.assertAlmostEqual(volt, 3.3 * channel, delta=STEP_V)
            self.assertAlmostEqual(ampere, 2 * channel, delta=STEP_A + 0.005 * 2 * channel)
            self.assertAlmostEqual(watt, volt * ampere, delta=1e-5)
        self.probe.say("CAL:RES 0.03,(@1)")
        self.assertAlmostEqual(self.probe.numbers("MEAS:CURR? (@1)")[0], 0.02, delta=STEP_A / 100 + 0.0001)
        self.probe.say("SAMP:AVER 20")
        self.assertAlmostEqual(self.probe.numbers("MEAS:CURR? (@2)")[0], 4, delta=STEP_A + 0.02)
        begin, end = int(self.probe.ask("FETC:TIME:BEG?")), int(self.probe.ask("FETC:TIME:END?"))
        self.assertGreaterEqual(end - begin, 19 * 900)

    def test_a_square_wave_is_in_the_buffer_with_its_times_and_its_energy(self):
        """Edges lie between two samples by the probe's own clock; energy is true to 1 % and a step."""
        volt, levels = 12, (1, 5)
        self.probe.set(1, vout=volt * 1000, iout=levels[0] * AMPERE)
        self.probe.say("CAL:CURR:GAIN 1.004545,(@1);:CAL:CURR:OFFS 0.02525,(@1);:CAL:VOLT:OFFS 0.0123,(@1)")
        self.probe.say("BUFF:CLE;:SAMP:RATE 500")
        zero, clock_error = self.probe.clock()
        begin_j, begin = self.probe.numbers("MEAS:ENER? (@1)")[0], time.monotonic()
        edges, used_j, since = [], 0.0, begin
        for i in range(12):
            time.sleep(0.1 + 0.007 * i)
            edges.append(self.probe.set(1, iout=levels[(i + 1) % 2] * AMPERE))
            used_j += volt * levels[i % 2] * (edges[-1][0] - since)
            since = edges[-1][0]
        time.sleep(0.1)
        before_ask = time.monotonic()
        energy_j = self.probe.numbers("MEAS:ENER? (@1)")[0] - begin_j
        used_j += volt * levels[0] * (before_ask - since)
        rows, lost = self.probe.samples()
        self.assertEqual(lost, 0)
        found = [(a[0] / 1e6 + zero, b[0] / 1e6 + zero) for a, b in zip(rows, rows[1:])
                 if (a[2] > 3e6) != (b[2] > 3e6)]
        self.assertEqual(len(found), len(edges))
        for (before, after), (told, confirmed) in zip(found, edges):
            # A sample's time is its beginning: the current is read within the millisecond after it.
            self.assertLessEqual(before - clock_error, confirmed)
            self.assertGreaterEqual(after + clock_error + 0.001, told)
        for row in rows:
            level = levels[1] if row[2] > 3e6 else levels[0]
            self.assertAlmostEqual(row[2] / 1e6, level, delta=STEP_A * 0.52)
        late = sum(confirmed - told for told, confirmed in edges) * volt * (levels[1] - levels[0])
        self.assertLess(abs(energy_j - used_j), 0.01 * used_j + STEP_A * volt * (before_ask - begin) + late)

    def test_an_overcurrent_is_latched_and_told(self):
        self.probe.set(3, iout=2 * AMPERE)
        self.probe.say("CURR:PROT 4,(@3)")
        self.assertEqual(self.probe.ask("OUTP:PROT:TRIP? (@1:4);:OUTP? (@3)"), "0,0,0,0;1")
        self.probe.set(3, iout=6 * AMPERE)
        time.sleep(0.1)
        self.probe.set(3, iout=0)
        self.assertEqual(self.probe.ask("OUTP:PROT:TRIP? (@1:4);:OUTP? (@1:4)"), "0,0,1,0;1,1,0,1")
        self.assertEqual(self.probe.ask("SYST:ERR?"), '303,"Overcurrent, output 3 off"')
        self.probe.say("OUTP ON,(@3)")
        self.assertEqual(self.probe.ask("SYST:ERR?;:OUTP? (@3)"), '-221,"Settings conflict";0')
        self.assertEqual(self.probe.ask("OUTP:PROT:CLE (@3);:OUTP ON,(@3);:OUTP? (@3)"), "1")

    def test_its_watchdogs_bite(self):
        self.probe.say("SYST:WDOG 0.3")
        time.sleep(0.8)
        self.assertEqual(self.probe.ask("OUTP? (@1:4)"), "0,0,0,0")
        self.assertEqual(self.probe.ask("DIAG:WDOG?"), "0")
        self.probe.say("DIAG:HANG")
        time.sleep(3)
        self.assertEqual(self.probe.ask("DIAG:WDOG?;*TST?"), "1;0")

    def test_it_waits_without_using_the_processor(self):
        """At ten samples a second it sleeps; were it to spin, this would be a whole processor."""
        self.assertEqual(self.probe.ask("SAMP:RATE 10;:SAMP:RATE?"), "10")

        def used_s():
            with open(f"/proc/{self.probe.process.pid}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        time.sleep(0.3)
        before = used_s()
        time.sleep(2)
        self.assertLess(used_s() - before, 0.5)

    def test_a_channel_without_a_chip_reads_as_no_number(self):
        probe = Probe(self, chips=3)
        self.assertEqual(probe.ask("*TST?"), "8")
        volt, none = probe.ask("MEAS:VOLT? (@3:4);:SYST:ERR?").split(",", 1)
        self.assertAlmostEqual(float(volt), 12, delta=STEP_V)
        self.assertEqual(none, '9.91E+37;-241,"Hardware missing"')

    @unittest.skipUnless(shutil.which("sigrok-cli"), "sigrok-cli is not installed: run setup/packages")
    def test_stock_sigrok_cli_reads_it_as_a_dp832(self):
        self.probe.set(2, vout=5000, iout=3 * AMPERE)
        self.probe.ask("SYST:COMM:EMUL DP832;*IDN?")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(20)
            threading.Thread(target=serve_line, args=(listener, self.probe.line), daemon=True).start()
            spec = f"scpi-pps:conn=tcp-raw/127.0.0.1/{listener.getsockname()[1]}"
            found = subprocess.run(["sigrok-cli", "-d", spec, "--scan"], capture_output=True, text=True, timeout=60,
                                   check=True).stdout
            self.assertRegex(found, r"Rigol DP832 .*with 9 channels: V1 I1 P1 V2 I2 P2 V3 I3 P3")
            # sigrok-cli 0.7.2 fails an assertion of its own when all is done.
            read = subprocess.run(["sigrok-cli", "-d", spec, "-C", "V2,I2,P2", "--time", "1000", "-O", "analog"],
                                  capture_output=True, text=True, timeout=60, check=False).stdout
        for name, unit, value, delta in (("V2", "V", 5, STEP_V), ("I2", "A", 3, STEP_A + 0.02), ("P2", "W", 15, 0.5)):
            values = re.findall(rf"^{name}: ([0-9.]+) {unit}\b", read, re.M)
            self.assertGreaterEqual(len(values), 3, read)
            for text in values:
                self.assertAlmostEqual(float(text), value, delta=delta)

    def test_on_request_it_is_a_dp832(self):
        self.probe.set(2, vout=5000, iout=3 * AMPERE)
        self.assertEqual(self.probe.ask("SYST:COMM:EMUL DP832;*IDN?"),
                         "RIGOL TECHNOLOGIES,DP832,DP8C000001,00.01.16")
        self.probe.say(":INST:NSEL 2")
        volt, ampere, watt = self.probe.numbers(":MEAS:ALL?")
        self.assertAlmostEqual(volt, 5, delta=STEP_V)
        self.assertAlmostEqual(ampere, 3, delta=STEP_A + 0.02)
        self.assertAlmostEqual(watt, volt * ampere, delta=0.001)
        self.assertEqual(self.probe.ask(":OUTP CH2,OFF;:OUTP? CH1;:OUTP? CH2;:SYST:COMM:EMUL NONE;*IDN?"),
                         "ON;OFF;COLDRIG,SLOT PROBE MPS2-AN385,0,1.0")


@unittest.skipIf(WHY_NOT or missing_for_virtual_lab("5.10", "6.1"), WHY_NOT or missing_for_virtual_lab("5.10", "6.1"))
class AsTheLabsMeter(RigTest):
    """labs/virtual.yaml: the same verdicts and figures as with the computed instrument."""

    MODEL_W = {GPU: (8.2, 6.0, 0.0), NIC: (2.2, 0.4, 0.0), NVME: (5.0, 4.0, 0.0)}

    def setUp(self):
        super().setUp()
        with open(os.path.join(SOURCE, "labs/virtual.yaml"), encoding="utf-8") as file:
            self.lab = file.read()

    def run_lab(self, faults="[]", arms=(("old", "5.10"), ("new", "6.1"))):
        text, n = re.subn(r"^  faults: \[\].*$", "  faults: " + faults, self.lab, flags=re.M)
        self.assertEqual(n, 1)
        self.write("lab.yaml", text)
        # Long enough for a busy machine, which reads the probe slowly, to have its samples.
        text = plan_text(["{scenario: idle, cycles: 1}", "{scenario: rebind, cycles: 1}"], arms=arms)
        for old, new in (("level_dwell: 300 ms", "level_dwell: 800 ms"), ("\ndwell: 400 ms", "\ndwell: 900 ms")):
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.write("plan.yaml", text)
        return self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run")

    def test_verdicts_and_watts_are_those_of_the_model(self):
        done = self.run_lab()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.verdicts("run", arm="new"), {"confirmed": 6}, done.stdout)
        self.assertEqual(self.verdicts("run", arm="old"), {"d3hot": 6}, done.stdout)
        compared = 0
        for row in self.rows("run"):
            for state, model in zip(("D0", "D3hot", "D3cold"), self.MODEL_W[row["bdf"]]):
                power = row["power_w"][state]
                if power is None:
                    self.assertIn(f"power_w.{state}", row["reasons"])
                    continue
                self.assertLessEqual(abs(power["mean"] - model), power["u95"], f"{row['bdf']} {state}")
                compared += 1
        falls = list(self.rail_falls("run", "new"))
        self.assertEqual(len(falls), 3)
        for ordinal, measured_ms, true_ms, error_ms in falls:
            self.assertLessEqual(abs(measured_ms - true_ms), error_ms, ordinal)
        # Of each of three devices: two states on the old kernel and three on the new, in two scenarios.
        self.assertGreaterEqual(compared, 20)
        self.assert_nothing_left_running()

    def test_a_lie_is_caught_and_a_dead_probe_confirms_nothing(self):
        done = self.run_lab("[{fault: rail-stuck-on, slot: 7}, {fault: meter-dead, from_cycle: 4}]",
                            arms=(("new", "6.1"),))
        self.assertEqual(self.verdicts("run", scenario="idle", device=NVME), {"false-claim": 1}, done.stdout + done.stderr)
        self.assertEqual(self.verdicts("run", scenario="idle", device=NIC), {"confirmed": 1})
        self.assertEqual(set(self.verdicts("run", scenario="rebind")), {"unmeasured"})
        self.assert_nothing_left_running()


if __name__ == "__main__":
    unittest.main(verbosity=2)
