# SPDX-License-Identifier: GPL-3.0-or-later
"""coldrig kernel boot on a real target: the real agent, on a machine whose kexec is a script."""

import os
import pty
import select
import subprocess
import sys
import threading
import tty
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import AGENT, RigTest, plan_text  # noqa: E402

LAB = """lab: bench
targets:
  - name: box
    transport: "exec:{agent} --root {root}"
    devices: [{{bdf: "0000:01:00.0", model: a card}}]
"""

# Plays the kernel: "another kernel" is another boot id, with the command line that was loaded.
KEXEC = """#!/bin/sh
root={root}
echo "$*" >>$root/calls
for word; do last=$word; case $word in --command-line=*) line=${{word#*=}} ;; --initrd=*) initrd=${{word#*=}} ;; esac; done
case " $* " in
*' -u '*) echo 0 >$root/sys/kernel/kexec_loaded ;;
*' -l '*)
	[ ! -e $root/broken ] || {{ echo 'Cannot load: no such luck' >&2; exit 255; }}
	echo 1 >$root/sys/kernel/kexec_loaded
	echo "$line" >$root/next
	cp "$last" $root/got-image
	[ -z "$initrd" ] || cp "$initrd" $root/got-initrd ;;
*' -e '*)
	mv $root/next $root/proc/cmdline
	echo 0 >$root/sys/kernel/kexec_loaded
	echo boot-$$ >$root/proc/sys/kernel/random/boot_id ;;
esac
"""


def bzimage(version, size=200000):
    """As much of one as tells its version, and then bytes that an image could have."""
    image = bytearray(os.urandom(size))
    image[0x202:0x206] = b"HdrS"
    image[0x20e:0x210] = (0x200).to_bytes(2, "little")
    image[0x400:0x400 + len(version) + 1] = version.encode() + b"\0"
    return bytes(image)


class KernelBoot(RigTest):
    def setUp(self):
        super().setUp()
        self.root = self.path("root")
        for name in ("proc/sys/kernel/random", "sys/kernel", "run", "sbin", "boot"):
            os.makedirs(os.path.join(self.root, name))
        self.put("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/x\n")
        self.put("proc/meminfo", "MemAvailable: 100000 kB\n")
        self.put("proc/sys/kernel/random/boot_id", "boot-1\n")
        self.put("sys/kernel/kexec_loaded", "0\n")
        self.put("sbin/kexec", KEXEC.format(root=self.root))
        os.chmod(os.path.join(self.root, "sbin/kexec"), 0o755)
        self.put("sbin/reboot", f'#!/bin/sh\necho "$*" >{self.root}/rebooted\n')
        os.chmod(os.path.join(self.root, "sbin/reboot"), 0o755)
        self.write("lab.yaml", LAB.format(agent=AGENT, root=self.root))
        uts = os.uname()
        self.image = self.file("image", bzimage(f"{uts.release} (somebody) {uts.version}"))
        self.release = uts.release

    def put(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write(text)

    def got(self, name):
        with open(os.path.join(self.root, name), "rb") as file:
            return file.read()

    def file(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def boot(self, *args):
        return self.coldrig("kernel", "boot", "--lab", "lab.yaml", *args)

    def test_a_kernel_is_sent_whole_loaded_booted_and_verified(self):
        initrd = self.file("initrd", os.urandom(70001))
        done = self.boot("--image", self.image, "--initrd", initrd, "--append", "a=b", "--syscall", "load",
                         "--kernel", self.release)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"before: Linux {self.release}\nafter:  Linux {self.release} "
                                      f"{os.uname().version}; as asked for by release, version\n")
        for name in ("image", "initrd"):
            with open(self.path(name), "rb") as file:
                self.assertEqual(self.got(f"got-{name}"), file.read(), name)
        self.assertEqual(self.got("proc/cmdline"), b"root=/dev/x a=b coldrig.kexec\n")
        calls = self.got("calls").decode().splitlines()
        self.assertTrue(calls[0].startswith("-c -l "), calls)
        self.assertEqual(calls[1:2], ["-e"])
        self.assertEqual(os.listdir(os.path.join(self.root, "run")), [], "files were left on the target")
        self.assert_nothing_left_running()

    def serial_target(self):
        """The agent on a terminal, and one for the controller, with a wire between them."""
        (ours, controller), (theirs, agent) = pty.openpty(), pty.openpty()
        for fd in (controller, agent):
            tty.setraw(fd)
        process = subprocess.Popen([AGENT, "--root", self.root], env=self.env, stdin=agent, stdout=agent,
                                   stderr=subprocess.DEVNULL)
        quit_read, quit_write = os.pipe()

        def carry():
            while quit_read not in (ready := select.select([ours, theirs, quit_read], [], [])[0]):
                for fd in ready:
                    os.write(theirs if fd == ours else ours, os.read(fd, 4096))
        wire = threading.Thread(target=carry)
        wire.start()

        def end():
            os.write(quit_write, b"x")
            wire.join()
            process.terminate()
            process.wait()
            for fd in (ours, controller, theirs, agent, quit_read, quit_write):
                os.close(fd)
        self.addCleanup(end)
        self.write("lab.yaml", LAB.replace("exec:{agent} --root {root}", "serial:" + os.ttyname(controller))
                   .replace("{{", "{").replace("}}", "}"))

    def test_over_a_serial_line_too(self):
        self.serial_target()
        done = self.boot("--image", self.image)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.image, "rb") as file:
            self.assertEqual(self.got("got-image"), file.read())

    def test_a_target_that_does_not_leave_its_kernel_is_found_on_a_serial_line_at_once(self):
        self.put("sbin/kexec", KEXEC.format(root=self.root).replace("*' -e '*)", "*' -e '*) exit 0"))
        self.serial_target()
        self.assert_one_message(self.boot("--image", self.image), 3, "the target still runs the kernel of before")
        self.assertEqual(self.got("calls").decode().splitlines()[1:], ["-e", "-u"],
                         "what was not booted must not stay loaded")

    def test_a_file_of_the_target_is_not_sent(self):
        os.rename(self.image, os.path.join(self.root, "boot/i"))
        done = self.boot("--image", "target:/boot/i", "--from", self.release)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing to compare it with", done.stdout)
        self.assertFalse(os.path.exists(os.path.join(self.root, "run/coldrig")))
        self.assertIn(f"{self.root}/boot/i", self.got("calls").decode())

    def test_another_kernel_than_the_image_is_no_success(self):
        other = self.file("other", bzimage(f"{self.release} (somebody) #1 of another day"))
        self.assert_one_message(self.boot("--image", other), 3, "the image is", "#1 of another day",
                                "after kexec the target runs")
        self.assert_one_message(self.boot("--image", self.image, "--kernel", "1.2"), 3,
                                "asks for kernel 1.2, after kexec the target runs " + self.release)

    def test_the_wrong_kernel_before_is_left_alone(self):
        self.assert_one_message(self.boot("--image", self.image, "--from", "1.2"), 3,
                                "kexec from 1.2: the target runs " + self.release)
        self.assertFalse(os.path.exists(os.path.join(self.root, "calls")))

    def test_the_words_of_kexec_arrive(self):
        self.put("broken", "")
        self.assert_one_message(self.boot("--image", self.image), 3,
                                "kexec ended with status 255: Cannot load: no such luck")
        self.assertEqual(self.got("proc/sys/kernel/random/boot_id"), b"boot-1\n")
        self.assertEqual(os.listdir(os.path.join(self.root, "run")), [])

    def test_a_file_that_does_not_fit_is_not_sent(self):
        self.put("proc/meminfo", "MemAvailable: 300 kB\n")
        self.assert_one_message(self.boot("--image", self.image), 3, "image: put: 200000 bytes: only 307200 bytes")

    def test_a_run_has_no_results_of_a_wrong_kernel(self):
        self.write("plan.yaml", plan_text(["{scenario: idle}"]).replace(
            'kernel: "6.1"', f'kernel: "1.2", kexec: {{from: "{self.release}", image: "{self.image}"}}'))
        done = self.coldrig("run", "--lab", "lab.yaml", "--plan", "plan.yaml", "--out", "run")
        self.assert_one_message(done, 3, "arm new asks for kernel 1.2, after kexec the target runs " + self.release)
        self.assertIn("-e", self.got("calls").decode().splitlines())
        self.assertEqual(self.query("run", "SELECT count(*) FROM journal WHERE kind IN ('arm-up', 'cycle-begin')"),
                         [(0,)])
        self.assertIsNone(self.summary("run")["arms"][0]["kernel"])
        self.assertIsNone(self.summary("run")["arms"][0]["kexec"])
        # The target was told to leave that kernel, and every file is gone.
        self.assertEqual(self.got("rebooted"), b"-f\n")
        self.assertEqual(os.listdir(os.path.join(self.root, "run")), [])

    def test_bad_usage_is_said(self):
        self.assert_one_message(self.boot(), 2, "a real target needs --image")
        self.assert_one_message(self.boot("--image", "/nonexistent"), 2, "/nonexistent: No such file")
        self.assert_one_message(self.boot("--image", self.image, "--syscall", "x"), 2, "file or load")
        self.assert_one_message(self.boot("--target", "x"), 2, "no target x")
        self.assert_one_message(self.coldrig("kernel", "boot"), 2, "--lab is needed")
        self.assert_one_message(self.coldrig("kernel", "boto"), 2, "there is no 'boto'")


if __name__ == "__main__":
    unittest.main(verbosity=2)
