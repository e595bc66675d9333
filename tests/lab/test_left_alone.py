# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that outlives its controller: however that one ends, the agent puts back what was changed."""

import os
import pty
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import BINARY, CACHE, COLDRIG, RigTest, missing_for_virtual_lab, plan_text, processes_of  # noqa: E402

WHY_NOT = missing_for_virtual_lab("6.1")
DEVICE = "0000:01:00.0"
LAB = f"""lab: alone
targets:
  - name: box
    transport: "unix:%s"
    console: "unix:%s"
    devices:
      - {{bdf: "{DEVICE}", model: "an NVMe drive"}}
    lines:
      reset: {{command: {{on: ["false"], off: ["true"]}}, hold: 50 ms}}
      power: {{fake: "%s", off_time: 10 min}}
"""
# A machine that stands still is found at once, and then held without power.
RECOVERY = "recovery: {silence: 3 s, wait: 0 s, ask: 1 s, sysrq: 0 s, reset: 1 s, power: 5 s}\n"


@unittest.skipIf(WHY_NOT, WHY_NOT)
class LeftAlone(RigTest):
    """The machine is started by the test, so that it is none of the controller's processes."""

    def setUp(self):
        super().setUp()
        kernel, target = os.path.join(CACHE, "kernels", "6.1"), os.path.join(BINARY, "target")
        with open(self.path("initrd"), "wb") as out:
            for part in (os.path.join(kernel, "initramfs.cpio"), os.path.join(target, "agent.cpio")):
                with open(part, "rb") as file:
                    out.write(file.read())
        self.machine = subprocess.Popen([
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-M", "q35,kernel-irqchip=split", "-cpu", "max", "-accel", "tcg,thread=single", "-smp", "2", "-m", "1024",
            "-device", "intel-iommu,intremap=on,caching-mode=on",
            "-kernel", os.path.join(kernel, "vmlinux"), "-initrd", self.path("initrd"),
            "-append", "console=ttyS0 quiet loglevel=4 intel_iommu=on iommu=pt pcie_port_pm=force no_timer_check",
            "-acpitable", "file=" + os.path.join(target, "slots.aml"),
            "-device", "pcie-root-port,id=port7,slot=7,chassis=7,addr=07.0,hotplug=off,x-speed=5",
            "-drive", "if=none,id=d7,driver=null-co", "-device", "nvme,bus=port7,serial=x,drive=d7",
            "-chardev", f"socket,id=console,path={self.path('console')},server=on,wait=off,logfile={self.path('said')}",
            "-device", "isa-serial,chardev=console,index=0",
            "-chardev", f"socket,id=agent,path={self.path('agent')},server=on,wait=off",
            "-device", "isa-serial,chardev=agent,index=1",
            "-trace", "pci_nvme_mmio_start_success", "-D", self.path("trace")],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(self.machine.wait)
        self.addCleanup(self.machine.kill)
        self.addCleanup(self.machine.stderr.close)
        self.write("lab.yaml", LAB % (self.path("agent"), self.path("console"), self.path("supply")))
        plan = plan_text(["{scenario: idle, cycles: 1}"], times="")
        plan = plan.replace("dwell: 400 ms", "dwell: 1 h").replace("level_dwell: 1 h", "level_dwell: 300 ms")
        self.write("plan.yaml", plan)
        self.write("hasty.yaml", plan + RECOVERY)

    def wait_for(self, what, true, within_s=240):
        """what: words, or what makes them once it is too late."""
        deadline = time.monotonic() + within_s
        while not true():
            self.assertIsNone(self.machine.poll(), "the machine ended")
            if time.monotonic() > deadline:
                self.fail(what() if callable(what) else what)
            time.sleep(0.1)

    def says(self, words):
        with open(self.path("said"), "rb") as file:
            return words.encode() in file.read()

    def drives_started(self):
        """How often the machine's own driver has taken the drive: at boot, and each time it gets it back."""
        try:
            with open(self.path("trace"), encoding="utf-8") as file:
                return file.read().count("start_success")
        except OSError:
            return 0

    def words_of(self, out):
        try:
            with open(self.path(out + ".err"), encoding="utf-8") as file:
                return ": " + file.read()
        except OSError:  # they went to a terminal
            return ""

    def power_levels(self):
        """What the power line was given, in order."""
        try:
            with open(self.path("supply"), encoding="utf-8") as file:
                return [line.split()[1] for line in file]
        except OSError:
            return []

    def begin(self, out, plan="plan.yaml", **kwargs):
        if "stderr" not in kwargs:
            stderr = open(self.path(out + ".err"), "w", encoding="utf-8")
            self.addCleanup(stderr.close)
            kwargs["stderr"] = stderr
        process = subprocess.Popen([COLDRIG, "run", "--lab", "lab.yaml", "--plan", plan, "--out", out],
                                   cwd=self.dir, env=self.env, start_new_session=True, **kwargs)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def in_a_cycle(self, process, out):
        def is_in():
            if process.poll() is not None:
                self.fail("the run ended before its first cycle" + self.words_of(out))
            try:
                return self.query(out, "SELECT count(*) FROM journal WHERE kind = 'state'")[0][0] > 0
            except Exception:  # the file or its table is not there yet
                return False
        self.wait_for("no cycle began", is_in)

    def test_however_the_controller_ends_the_machine_gets_its_drive_back(self):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        self.wait_for("it did not boot", lambda: self.drives_started() >= 1 and self.says("target: up"))
        time.sleep(3)  # its agent starts; before, what is sent to it is lost

        def interrupt_twice(process):
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)

        ways = {"quit": (lambda p: p.send_signal(signal.SIGQUIT), quiet), "interrupt": (interrupt_twice, quiet),
                "terminate": (lambda p: p.send_signal(signal.SIGTERM), quiet),
                "power": (lambda p: p.send_signal(signal.SIGSTOP), quiet)}
        for name, (way, kwargs) in ways.items():
            with self.subTest(name):
                before = self.drives_started()
                process = self.begin(name, **kwargs)
                self.in_a_cycle(process, name)
                # Measuring the levels does not give the drive back.
                self.assertEqual(self.drives_started(), before)
                way(process)
                self.wait_for("the drive is not back", lambda: self.drives_started() > before)
                process.kill()
                process.wait()
                self.assert_only_the_machine_runs()
                # A line that was not driven is none of its business.
                self.assertEqual(self.power_levels(), [])
        with self.subTest("kill"):
            before = self.drives_started()
            process = self.begin("kill", plan="hasty.yaml", **quiet)
            self.in_a_cycle(process, "kill")
            self.machine.send_signal(signal.SIGSTOP)
            self.addCleanup(self.machine.send_signal, signal.SIGCONT)
            self.wait_for(lambda: "its power is not off" + self.words_of("kill"), lambda: self.power_levels() == ["0"], 60)
            # A line that fails is a step that was not done, no more.
            self.assertRegex(self.query("kill", "SELECT group_concat(body) FROM journal WHERE kind = 'recovery'")[0][0],
                             r'"step":"reset".*false: ended with status 1')
            os.killpg(process.pid, signal.SIGKILL)
            self.wait_for("its power is not back", lambda: self.power_levels() == ["0", "1"])
            self.machine.send_signal(signal.SIGCONT)
            self.wait_for("the drive is not back", lambda: self.drives_started() > before)
            process.wait()
            self.assert_only_the_machine_runs()
        with self.subTest("terminal"):
            before = self.drives_started()
            master, slave = pty.openpty()
            process = self.begin("terminal", stdin=slave, stdout=slave, stderr=slave,
                                 preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
            os.close(slave)
            os.set_blocking(master, False)
            self.in_a_cycle(process, "terminal")
            os.close(master)
            self.wait_for("the drive is not back", lambda: self.drives_started() > before)
            self.wait_for("it did not end", lambda: process.poll() is not None)
            self.assert_only_the_machine_runs()

    def assert_only_the_machine_runs(self):
        deadline = time.monotonic() + 5
        left = [None]
        while left and time.monotonic() < deadline:
            left = [p for p in processes_of(self.marker) if p[0] != self.machine.pid]
            time.sleep(0.05)
        self.assertEqual(left, [], "processes were left behind")


if __name__ == "__main__":
    unittest.main(verbosity=2)
