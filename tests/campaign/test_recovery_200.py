# SPDX-License-Identifier: GPL-3.0-or-later
"""plans/recovery.yaml, whole, looked at cycle by cycle: 200 cycles of which 95 are faulted. Half an hour.
COLDRIG_RESULTS, a directory that is there, gets what the run printed, and its summary.json."""

import json
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import RigTest, SOURCE, missing_for_virtual_lab  # noqa: E402

PLAN = os.path.join(SOURCE, "plans", "recovery.yaml")
CYCLES = 200
VERDICT_OF = {"rail-stuck-on": "false-claim", "meter-unplugged": "unmeasured"}  # of any other: lost
PANIC_LIMIT_S = 20  # from the moment it is known to a target whose kernel and devices are verified
WHY_NOT = missing_for_virtual_lab("6.1")


def faults_of_plan():
    """{cycle: fault}"""
    with open(PLAN, encoding="utf-8") as file:
        found = re.findall(r"^  - \{fault: ([\w-]+),.* from_cycle: (\d+), every: (\d+)\}$", file.read(), re.M)
    return {cycle: fault for fault, first, every in found for cycle in range(int(first), CYCLES + 1, int(every))}


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Recovery200(RigTest):
    def journal(self, kind):
        return [(cycle + 1, json.loads(body)) for cycle, body in self.query(
            "run", "SELECT cycle, body FROM journal WHERE kind = ? ORDER BY seq", kind)]

    def test_no_fault_of_a_long_night_passes_for_a_verdict(self):
        faults = faults_of_plan()
        for fault in set(faults.values()):
            self.assertGreaterEqual(list(faults.values()).count(fault), 10, fault)
        self.assertEqual(len(set(faults.values())), 9)

        done = self.coldrig("run", "--lab", os.path.join(SOURCE, "labs/virtual-computed.yaml"), "--plan", PLAN, "--out", "run",
                            timeout=3 * 3600)
        if os.environ.get("COLDRIG_RESULTS"):
            shutil.copy(self.path("run/summary.json"), os.environ["COLDRIG_RESULTS"])
            with open(os.path.join(os.environ["COLDRIG_RESULTS"], "result.txt"), "w", encoding="utf-8") as file:
                file.write(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.look_at(faults)
        self.assert_nothing_left_running()
        self.assertEqual(self.coldrig("replay", "run").returncode, 0)

    def look_at(self, faults):
        with self.subTest("each cycle is there once, with its true verdict"):
            verdicts = self.query("run", "SELECT number, verdict FROM cycle ORDER BY ordinal")
            self.assertEqual(verdicts, [(c, VERDICT_OF.get(faults[c], "lost") if c in faults else "confirmed")
                                        for c in range(1, CYCLES + 1)])
        with self.subTest("a panic is over soon"):
            ends = [(cycle, body) for cycle, body in self.journal("recovery") if body["what"] == "end"]
            took_s = [(body["t1_ns"] - body["t0_ns"]) / 1e9 for cycle, body in ends if faults[cycle] == "target-panic"]
            print(f"\nrecovery from a panic: {min(took_s):.1f} to {max(took_s):.1f} s, {len(took_s)} times")
            self.assertLessEqual(max(took_s), PANIC_LIMIT_S)
        with self.subTest("the target was put back as it was"):
            restored = [json.loads(body) for body, in self.query("run", "SELECT body FROM journal WHERE kind = 'restored'")]
            self.assertEqual([(body["by"], body["ok"]) for body in restored], [("bye", True)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
