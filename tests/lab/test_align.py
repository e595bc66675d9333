# SPDX-License-Identifier: GPL-3.0-or-later
"""Meters that are late: what the rig finds out by load steps against what was planted."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import NVME, SLOT_OF, RigTest, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("6.1")
LAG_NS, DRIFT = 300e6, 200e-6  # much more than the error of a meter on a machine that is busy
LATE = {"  seed: 1\n": "  seed: 1\n  lag: 300 ms\n  drift: 200 ppm\n"}
REBIND = [f'{{scenario: rebind, cycles: 2, devices: ["{NVME}"]}}']


@unittest.skipIf(WHY_NOT, WHY_NOT)
class LateMeter(RigTest):
    def run_late(self, name, plan, extra=None):
        self.write("lab.yaml", lab_text(extra={**LATE, **(extra or {})}))
        self.write("plan.yaml", plan)
        return self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", name)

    def alignment(self, run):
        (one,) = self.summary(run)["arms"][0]["alignment"]
        return one

    def entries(self, run, kind):
        return [json.loads(b) for (b,) in self.query(
            run, "SELECT body FROM journal WHERE kind = ? ORDER BY seq", kind)]

    def planted_ms(self, run):
        """The lag around the first steps: it grows from power-on, which the truth file begins with."""
        mark = self.entries(run, "clock")[0]
        times = [s["t0_ns"] - mark["target_ns"] + mark["controller_ns"] for s in self.entries(run, "step")[:6]]
        power_on = self.truth(run, "new")[0][0]
        return (LAG_NS + DRIFT * ((times[0] + times[-1]) / 2 - power_on)) / 1e6

    def edge_errors_ms(self, run):
        """How far off each to_d3cold_ms is, by the moment at which the rail really switched."""
        for ordinal, to_d3cold_ms in self.query(run, "SELECT ordinal, to_d3cold_ms FROM cycle ORDER BY ordinal"):
            entries = [(t, k, json.loads(b) if b else {}) for t, k, b in self.query(
                run, "SELECT t_ns, kind, body FROM journal WHERE cycle = ? ORDER BY seq", ordinal)]
            mark = next(b for _, k, b in entries if k == "clock")
            released_ns = [b for _, k, b in entries if k == "action"][-1]["t1_ns"] \
                - mark["target_ns"] + mark["controller_ns"]
            fell_ns = [t for t, slot, what, value in self.truth(run, "new")
                       if slot == SLOT_OF[NVME] and what == "rail" and value == "0"
                       and entries[0][0] < t < entries[-1][0]][-1]
            yield to_d3cold_ms - (fell_ns - released_ns) / 1e6

    def test_a_planted_lag_is_found_and_taken_out(self):
        done = self.run_late("run", plan_text(REBIND, times="align: auto").replace("\ndwell: 400 ms", "\ndwell: 2 s"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.verdicts("run"), {"confirmed": 2})
        found = self.alignment("run")
        self.assertLessEqual(abs(found["offset_ms"] - self.planted_ms("run")), found["u95_ms"])
        self.assertLess(found["u95_ms"], LAG_NS / 2e6, "an error as large as what was planted proves nothing")
        self.assertLessEqual(abs(found["drift_ppm"] - DRIFT * 1e6), found["drift_u95_ppm"])
        self.assertGreaterEqual(found["steps"], 10)
        self.assertTrue(found["ok"])
        stated = next(self.rows("run"))["to_d3cold_ms"]["error"]
        self.assertGreater(stated, found["u95_ms"])
        for error in self.edge_errors_ms("run"):
            self.assertLessEqual(abs(error), stated)
        again = self.coldrig("replay", "run")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("the same byte for byte", again.stderr)
        self.assert_nothing_left_running()

    def test_without_alignment_the_lag_is_in_every_edge(self):
        done = self.run_late("run", plan_text(REBIND, times="align: none"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.summary("run")["arms"][0]["alignment"], [])
        self.assertEqual(self.entries("run", "step"), [])
        stated = next(self.rows("run"))["to_d3cold_ms"]["error"]
        for error in self.edge_errors_ms("run"):
            self.assertGreater(error, stated)

    def test_a_meter_that_is_too_coarse_for_the_dwell_is_rejected(self):
        done = self.run_late("run", plan_text(REBIND, times="align: auto").replace("dwell: 400 ms", "dwell: 80 ms"),
                             {"rate: 450 Hz": "rate: 225 Hz"})
        self.assert_one_message(done, 3, "run: rejected: meter dp832 in arm new")
        self.assertIn("this run will be rejected", done.stderr)
        summary = self.summary("run")
        self.assertTrue(summary["complete"])
        self.assertIn("meter dp832", summary["rejected"])
        found = self.alignment("run")
        self.assertFalse(found["ok"])
        self.assertGreater(found["u95_ms"], found["limit_ms"])
        self.assertEqual(self.verdicts("run"), {"unmeasured": 2})
        self.assertIsNotNone(next(self.rows("run"))["power_w"]["D0"], "what was measured is kept")
        again = self.coldrig("replay", "run")
        self.assertEqual(again.returncode, 3, again.stderr)
        self.assertIn("the same byte for byte", again.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
