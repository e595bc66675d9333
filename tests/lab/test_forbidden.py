# SPDX-License-Identifier: GPL-3.0-or-later
"""Accesses to a device whose rail is off: planted ones are found, and nobody else makes any."""

import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import CACHE, GPU, NIC, NVME, RigTest, lab_text, missing_for_virtual_lab, plan_text  # noqa: E402

WHY_NOT = missing_for_virtual_lab("5.10", "6.1")
PAIR = ["{scenario: idle, cycles: 1}", "{scenario: rebind, cycles: 1}"]
LIMIT = "limits:\n  - {name: untouched, metric: forbidden_accesses, at_most: 0}\n"

# A program in the target that reads config space and memory of the NVMe drive, and writes to the
# latter, past its driver: three times, whenever its port has been in D3cold for a while.
INIT = """#!/bin/sh
export PATH=/bin
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
off() { [ "$(cat /sys/bus/pci/devices/0000:00:07.0/power_state)" = D3cold ]; }
(
n=0
while [ $n -lt 3 ]; do
	sleep 0.5
	off && sleep 0.3 && off || continue
	busybox devmem 0xb0300000 32 && busybox devmem 0xfde00000 32 &&
		busybox devmem 0xfde00010 32 1 && n=$((n + 1))
done
) >/dev/console 2>&1 &
exec /init.coldrig
"""

# The emulator with a kernel that lets programs at the memory of devices.
QEMU = """#!/bin/sh
n=$#
while [ $n -gt 0 ]; do
	case $1 in console=*) set -- "$@" "$1 iomem=relaxed" ;; *) set -- "$@" "$1" ;; esac
	shift
	n=$((n - 1))
done
exec %s "$@"
"""


def cpio(name, mode, data):
    """One file of an initramfs, in the kernel's format ("newc")."""
    def pad(b):
        return b + bytes(-len(b) % 4)
    fields = [1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
    return pad(head) + pad(data)


def file_of_cpio(archive, wanted):
    """What an archive has under a name."""
    at = 0
    while True:
        size, length = int(archive[at + 54:at + 62], 16), int(archive[at + 94:at + 102], 16)
        name = archive[at + 110:at + 110 + length - 1].decode()
        at += (110 + length + 3) // 4 * 4
        if name in (wanted, "TRAILER!!!"):
            return archive[at:at + size]
        at += (size + 3) // 4 * 4


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Forbidden(RigTest):
    def run_lab(self, faults, plan):
        self.write("lab.yaml", lab_text(faults))
        self.write("plan.yaml", plan)
        return self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run")

    def entries(self):
        return self.query("run", "SELECT cycle, json_extract(body, '$.device'), "
                                 "json_extract(body, '$.function'), json_extract(body, '$.kind'), "
                                 "json_extract(body, '$.address') FROM journal WHERE kind = 'forbidden' "
                                 "ORDER BY seq")

    def counts(self):
        return [n for n, in self.query("run", "SELECT forbidden_accesses FROM cycle ORDER BY ordinal")]

    def test_a_planted_access_is_found_in_its_cycle_and_fails_the_limit(self):
        done = self.run_lab("[{fault: touch-while-off, slot: 7, from_cycle: 2}]", plan_text(PAIR, limits=LIMIT))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        # Cycles by scenario, then device. In each the NVMe drive is touched, whoever's cycle it is:
        # once in its config space, once in its memory.
        self.assertEqual(self.counts(), [0, 2, 2, 2, 2, 2])
        entries = self.entries()
        self.assertEqual([e[0] for e in entries], [c for c in range(1, 6) for _ in range(2)])
        self.assertEqual({e[1:3] for e in entries}, {(NVME, NVME)})
        self.assertEqual([e[3] for e in entries], ["config-read", "memory-read"] * 5)
        self.assertEqual({e[4] for e in entries if e[3] == "config-read"}, {0})
        for row in self.rows("run"):
            first = row["scenario"] == "idle" and row["bdf"] == GPU
            self.assertEqual(row["forbidden_accesses"], 0 if first else 2)
        self.assertIn("FAILED  untouched: forbidden_accesses 10", done.stdout)
        self.assertIn(f"new: forbidden: {NVME} was accessed while its rail was off, 10 times; "
                      f"first: config-read of {NVME} at 0x0", done.stdout)
        # It is an access, no resume: the device stays in D3cold, and nobody woke it.
        self.assertEqual(self.verdicts("run", device=NVME), {"confirmed": 2})
        self.assertEqual(sum(r["unasked_resumes"] for r in self.rows("run")), 0)
        self.assertEqual(self.coldrig("replay", "run").returncode, 1)
        self.assert_nothing_left_running()

    def plant_in_target(self, kernel):
        """A cache of its own, whose initramfs runs INIT first, and QEMU."""
        theirs, ours = os.path.join(CACHE, "kernels", kernel), self.path("cache/kernels/" + kernel)
        os.makedirs(ours)
        for name in os.listdir(theirs):
            os.symlink(os.path.join(theirs, name), os.path.join(ours, name))
        os.remove(os.path.join(ours, "initramfs.cpio"))
        with open(os.path.join(theirs, "initramfs.cpio"), "rb") as file:
            archive = file.read()
        archive += bytes(-len(archive) % 512)
        with open(os.path.join(ours, "initramfs.cpio"), "wb") as file:
            file.write(archive + cpio("init.coldrig", 0o100755, file_of_cpio(archive, "init")) +
                       cpio("init", 0o100755, INIT.encode()) + cpio("TRAILER!!!", 0, b""))
        self.env["COLDRIG_CACHE"] = self.path("cache")
        os.mkdir(self.path("bin"))
        self.write("bin/qemu-system-x86_64", QEMU % shutil.which("qemu-system-x86_64"))
        os.chmod(self.path("bin/qemu-system-x86_64"), 0o755)
        self.env["PATH"] = self.path("bin") + ":" + self.env["PATH"]

    def test_accesses_by_a_program_in_the_target_are_found(self):
        self.plant_in_target("6.1")
        done = self.run_lab("[]", plan_text(PAIR))
        self.assertEqual([e[1:4] for e in self.entries()],
                         [(NVME, NVME, kind) for kind in ("config-read", "memory-read", "memory-write")] * 3,
                         done.stdout + done.stderr)
        self.assertIn(f"{NVME} was accessed while its rail was off, 9 times", done.stdout)

    def test_where_the_rail_stays_on_there_is_nothing_to_touch(self):
        done = self.run_lab("[{fault: touch-while-off, slot: 7}]",
                            plan_text(PAIR, arms=(("old", "5.10"),), limits=LIMIT))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.counts(), [0] * 6)
        self.assertNotIn("forbidden: ", done.stdout)

    def test_stock_kernels_touch_nothing(self):
        done = self.run_lab("[]", plan_text(
            PAIR + ["{scenario: open-close, cycles: 1}",
                    f'{{scenario: sriov, cycles: 1, settle: 1500 ms, devices: ["{NIC}"]}}'],
            arms=(("old", "5.10"), ("new", "6.1")), limits=LIMIT))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.counts(), [0] * 20)
        self.assertEqual(self.entries(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
