# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that hang, panic and fall silent: each is brought back, and no fault passes for a confirmed D3cold."""

import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import NIC, NVME, RigTest, SLOT_OF, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("6.1")
RECOVERY = "recovery: {silence: 5 s, wait: 1 s, ask: 8 s, sysrq: 40 s, reset: 40 s, power: 60 s, losses: %d}\n"


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Recovery(RigTest):
    def run_plan(self, faults, cycles, losses=0, devices=(NVME,), recovery=RECOVERY, times=""):
        """Faults in the plan: the lab has none."""
        names = ", ".join(f'"{bdf}"' for bdf in devices)
        self.write("lab.yaml", lab_text())
        self.write("plan.yaml", plan_text([f"{{scenario: rebind, cycles: {cycles}, devices: [{names}]}}"], times=times) +
                   recovery % losses + "faults:\n" + "".join(f"  - {{{f}}}\n" for f in faults))
        return self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run", timeout=500)

    def entries(self, kind):
        return [(cycle, json.loads(body)) for cycle, body in self.query(
            "run", "SELECT cycle, body FROM journal WHERE kind = ? ORDER BY seq", kind)]

    def verdicts_in_order(self):
        return [v for v, in self.query("run", "SELECT verdict FROM cycle ORDER BY ordinal")]

    def brought_back_by(self):
        """The step that did it, by the cycle that was lost, numbered from 1."""
        return {cycle + 1: body["by"] for cycle, body in self.entries("recovery") if body["what"] == "end"}

    def test_what_the_agent_or_its_line_suffers_is_over_when_asked_again(self):
        done = self.run_plan(["fault: agent-killed, from_cycle: 1", "fault: transport-cut, from_cycle: 3"], 4)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.verdicts_in_order(), ["lost", "confirmed", "lost", "confirmed"], done.stderr)
        self.assertEqual(self.brought_back_by(), {1: "ask", 3: "ask"})
        self.assertEqual(self.coldrig("replay", "run").returncode, 0)

    def test_a_kernel_in_trouble_is_booted_anew(self):
        done = self.run_plan(["fault: target-panic, from_cycle: 1", "fault: soft-lockup, from_cycle: 2",
                              f"fault: wake-fails, slot: {SLOT_OF[NVME]}, from_cycle: 3"], 4)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.verdicts_in_order(), ["lost", "lost", "lost", "confirmed"], done.stderr)
        # SysRq does nothing after a panic. Whether it does in time for the others is the machine's pace.
        by = self.brought_back_by()
        self.assertEqual(list(by), [1, 2, 3])
        self.assertEqual(by[1], "reset")
        self.assertLessEqual({by[2], by[3]}, {"sysrq", "reset"})
        with self.subTest("what the console said is of the cycle in which it was said"):
            said = [(cycle + 1, body["kind"]) for cycle, body in self.entries("console")]
            self.assertEqual([s for s in said if s[1] == "panic"], [(1, "panic")])
            self.assertIn((2, "soft-lockup"), said)
            console = self.summary("run")["arms"][0]["console"]
            self.assertEqual(console["counts"]["panic"], 1)
            self.assertEqual(console["events"][0]["cycle"], {"bdf": NVME, "scenario": "rebind", "number": 1})
        with self.subTest("the record of it has times, from before power-on"):
            with open(self.path("run/console-new.log"), encoding="utf-8") as file:
                lines = file.read().splitlines()
            self.assertRegex(lines[0], r"^# \d+\.\d{6} is \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            times = [float(re.match(r"\d+\.\d{6} ", line).group()) for line in lines[1:]]
            self.assertEqual(times, sorted(times))
            self.assertTrue(any("Kernel panic - not syncing" in line for line in lines))
        with self.subTest("the result counts"):
            told = self.summary("run")["arms"][0]["recovery"]
            self.assertEqual((told["lost"], told["recoveries"], told["recovered"]), (3, 3, 3))
            self.assertEqual(told["by"]["reset"] + told["by"]["sysrq"], 3)
            self.assertAlmostEqual(told["cycles_between_losses"], 4 / 3)
            self.assertEqual(told["first_lost"], {"bdf": NVME, "scenario": "rebind", "number": 1})
            self.assertIn("Lost 3 of 4 cycles", done.stdout)
        self.assertEqual(self.coldrig("replay", "run").returncode, 0)

    def test_a_device_that_does_not_wake_is_woken_by_another_boot_over_the_console_or_the_reset_line(self):
        ways = {"sysrq": "reset: 0 s, power: 0 s, sysrq: 60 s", "reset": "sysrq: 0 s, power: 0 s, reset: 60 s"}
        for by, limits in ways.items():
            with self.subTest(by):
                done = self.run_plan([f"fault: wake-fails, slot: {SLOT_OF[NVME]}, from_cycle: 1"], 2,
                                     recovery=f"recovery: {{silence: 5 s, wait: 1 s, ask: 8 s, {limits}, losses: %d}}\n")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertEqual(self.verdicts_in_order(), ["lost", "confirmed"], done.stderr)
                self.assertEqual(self.brought_back_by(), {1: by})
                steps = {body["step"]: body for _, body in self.entries("recovery") if body["what"] == "step"}
                self.assertEqual(steps[by]["found"], "new-boot")
                if by == "sysrq":  # the kernel was asked what hangs before it was rebooted
                    with open(self.path("run/console-new.log"), encoding="utf-8") as file:
                        self.assertRegex(file.read(), r"sysrq: Show Blocked State")
                os.rename(self.path("run"), self.path("run-" + by))

    def test_a_reset_that_does_not_help_is_followed_by_the_power_line(self):
        done = self.run_plan(["fault: reset-dead, from_cycle: 1", "fault: line-stuck, from_cycle: 2"], 3,
                             recovery=RECOVERY.replace("reset: 40 s", "reset: 3 s"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.verdicts_in_order(), ["lost", "lost", "confirmed"], done.stderr)
        self.assertEqual(self.brought_back_by(), {1: "power", 2: "power"})
        tried = [body["step"] for cycle, body in self.entries("recovery") if body["what"] == "step" and cycle == 0]
        self.assertEqual(tried, ["wait", "ask", "sysrq", "reset", "power"])

    def test_meters_and_rails_are_faulty_in_their_cycles_alone(self):
        done = self.run_plan([f"fault: rail-stuck-on, slot: {SLOT_OF[NVME]}, from_cycle: 1, cycles: 1, every: 2",
                              "fault: meter-unplugged, from_cycle: 4"], 4)
        self.assertEqual(self.verdicts_in_order(), ["false-claim", "confirmed", "false-claim", "unmeasured"],
                         done.stderr)
        self.assertEqual(self.summary("run")["arms"][0]["recovery"]["recoveries"], 0)

    def test_a_device_that_is_lost_too_often_is_left_out_and_the_rest_goes_on(self):
        done = self.run_plan(["fault: agent-killed, from_cycle: 1, cycles: 2"], 4, losses=2, devices=(NIC, NVME),
                             times="align: auto\ndwell: 1 s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.verdicts("run", device=NIC), {"lost": 2}, done.stderr)
        self.assertEqual(self.verdicts("run", device=NVME), {"confirmed": 4}, done.stderr)
        self.assertEqual(self.summary("run")["arms"][0]["recovery"]["left_out"], [{"bdf": NIC, "losses": 2}])
        self.assertTrue(self.summary("run")["complete"])
        self.assertIn(f"{NIC} is left out after 2 losses", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
