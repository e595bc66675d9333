# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels under test by kexec on the virtual lab: booted, verified, and what is left of one that panics."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import CACHE, NVME, RigTest, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("5.10", "6.1")


def release_of(kernel):
    with open(os.path.join(CACHE, "kernels", kernel, "release"), encoding="utf-8") as file:
        return file.read().strip()


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Kexec(RigTest):
    def run_lab(self, arms, cycles, faults="[]"):
        plan = plan_text([f'{{scenario: idle, cycles: {cycles}, devices: ["{NVME}"]}}'])
        self.write("plan.yaml", plan.replace('  - {name: new, kernel: "6.1"}', arms))
        self.write("lab.yaml", lab_text(faults))
        return self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run", timeout=300)

    def entries(self, kind):
        return [(arm, json.loads(body)) for arm, body in self.query(
            "run", "SELECT arm, body FROM journal WHERE kind = ? ORDER BY seq", kind)]

    def verdicts_in_order(self):
        return self.query("run", "SELECT arm, kernel, number, verdict FROM cycle ORDER BY ordinal")

    def check_booted(self, done, arm, kernel, came_from, syscall, boots):
        """What summary, table and journal say of an arm's boots, and what the dead kernels left."""
        release = release_of(kernel)
        with self.subTest("the summary says what ran, and how it came to run"):
            told = self.summary("run")["arms"][0]
            self.assertEqual(told["kernel"], release)
            self.assertEqual(told["kexec"], {"from": release_of(came_from), "syscall": syscall,
                                             "checked": ["release", "version", "build-id"],
                                             "crash_kernel": True})
            self.assertIn(f"{arm}   Linux {release}, by kexec from {release_of(came_from)}", done.stdout)
        with self.subTest("the journal has each step"):
            entries = [b for _, b in self.entries("kexec")]
            steps = [("send", "image"), ("send", "initrd"), ("load", "boot"), ("boot", None), ("up", None),
                     ("send", "crash-image"), ("send", "crash-initrd"), ("load", "crash")]
            self.assertEqual([(b["step"], b.get("kind", b.get("name"))) for b in entries], boots * steps)
            self.assertEqual({b["syscall"] for b in entries if b["step"] == "load"}, {syscall})
            self.assertEqual({b["was_there"] for b in entries if b["step"] == "send"}, {True})
        self.assertEqual(self.coldrig("replay", "run").returncode, 0)
        self.assert_nothing_left_running()

    def test_an_old_kernel_from_a_new_one(self):
        done = self.run_lab('  - {name: old, kernel: "5.10", kexec: {from: "6.1", syscall: load}}', 1)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.verdicts_in_order(), [("old", release_of("5.10"), 1, "d3hot")])
        self.check_booted(done, "old", "5.10", "6.1", "load", 1)

    def test_a_new_kernel_from_an_old_one_that_panics_in_a_cycle(self):
        done = self.run_lab('  - {name: new, kernel: "6.1", kexec: {from: "5.10", syscall: file}}', 2,
                            "[{fault: target-panic, from_cycle: 1}]")
        release = release_of("6.1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with self.subTest("that cycle is lost, and the arm goes on with the next"):
            self.assertEqual(self.verdicts_in_order(), [("new", release, 1, "lost"), ("new", release, 2, "confirmed")])
            self.assertTrue(self.summary("run")["complete"])
        with self.subTest("the log of the dead kernel is that of the kernel under test"):
            self.assertEqual([(b["file"], b["crash_kernel"]) for _, b in self.entries("panic")],
                             [("panic-new-1.txt", release_of("5.10"))])
            with open(self.path("run/panic-new-1.txt"), "rb") as file:
                log = file.read()
            self.assertEqual(len(log), self.entries("panic")[0][1]["bytes"])
            self.assertIn(f"Linux version {release} ".encode(), log)
            self.assertIn(b"coldrig.kexec", log)
            self.assertIn(b"Kernel panic - not syncing: NMI: Not continuing", log)
            self.assertIn("panic of target vt: its kernel panicked; panic-new-1.txt has its log", done.stdout)
        self.check_booted(done, "new", "6.1", "5.10", "file", 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
