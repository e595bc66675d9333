# SPDX-License-Identifier: GPL-3.0-or-later
"""Two live meters on one machine, lost together and back, and what other programs make of the run's samples."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import GPU, NVME, OneRun, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("6.1")
# As labs/virtual-computed.yaml has them; test_run.py compares.
MODEL_W = {GPU: {"D0": 8.2, "D3hot": 6.0, "D3cold": 0.0}, NVME: {"D0": 5.0, "D3hot": 4.0, "D3cold": 0.0}}

ACCURACY = "    accuracy: {gain: 0.1 %, offset: 5 mW"
WITH_V_AND_I = ", voltage: {gain: 0.1 %, offset: 5 mV}, current: {gain: 0.1 %, offset: 1 mA}}\n"
SECOND = """  - name: second
    spec: "scpi-pps:conn=tcp-raw/127.0.0.1/{port}"
    rate: 300 Hz
"""
SLOT5 = "{name: slot5, meter: dp832, channel: P1}"
SLOT7 = "          - {name: slot7, meter: dp832, channel: P3}"
LAB = {
    ACCURACY + "}\n": ACCURACY + WITH_V_AND_I + SECOND + ACCURACY + WITH_V_AND_I,
    # Volts of one instrument, amperes of the other.
    SLOT5: "{name: slot5, meter: dp832, voltage: V1, current_meter: second, current: I1}",
    # Two rails whose sum is the slot, each of an instrument of its own.
    SLOT7: "          - {name: one, meter: dp832, channel: P3, factor: 0.25}\n"
           "          - {name: other, meter: second, channel: P3, factor: 0.75}",
}


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed: run setup/packages")


@unittest.skipIf(WHY_NOT, WHY_NOT)
class TwoMeters(OneRun):
    """One run, looked at from all sides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keeper.write("lab.yaml", lab_text(extra=LAB))
        cls.keeper.write("plan.yaml", plan_text([f'{{scenario: idle, cycles: 4, devices: ["{GPU}", "{NVME}"]}}']) +
                         "faults:\n  - {fault: meter-unplugged, from_cycle: 3}\n")
        cls.done = cls.keeper.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run")

    def meter_events(self, what):
        """By meter: the bodies of its events of a kind."""
        found = {"dp832": [], "second": []}
        for text, in self.query("run", "SELECT body FROM journal WHERE kind = 'meter' ORDER BY seq"):
            body = json.loads(text)
            if body["event"] == what:
                found[body["meter"]].append(body)
        return found

    def gaps(self):
        """By meter: from its last reading to its return, in ns."""
        lost, ready = self.meter_events("lost"), self.meter_events("ready")
        return {name: (lost[name][0]["last_ns"], ready[name][1]["t_ns"]) for name in lost}

    def export(self, fmt, name):
        done = self.coldrig("export", "--format", fmt, "run", "--out", self.path(name))
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.path(name)

    def test_power_is_that_of_the_model_whichever_meter_tells_it(self):
        self.assertEqual(self.done.returncode, 0, self.done.stdout + self.done.stderr)
        for row in self.rows("run"):
            for state, model in MODEL_W[row["bdf"]].items():
                power = row["power_w"][state]
                self.assertLessEqual(abs(power["mean"] - model), power["u95"], f"{row['bdf']} {state}")
                self.assertLess(power["u95"], 0.1, f"{row['bdf']} {state}")

    def test_a_cycle_in_the_gap_is_unmeasured_and_all_others_are_confirmed(self):
        verdicts = [v for v, in self.query("run", "SELECT verdict FROM cycle ORDER BY ordinal")]
        begin_ns, end_ns = (dict(self.query("run", "SELECT cycle, t_ns FROM journal WHERE kind = ?", kind))
                            for kind in ("cycle-begin", "cycle-end"))
        gaps = self.gaps().values()
        apart = [all(end_ns[i] < a or begin_ns[i] > b for a, b in gaps) for i in range(8)]
        self.assertEqual(apart[:3], [True, True, False], self.done.stderr)
        self.assertGreaterEqual(sum(apart), 4)
        self.assertEqual(verdicts[2], "unmeasured", self.done.stderr)
        for i in range(8):
            # One that the gap only touches at a side may have its dwell whole.
            self.assertIn(verdicts[i], ["confirmed"] if apart[i] else ["confirmed", "unmeasured"], i)

    def test_the_gap_is_in_the_record_and_nothing_is_made_up_for_it(self):
        for what in ("lost", "ready"):
            self.assertEqual({name: len(bodies) for name, bodies in self.meter_events(what).items()},
                             {"dp832": 1, "second": 1} if what == "lost" else {"dp832": 2, "second": 2})
        self.assertIn("lost meter second", self.done.stdout)
        self.assertIn("meter second is back", self.done.stderr)
        times = {"dp832": [], "second": []}
        with open(self.export("csv", "gap.csv"), newline="", encoding="ascii") as file:
            for row in csv.DictReader(file):
                for column, value in row.items():
                    if "." in column and value:
                        times[column.split(".")[0]].append((int(row["monotonic_s"].replace(".", "")),
                                                            float(row["error_s"]) * 1e9))
        for name, (last_ns, back_ns) in self.gaps().items():
            self.assertGreater(back_ns - last_ns, 100_000_000)
            # The record keeps times to a fraction of their error.
            self.assertEqual([(t, e) for t, e in times[name] if last_ns < t - e / 8 and t + e / 8 < back_ns], [])
            self.assertGreater(sum(t <= last_ns for t, _ in times[name]), 100)
            self.assertGreater(sum(t >= back_ns for t, _ in times[name]), 100)

    def test_replay_gives_the_same(self):
        self.assertEqual(self.coldrig("replay", "run").stdout, self.done.stdout)

    def test_csv_has_the_unit_in_each_column(self):
        with open(self.export("csv", "names.csv"), encoding="ascii") as file:
            names = file.readline().strip().split(",")
        self.assertEqual(names, ["utc_s", "monotonic_s", "error_s", "dp832.V1_V", "dp832.P2_W", "dp832.P3_W",
                                 "second.I1_A", "second.P3_W"])

    @needs("sigrok-cli")
    def test_sigrok_opens_it_with_units_in_the_names(self):
        shown = subprocess.run(["sigrok-cli", "-i", self.export("sr", "r.sr"), "--show"], capture_output=True,
                               text=True, check=True).stdout
        for name in ("dp832.V1 [V]", "dp832.P3 [W]", "second.I1 [A]", "second.P3 [W]"):
            self.assertIn(f"- {name}: analog", shown)
        self.assertGreater(int(re.search(r"Analog sample count: (\d+)", shown).group(1)), 100)

    @needs("h5dump")
    def test_hdf5_has_values_and_units(self):
        path = self.export("hdf5", "r.h5")

        def dump(*args):
            return subprocess.run(["h5dump", *args, path], capture_output=True, text=True, check=True).stdout

        self.assertIn('"A"', dump("-a", "/second.I1/value/unit"))
        volts = re.search(r"DATA \{(.*?)\}", dump("-y", "-d", "/dp832.V1/value"), re.S).group(1).split(",")
        self.assertGreater(len(volts), 100)
        # The rail is at 12 V or off.
        self.assertEqual({round(float(v)) for v in volts} - {0}, {12})

    def test_nothing_is_left_running(self):
        self.assert_nothing_left_running()


if __name__ == "__main__":
    unittest.main(verbosity=2)
