# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeded defects are found by the suite, what breaks nothing is not. All of them: tests/conformance/defects."""

import glob
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import BINARY, CACHE, SOURCE, RigTest, missing_for_virtual_lab  # noqa: E402

DEFECTS = os.path.join(SOURCE, "tests", "data", "defects")
SCRIPT = os.path.join(SOURCE, "tests", "conformance", "defects")
SUITE = os.path.join(BINARY, "tests", "conformance", "vfio-pm-conformance")
SERIES = os.path.join(SOURCE, "kernel", "series", "5.10")
BASE = os.path.join(CACHE, "sources", "5.10", "source")
WHY_NOT = missing_for_virtual_lab("5.10") or (
    None if os.path.isdir(BASE) else "the source of 5.10 is not in the cache: kernel/build --help")

BREAKS_NOTHING = """Subject: [DEFECT] vfio/pci: none

Breaks: p5
Found-by: p5-second-entry-einval
---
diff --git a/drivers/vfio/pci/vfio_pci.c b/drivers/vfio/pci/vfio_pci.c
--- a/drivers/vfio/pci/vfio_pci.c
+++ b/drivers/vfio/pci/vfio_pci.c
@@ -455,5 +455,5 @@
 
-\t/* No need to tell the user */
+\t/* No need to tell the user, who asked for it */
 \tdown_write(&vdev->memory_lock);
 \tif (vdev->wake_trigger) {
 \t\teventfd_ctx_put(vdev->wake_trigger);
"""


def patches():
    return sorted(glob.glob(os.path.join(DEFECTS, "*.patch")))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Defects(RigTest):
    @staticmethod
    def patch(tree, path, *options):
        return subprocess.run(["patch", "-d", tree, "-p1", "-s", "--fuzz=0", "--force", *options, "-i", path],
                              capture_output=True, text=True, check=False)

    def test_each_applies_to_the_series(self):
        tree = self.path("tree")
        for part in ("drivers", "include"):
            shutil.copytree(os.path.join(BASE, part), os.path.join(tree, part))
        for path in sorted(glob.glob(os.path.join(SERIES, "000[1-9]*.patch"))):
            done = self.patch(tree, path)
            self.assertEqual(done.returncode, 0, done.stdout)
        for path in patches():
            done = self.patch(tree, path, "--dry-run")
            self.assertEqual(done.returncode, 0, f"{path}: {done.stdout}")

    def test_each_names_what_it_breaks_and_what_finds_it(self):
        listed = subprocess.run([SUITE, "--list"], capture_output=True, text=True, check=True).stdout
        tests = {line.split("\t")[0] for line in listed.splitlines()}
        broken = set()
        self.assertGreaterEqual(len(patches()), 12)
        for path in patches():
            text = read(path)
            self.assertRegex(text, r"(?m)^Subject: \[DEFECT\] vfio/pci: \S", path)
            named = re.findall(r"^Found-by: (.*)$", text, flags=re.M)
            self.assertLessEqual(set(named), tests, path)
            self.assertNotEqual(bool(named), bool(re.search(r"^Not-found: \S", text, flags=re.M)), path)
            broken.update(re.findall(r"^Breaks: (p[1-5])$", text, flags=re.M))
        self.assertEqual(broken, {"p1", "p2", "p3", "p4", "p5"})

    def test_defects_are_found_and_what_breaks_nothing_is_not(self):
        chosen = self.path("defects")
        os.mkdir(chosen)
        for name in ("08-pme-set-by-user", "14-second-entry-taken"):
            shutil.copy(os.path.join(DEFECTS, name + ".patch"), chosen)
        self.write("defects/99-nothing.patch", BREAKS_NOTHING)
        done = subprocess.run([SCRIPT, "--quick", "--from", chosen, SERIES, self.path("out")],
                              env=self.env, capture_output=True, text=True, timeout=500, check=False)
        self.assertEqual(done.stdout.splitlines(), [
            "08-pme-set-by-user: found by p3-pf-host-pme-survives p3-pf-pme-en-write-ignored",
            "14-second-entry-taken: found by p5-second-entry-einval",
            "99-nothing: NOT FOUND"], done.stderr)
        self.assertEqual(done.returncode, 1, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
