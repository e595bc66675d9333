# SPDX-License-Identifier: GPL-3.0-or-later
"""Endurance: the series loses nothing in some cycles, planted leaks are found, and kernel/build --image says what is
wrong before it compiles. Many cycles, and a kernel that looks at itself: results/series-endurance."""

import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import CACHE, SOURCE, RigTest, missing_for_virtual_lab  # noqa: E402

SERIES = os.path.join(SOURCE, "kernel", "series", "5.10")
LEAKS = os.path.join(SOURCE, "tests", "data", "leaks")
CYCLES = "15"


class Endurance(RigTest):
    def tool(self, *args, timeout=300):
        return subprocess.run([os.path.join(SOURCE, args[0]), *args[1:]], env=self.env, capture_output=True,
                              text=True, timeout=timeout, check=False)

    def need(self, kernel):
        why_not = missing_for_virtual_lab(kernel)
        if why_not:
            self.skipTest(why_not)

    def endure(self, kernel, pattern):
        """Results by test, and the notes of those that failed."""
        done = self.tool("tests/conformance/run", kernel, "--endurance", CYCLES, "--filter", pattern)
        results = {name: result for result, name in
                   re.findall(r"^(ok|not ok) \d+ (\S+)$", done.stdout, flags=re.M)}
        self.assertNotEqual(results, {}, done.stdout + done.stderr)
        return results, done

    def series_with(self, *patches):
        """The series in a directory of its own, patches added at its end."""
        directory = self.path("5.10")
        shutil.copytree(SERIES, directory)
        for patch in patches:
            shutil.copy(patch, directory)
            with open(os.path.join(directory, "series"), "a", encoding="utf-8") as file:
                file.write(os.path.basename(patch) + "\n")
        return directory

    def kernel_with(self, leak):
        self.need("5.10+series")
        name = f"test-{leak}-{os.path.basename(self.dir)}"
        self.addCleanup(shutil.rmtree, os.path.join(CACHE, "kernels", f"5.10+{name}"), ignore_errors=True)
        series = self.series_with(os.path.join(LEAKS, leak + ".patch"))
        for command in (("kernel/build", "--series", series, "--modules-only", "--out", self.path("modules")),
                        ("kernel/variant", "5.10", name, self.path("modules"))):
            done = self.tool(*command)
            self.assertEqual(done.returncode, 0, done.stderr)
        return f"5.10+{name}"

    def test_the_series_loses_nothing(self):
        self.need("5.10+series")
        results, done = self.endure("5.10+series", "e-*-endpoint")
        self.assertEqual(results, {"e-open-close-endpoint": "ok", "e-bind-unbind-endpoint": "ok"}, done.stdout)

    def test_forgotten_memory_is_found(self):
        results, done = self.endure(self.kernel_with("memory"), "e-*-endpoint")
        self.assertEqual(results, {"e-open-close-endpoint": "not ok", "e-bind-unbind-endpoint": "not ok"},
                         done.stdout)
        self.assertRegex(done.stdout, r"# e-open-close-endpoint: kmalloc\S*: grows by .* objects a cycle")

    def test_a_forgotten_reference_is_found(self):
        results, done = self.endure(self.kernel_with("reference"), "e-open-close-endpoint")
        self.assertEqual(results, {"e-open-close-endpoint": "not ok"}, done.stdout)
        self.assertIn("not suspended", done.stdout)


class Image(RigTest):
    def trees(self):
        """What builds of images work in."""
        return {name for name in os.listdir(os.path.join(CACHE, "sources")) if name.startswith(".image.")}

    def test_a_patch_that_does_not_apply_names_hunk_and_file_and_leaves_nothing(self):
        source = [name for name in os.listdir(os.path.join(CACHE, "sources")) if name.startswith("linux-source-5.10_")] \
            if os.path.isdir(os.path.join(CACHE, "sources")) else []
        if not source:
            self.skipTest("the whole source of 5.10 is not in the cache: kernel/build --image fetches it")
        # Of another build that runs meanwhile.
        others = self.trees()
        os.mkdir(self.path("5.10"))
        self.write("5.10/series", "0001-bad.patch\n")
        self.write("5.10/0001-bad.patch", "--- a/drivers/vfio/pci/vfio_pci.c\n+++ b/drivers/vfio/pci/vfio_pci.c\n"
                   "@@ -30,3 +30,3 @@\n one line\n-that is not there\n+that is\n another\n")
        done = subprocess.run([os.path.join(SOURCE, "kernel/build"), "--series", self.path("5.10"), "--image",
                               "--out", self.path("out")], env=self.env, capture_output=True, text=True,
                              timeout=300, check=False)
        if "--image needs" in done.stderr:
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("coldrig: 0001-bad.patch: does not apply: hunk #1 of drivers/vfio/pci/vfio_pci.c, for line 30",
                      done.stderr)
        self.assertFalse(os.path.exists(self.path("out")))
        self.assertLessEqual(self.trees(), others)


if __name__ == "__main__":
    unittest.main(verbosity=2)
