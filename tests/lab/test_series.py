# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel patch series in action: 5.10 with it does what 6.1 does."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import GPU, NIC, NVME, RigTest, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("5.10", "5.10+series")


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Series(RigTest):
    def test_5_10_with_the_series_reaches_d3cold_in_every_scenario(self):
        self.write("lab.yaml", lab_text())
        self.write("plan.yaml", plan_text(
            ["{scenario: idle, cycles: 2}", "{scenario: rebind, cycles: 2}", "{scenario: open-close, cycles: 2}",
             "{scenario: sriov, cycles: 1, settle: 1500 ms}"],
            arms=(("stock", "5.10"), ("series", "5.10+series"))))
        done = self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("confirmed", self.verdicts("run", arm="stock"))
        for device in (GPU, NIC, NVME):
            self.assertEqual(self.verdicts("run", arm="series", device=device),
                             {"confirmed": 7 if device == NIC else 6}, device)
        self.assertEqual(sum(row["unasked_resumes"] or 0 for row in self.rows("run")), 0)
        saved = {(s["bdf"], s["scenario"]): s for s in self.summary("run")["savings"]}
        for device, d3hot_w in ((GPU, 6.0), (NIC, 0.4), (NVME, 4.0)):
            s = saved[(device, "idle")]
            self.assertLessEqual(abs(s["saved_w"] - d3hot_w), s["u95"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
