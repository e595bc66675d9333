# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel patch series in action: 5.10 with it does what 6.1 does, and passes the conformance suite.
Each patch by itself: tests/conformance/stairs."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import GPU, NIC, NVME, RigTest, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("5.10", "5.10+series")


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Series(RigTest):
    def test_5_10_with_the_series_reaches_d3cold_and_passes_the_suite(self):
        self.write("lab.yaml", lab_text())
        self.write("plan.yaml", plan_text(
            ["{scenario: idle, cycles: 1}", "{scenario: rebind, cycles: 1}", "{scenario: open-close, cycles: 2}",
             "{scenario: sriov, cycles: 1, settle: 1500 ms}"],
            arms=(("stock", "5.10"), ("series", "5.10+series")), times="conformance: 10 min",
            limits="limits:\n  - {name: all pass, metric: conformance_failed, at_most: 0, arm: series}\n"))
        done = self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run", timeout=900)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("confirmed", self.verdicts("run", arm="stock"))
        for device in (GPU, NIC, NVME):
            self.assertEqual(self.verdicts("run", arm="series", device=device),
                             {"confirmed": 5 if device == NIC else 4}, device)
        self.assertEqual(sum(row["unasked_resumes"] or 0 for row in self.rows("run")), 0)
        saved = {(s["bdf"], s["scenario"]): s for s in self.summary("run")["savings"]}
        for device, d3hot_w in ((GPU, 6.0), (NIC, 0.4), (NVME, 4.0)):
            s = saved[(device, "idle")]
            self.assertLessEqual(abs(s["saved_w"] - d3hot_w), s["u95"])
        suites = {arm["name"]: arm["conformance"] for arm in self.summary("run")["arms"]}
        self.check_suite(suites["stock"], lambda name: name.startswith("p0-"))
        self.check_suite(suites["series"], lambda name: True)
        self.assertEqual(self.coldrig("replay", "run").returncode, 0)

    def check_suite(self, suite, passes):
        self.assertTrue(suite["complete"], suite["why"])
        self.assertLess(suite["skip"], 10, "too many were skipped")
        for test in suite["tests"]:
            if test["outcome"] != "skip":
                self.assertEqual(test["outcome"], "pass" if passes(test["name"]) else "fail", test)
        for patch in "12345":
            self.assertTrue(any(test["name"].startswith(f"p{patch}-") for test in suite["tests"]), patch)


if __name__ == "__main__":
    unittest.main(verbosity=2)
