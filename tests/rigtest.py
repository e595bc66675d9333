# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests in cli/ and lab/ share: running coldrig as a user does, and looking at what is left."""

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest

SOURCE = os.environ.get("COLDRIG_SOURCE_DIR", os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("COLDRIG_BINARY_DIR", os.path.join(SOURCE, "build", "dev"))
COLDRIG = os.path.join(BINARY, "coldrig")
# Without sanitizers: there only where COLDRIG has them.
PLAIN = os.path.join(BINARY, "plain", "coldrig")
PLAIN = PLAIN if os.path.exists(PLAIN) else COLDRIG
AGENT = os.path.join(BINARY, "rig", "agent", "coldrig-agent")
CACHE = os.environ.get("COLDRIG_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "coldrig")

GPU, NIC, NVME = "0000:01:00.0", "0000:02:00.0", "0000:03:00.0"
SLOT_OF = {GPU: 5, NIC: 6, NVME: 7}


def missing_for_virtual_lab(*kernels):
    """Why the virtual lab cannot be started here, or None."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed: run setup/packages"
    for kernel in kernels:
        directory = os.path.join(CACHE, "kernels", kernel)
        if not os.path.exists(os.path.join(directory, "initramfs.cpio")):
            how = "kernel/variant" if "+" in kernel else "kernel/fetch, kernel/initramfs"
            return f"kernel {kernel} is not in the cache: {how} --help"
    return None


def lab_text(faults="[]", extra=None):
    """The virtual lab that needs one emulator only, with faults, as it would be edited by hand."""
    with open(os.path.join(SOURCE, "labs", "virtual-computed.yaml"), encoding="utf-8") as file:
        text = file.read()
    text, n = re.subn(r"^  faults: \[\].*$", "  faults: " + faults, text, flags=re.M)
    assert n == 1, "labs/virtual-computed.yaml has no line '  faults: []'"
    for old, new in (extra or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def plan_text(scenarios, arms=(("new", "6.1"),), limits="", times=""):
    """A quick plan, without the load steps that align meters, unless times asks for them."""
    lines = ["plan: test", "level_dwell: 300 ms", "settle: 300 ms", "" if "dwell:" in times else "dwell: 400 ms", "hold: 50 ms",
             "answer_limit: 4 s", "" if "align:" in times else "align: none", times, "arms:"]
    lines += [f'  - {{name: {name}, kernel: "{kernel}"}}' for name, kernel in arms]
    lines += ["scenarios:"] + ["  - " + scenario for scenario in scenarios]
    return "\n".join(lines) + "\n" + limits


def processes_of(marker):
    """Processes, zombies left out, whose environment holds a marker: emulators, labs, meters."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if marker.encode() not in file.read():
                    continue
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                if file.read().rsplit(")", 1)[1].split()[0] in "ZX":
                    continue
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found.append((int(pid), file.read().replace(b"\0", b" ").decode()[:80]))
        except OSError:
            continue
    return found


class RigTest(unittest.TestCase):
    """A test with a directory of its own, which looks for processes left behind."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="coldrig-test-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.marker = f"COLDRIG_TEST_MARKER={os.path.basename(self.dir)}"
        self.env = dict(os.environ, LC_ALL="C.UTF-8", COLDRIG_LOCK_DIR=self.dir,
                        COLDRIG_BINARY_DIR=BINARY,
                        COLDRIG_TEST_MARKER=os.path.basename(self.dir))
        self.addCleanup(self.kill_leftovers)

    def kill_leftovers(self):
        for pid, _ in processes_of(self.marker):
            try:
                os.kill(pid, 9)
            except OSError:
                pass

    def assert_nothing_left_running(self, within_s=3.0):
        deadline = time.monotonic() + within_s
        while (left := processes_of(self.marker)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(left, [], "processes were left behind")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, *args):
        return subprocess.Popen([COLDRIG, *args], env=self.env, cwd=self.dir, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def coldrig(self, *args, timeout=240):
        return subprocess.run([COLDRIG, *args], env=self.env, cwd=self.dir, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                              check=False)

    def assert_one_message(self, done, status, *parts):
        """The exit status, and one line on stderr that begins as it should and holds the parts."""
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("coldrig: ")]
        self.assertGreaterEqual(len(lines), 1, done.stderr)
        for part in parts:
            self.assertIn(part, lines[0])
        self.assertNotIn("Sanitizer", done.stderr)

    def summary(self, run):
        with open(os.path.join(self.path(run), "summary.json"), encoding="utf-8") as file:
            return json.load(file)

    def rows(self, run, arm=None, device=None, scenario=None):
        """Entries of summary.json's devices."""
        for a in self.summary(run)["arms"]:
            for d in a["devices"]:
                if arm in (None, a["name"]) and device in (None, d["bdf"]) and \
                        scenario in (None, d["scenario"]):
                    yield d

    def verdicts(self, run, **which):
        """Verdicts with their counts, summed, zeros left out."""
        counts = {}
        for row in self.rows(run, **which):
            for verdict, n in row["verdicts"].items():
                if n:
                    counts[verdict] = counts.get(verdict, 0) + n
        return counts

    def query(self, run, sql, *args):
        db = sqlite3.connect(f"file:{self.path(run)}/run.db?mode=ro", uri=True)
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()

    def rail_falls(self, run, arm):
        """Of each confirmed rebind cycle: its ordinal, to_d3cold_ms, what the emulated rail says of it, and the
        error stated. to_d3cold_ms is a time of the rail's edge less a time of the target."""
        truth = self.truth(run, arm)
        for ordinal, device, to_d3cold_ms in self.query(
                run, "SELECT ordinal, device, to_d3cold_ms FROM cycle WHERE arm = ? AND scenario = 'rebind'"
                     " AND verdict = 'confirmed'", arm):
            entries = [(t, k, json.loads(b) if b else {}) for t, k, b in self.query(
                run, "SELECT t_ns, kind, body FROM journal WHERE cycle = ? ORDER BY seq", ordinal)]
            mark = next(b for _, k, b in entries if k == "clock")
            released = [b for _, k, b in entries if k == "action"][-1]["t1_ns"]
            released_ns = released - mark["target_ns"] + mark["controller_ns"]
            begin_ns, end_ns = entries[0][0], entries[-1][0]
            fell_ns = [t for t, slot, what, value in truth if slot == SLOT_OF[device] and what == "rail"
                       and value == "0" and begin_ns < t < end_ns][-1]
            error = next(self.rows(run, arm=arm, device=device, scenario="rebind"))["to_d3cold_ms"]["error"]
            yield ordinal, to_d3cold_ms, (fell_ns - released_ns) / 1e6, error

    def truth(self, run, arm):
        """What the emulated hardware did: (t_ns, slot, what, value)."""
        with open(f"{self.path(run)}/truth-{arm}.csv", encoding="utf-8") as file:
            return [(int(r["t_ns"]), int(r["slot"]), r["what"], r["value"]) for r in csv.DictReader(file)]


class OneRun(RigTest):
    """Tests that look at one run, which the class makes: from all sides. Its directory is the keeper's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keeper = RigTest("run")
        cls.keeper.setUp()
        cls.addClassCleanup(cls.keeper.doCleanups)

    def setUp(self):
        self.dir, self.env, self.marker = self.keeper.dir, self.keeper.env, self.keeper.marker
