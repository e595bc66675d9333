# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted lies and faults: none of them may pass for a confirmed D3cold."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import GPU, NIC, NVME, RigTest, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("5.10", "6.1")
PAIR = ["{scenario: idle, cycles: 1}", "{scenario: rebind, cycles: 1}"]


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Lies(RigTest):
    def run_lab(self, faults, plan, **kwargs):
        self.write("lab.yaml", lab_text(faults))
        self.write("plan.yaml", plan)
        return self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run", **kwargs)

    def test_a_rail_that_stays_on_is_a_false_claim(self):
        for begin in ("", ", from_cycle: 0"):
            with self.subTest(begin=begin):
                done = self.run_lab(f"[{{fault: rail-stuck-on, slot: 7{begin}}}]", plan_text(PAIR))
                self.assertEqual(self.verdicts("run", device=NVME), {"false-claim": 2}, done.stderr)
                self.assertEqual(self.verdicts("run", device=NIC), {"confirmed": 2})
                self.assertIn("disagree:\n", done.stdout)
                os.rename(self.path("run"), self.path("run" + str(len(begin))))

    def test_a_rail_that_is_cut_early_is_silent(self):
        for begin in ("", ", from_cycle: 0"):
            with self.subTest(begin=begin):
                done = self.run_lab(f"[{{fault: rail-cut-early, slot: 7{begin}}}]",
                                    plan_text(PAIR, arms=(("old", "5.10"),)))
                self.assertEqual(self.verdicts("run", device=NVME), {"silent": 2}, done.stderr)
                self.assertEqual(self.verdicts("run", device=NIC), {"d3hot": 2})
                os.rename(self.path("run"), self.path("run" + str(len(begin))))

    def test_a_dead_meter_leaves_cycles_unmeasured(self):
        done = self.run_lab("[{fault: meter-dead, from_cycle: 2}]", plan_text(PAIR))
        self.assertEqual(set(self.verdicts("run", scenario="rebind")), {"unmeasured"}, done.stderr)
        self.assertIn("meter dp832 is lost", done.stderr)
        self.assertIn("lost meter dp832", " ".join(n["text"] for n in self.summary("run")["notes"]))

    def test_a_meter_that_was_dead_from_the_start_confirms_nothing(self):
        self.run_lab("[{fault: meter-dead, from_cycle: 0}]", plan_text(PAIR))
        self.assertEqual(set(self.verdicts("run")), {"unmeasured"})
        for row in self.rows("run"):
            self.assertIsNone(row["power_w"]["D0"])
            self.assertIn("power_w.D0", row["reasons"])

    def test_a_hung_target_is_lost_and_the_run_goes_on(self):
        done = self.run_lab("[{fault: target-hang, from_cycle: 2}]", plan_text(PAIR))
        self.assertEqual(self.verdicts("run").get("lost"), 1, done.stderr)
        self.assertEqual(self.verdicts("run").get("confirmed"), 5)
        self.assertTrue(self.summary("run")["complete"])
        self.assert_nothing_left_running()

    def test_a_target_that_hangs_at_power_on_is_a_failed_lab(self):
        done = self.run_lab("[{fault: target-hang, from_cycle: 0}]",
                            plan_text(PAIR) + "boot_limit: 4 s\n")
        self.assert_one_message(done, 3, "vt", "no agent answered within 4 s")
        self.assert_nothing_left_running()

    def test_a_device_that_is_not_there_is_left_out_and_the_rest_goes_on(self):
        gone = ["{fault: device-gone, slot: 5, from_cycle: 0}",  # it was not there to begin with
                "{fault: device-gone, slot: 6, from_cycle: 3}", "{fault: target-panic, from_cycle: 3}"]  # lost with the power
        done = self.run_lab(f"[{', '.join(gone)}]", plan_text(["{scenario: rebind, cycles: 2}"]).replace("kernel:", "d3cold_allowed: 0, kernel:") +
                            "recovery: {reset: 0 s, power: 60 s}\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.verdicts("run", device=GPU), {})
        self.assertEqual(self.verdicts("run", device=NIC), {"lost": 1}, done.stderr)
        # A kernel that has booted anew allows what the arm does not.
        self.assertEqual(self.verdicts("run", device=NVME), {"d3hot": 2}, done.stderr)
        why = "it is not on the target"
        self.assertEqual(self.summary("run")["arms"][0]["recovery"]["left_out"],
                         [{"bdf": GPU, "losses": 0, "why": why}, {"bdf": NIC, "losses": 1, "why": why}])
        for bdf in (GPU, NIC):
            self.assertIn(f"{bdf} is left out: {why}", done.stdout)
        steps = self.query("run", "SELECT body FROM journal WHERE kind = 'recovery' AND body LIKE '%incomplete%'")
        self.assertEqual(len(steps), 1, steps)
        self.assertTrue(self.summary("run")["complete"])
        self.assertEqual(self.coldrig("replay", "run").returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
