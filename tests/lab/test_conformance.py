# SPDX-License-Identifier: GPL-3.0-or-later
"""The conformance suite on real kernels in the emulated machine. Each patch by itself: tests/conformance/stairs."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import SOURCE, RigTest, missing_for_virtual_lab  # noqa: E402

SUITE = os.path.join(SOURCE, "tests", "conformance", "run")


class Conformance(RigTest):
    def run_suite(self, kernel):
        """Results by test, "ok" or "not ok"; those skipped are left out, but must be few."""
        why_not = missing_for_virtual_lab(kernel)
        if why_not:
            self.skipTest(why_not)
        done = subprocess.run([SUITE, kernel], env=self.env, capture_output=True, text=True, timeout=500, check=False)
        found = re.findall(r"^(ok|not ok) \d+ (\S+)( # SKIP)?", done.stdout, flags=re.M)
        planned = re.search(r"^1\.\.(\d+)", done.stdout, flags=re.M)
        self.assertIsNotNone(planned, done.stderr)
        self.assertEqual(len(found), int(planned.group(1)), done.stderr)
        results = {name: result for result, name, skipped in found if not skipped}
        self.assertGreater(len(results), len(found) - 10, "too many were skipped")
        return results, done

    def test_5_10_with_the_series_passes_all(self):
        results, done = self.run_suite("5.10+series")
        self.assertEqual([name for name, result in results.items() if result != "ok"], [], done.stdout)
        self.assertEqual(done.returncode, 0)

    def test_stock_5_10_passes_none_but_what_needs_no_patch(self):
        results, done = self.run_suite("5.10")
        for name, result in results.items():
            self.assertEqual(result, "ok" if name.startswith("p0-") else "not ok", name)
        for patch in "12345":
            self.assertTrue(any(name.startswith(f"p{patch}-") for name in results), f"no test of patch {patch}")
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
