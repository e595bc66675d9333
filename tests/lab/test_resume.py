# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed, stopped, refused or out of disk: nothing is lost, run twice or left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import NVME, RigTest, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("6.1")
PLAN = plan_text([f'{{scenario: idle, cycles: 3, devices: ["{NVME}"]}}',
                  f'{{scenario: rebind, cycles: 3, devices: ["{NVME}"]}}'])


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Resume(RigTest):
    def setUp(self):
        super().setUp()
        self.write("lab.yaml", lab_text())
        self.write("plan.yaml", PLAN)

    def begin(self, out="run"):
        return self.start("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", out)

    def finished(self, run="run"):
        try:
            return self.query(run, "SELECT ordinal FROM cycle ORDER BY rowid")
        except Exception:  # the file or its table is not there yet
            return []

    def wait_for_cycles(self, process, n, run="run"):
        deadline = time.monotonic() + 120
        while len(self.finished(run)) < n and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertGreaterEqual(len(self.finished(run)), n)

    def kill(self, process):
        process.kill()
        process.communicate()
        self.assert_nothing_left_running()

    def assert_each_cycle_once(self):
        self.assertEqual(self.finished(), [(i,) for i in range(6)])
        ends = self.query("run", "SELECT cycle FROM journal WHERE kind = 'cycle-end' ORDER BY cycle")
        self.assertEqual(ends, [(i,) for i in range(6)])
        self.assertEqual(self.verdicts("run"), {"confirmed": 6})

    def test_kill_9_again_and_again(self):
        process = self.begin()
        self.wait_for_cycles(process, 1)
        self.kill(process)
        kept = self.finished()
        for more in (2, 4):
            process = self.start("resume", "run")
            self.wait_for_cycles(process, more)
            self.kill(process)
            self.assertEqual(self.finished()[:len(kept)], kept)
            kept = self.finished()
        done = self.coldrig("resume", "run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_each_cycle_once()
        self.assertIn("same byte for byte", self.coldrig("replay", "run").stderr)

    def test_kill_9_at_odd_moments(self):
        process = self.begin()
        for after_s in (0.01, 0.03, 0.05, 0.1, 1.0, 2.5, 4.5, 6.0):
            time.sleep(after_s)
            self.kill(process)
            if not os.path.exists(self.path("run/run.db")):
                process = self.begin()
            else:
                process = self.start("resume", "run")
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, out + err)
        self.assert_each_cycle_once()

    def test_interrupt_restores_the_target_and_says_how_to_go_on(self):
        process = self.begin()
        self.wait_for_cycles(process, 1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 3, out + err)
        self.assertIn("coldrig resume run", err)
        self.assert_nothing_left_running()
        self.assertFalse(self.summary("run")["complete"])
        self.assertEqual(self.coldrig("resume", "run").returncode, 0)
        self.assert_each_cycle_once()

    def test_a_second_run_on_the_target_is_refused_naming_the_first(self):
        process = self.begin()
        self.wait_for_cycles(process, 1)
        second = self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "other")
        self.assert_one_message(second, 3, "vt", self.path("run"), str(process.pid))
        self.assertFalse(os.path.exists(self.path("other")))
        self.assert_one_message(self.coldrig("resume", "run"), 3, str(process.pid))
        self.kill(process)

    def test_resuming_a_finished_run_runs_nothing(self):
        self.write("plan.yaml", plan_text([f'{{scenario: idle, cycles: 1, devices: ["{NVME}"]}}']))
        self.assertEqual(self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run").returncode, 0)
        before = self.query("run", "SELECT count(*) FROM journal")
        done = self.coldrig("resume", "run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.query("run", "SELECT count(*) FROM journal"), before)
        self.assertEqual([n for n in os.listdir(self.path("run")) if n.startswith("run.db")], ["run.db"])
        again = self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run")
        self.assert_one_message(again, 2, "run.db", "there is a run already")

    def test_a_damaged_chunk_of_samples_is_found(self):
        self.write("plan.yaml", plan_text([f'{{scenario: idle, cycles: 1, devices: ["{NVME}"]}}']))
        self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run")
        import sqlite3
        db = sqlite3.connect(self.path("run/run.db"))
        db.execute("UPDATE samples SET crc32 = crc32 + 1")
        db.commit()
        db.close()
        self.assert_one_message(self.coldrig("replay", "run"), 2, "run.db", "damaged")

    def test_a_full_disk_ends_the_run_and_keeps_what_was_done(self):
        os.mkdir(self.path("small"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", self.path("small")],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode:
            self.skipTest("a small file system needs root and mount: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", self.path("small")], check=False)
        self.write("plan.yaml", plan_text([f'{{scenario: idle, cycles: 60, devices: ["{NVME}"]}}'],
                                          times="dwell: 50 ms")
                   .replace("settle: 300 ms", "settle: 50 ms"))
        process = self.begin("small/run")
        self.wait_for_cycles(process, 1, "small/run")
        used = shutil.disk_usage(self.path("small")).used
        subprocess.run(["mount", "-o", f"remount,size={used + 65536}", self.path("small")], check=True)
        out, err = process.communicate(timeout=120)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        self.assert_one_message(done, 3, "small/run", "no space left")
        self.assertIn("are done and safe", done.stderr)
        self.assert_nothing_left_running()
        kept = self.finished("small/run")
        self.assertGreater(len(kept), 0)
        shutil.copytree(self.path("small/run"), self.path("run"))
        done = self.coldrig("resume", "run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.finished(), [(i,) for i in range(60)])
        self.assertEqual(self.finished()[:len(kept)], kept)


if __name__ == "__main__":
    unittest.main(verbosity=2)
