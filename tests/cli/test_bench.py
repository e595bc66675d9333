# SPDX-License-Identifier: GPL-3.0-or-later
"""The benches run and print their tables. No figure is looked at: that is for a quiet machine, see docs/bench.md."""

import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import BINARY, SOURCE, RigTest  # noqa: E402


class Bench(RigTest):
    def run_bench(self, *command):
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    @unittest.skipUnless(shutil.which("sigrok-cli"), "sigrok-cli is not installed: run setup/packages")
    def test_recording_beside_sigrok_cli(self):
        said = self.run_bench(sys.executable, "-B", os.path.join(SOURCE, "tests/bench/record"), "--short", "--build",
                              BINARY, "--dir", self.dir)
        for line in (r"copying memory +[\d.]+ GB/s", r"coldrig meter record( +\S+){3} +0\n", r"sigrok-cli, WAV( +\S+){4}\n",
                     r"coldrig meter record, 1000 Hz( +\S+){4}\n", r"sigrok-cli, analog text( +\S+){4}\n",
                     r"synthetic, 3 channels at 1 kHz, 2 minutes: 360000 samples", r"a second in the middle: 3000 readings",
                     r"wanted: "):
            self.assertRegex(said, line)
        self.assertEqual(os.listdir(self.dir), [], "the bench left files behind")

    def test_rate_and_memory_of_a_meter(self):
        bench = os.path.join(BINARY, "tests", "bench", "meter_rate")
        self.assertEqual(self.run_bench(bench, "500", "1", "1").count("readings/s"), 1)
        self.assertEqual(self.run_bench(bench, "--memory", "20000").count("KiB"), 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
