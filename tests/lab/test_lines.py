# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines by real drivers: an emulated machine plays the controller. It has a CP2112 (stock hid-cp2112, so a real
gpiochip), a hub with switchable ports and a USB relay board, all but the hub devices of our own
(tests/lab/usb). coldrig in it drives them; what their pins and contacts do outside switches and resets
another emulated machine, whose own monitor tells what became of it."""

import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import BINARY, CACHE, COLDRIG, RigTest, missing_for_virtual_lab  # noqa: E402

KERNEL = "6.1"
USB_DEVICE = os.path.join(BINARY, "tests", "lab", "usb", "coldrig-usb-device")
MODULES = ("xhci-pci", "usbhid", "hid-generic", "hid-cp2112")
POWER_PIN, GOOD_PIN, PRESENCE_PIN = 0, 2, 3

LAB = f"""lab: wired
targets:
  - name: vt
    transport: "exec:true"
    devices: [{{bdf: "0000:01:00.0", model: a card}}]
    lines:
      power: {{gpio: {{chip: cp2112_gpio, line: {POWER_PIN}}}, off_time: 400 ms}}
      reset: {{usbrelay: {{serial: 6QMBS, relay: 1}}, hold: 300 ms}}
      power-good: {{gpio: {{chip: cp2112_gpio, line: {GOOD_PIN}}}}}
      presence: {{gpio: {{chip: cp2112_gpio, line: {PRESENCE_PIN}, active_low: true}}}}
  - name: shelf
    transport: "exec:true"
    devices: [{{bdf: "0000:01:00.0", model: whatever is plugged in there}}]
    lines:
      power: {{usbhub: {{hub: HUB, port: 1}}, off_time: 1 s}}
  - name: wrong
    transport: "exec:true"
    devices: [{{bdf: "0000:01:00.0", model: nothing}}]
    lines:
      power: {{usbhub: {{hub: GANGED, port: 1}}}}
      reset: {{gpio: {{chip: cp2112_gpio, line: 9}}}}
"""

# Who may do what, and somebody else with a lab of his own.
FILES = {"etc/passwd": "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nlab:x:1000:1000::/:/bin/sh\n",
         "etc/group": "root:x:0:\nplugdev:x:46:lab\nlab:x:1000:\nnogroup:x:65534:\n",
         "other.yaml": f"""lab: his
targets:
  - name: his
    transport: "exec:false"
    devices: [{{bdf: "0000:01:00.0", model: a card}}]
    lines:
      presence: {{gpio: {{chip: cp2112_gpio, line: {PRESENCE_PIN}}}}}
"""}

INIT = """#!/bin/sh
export PATH=/bin COLDRIG_LOCK_DIR=/run
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do insmod $module || echo "$module: not loaded"; done </etc/lines-modules
stty -F /dev/ttyS1 raw -echo
# Not in this process: what loses its parent becomes its child, and the news of one's end costs read its line.
(
exec </dev/ttyS1 >/dev/ttyS1 2>&1
echo @up
while read -r line; do eval "$line"; echo "@done $?"; done
)
"""


class Qmp:
    """A monitor: commands, and the events that came, with QEMU's own times."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while self.socket.connect_ex(path) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.file = self.socket.makefile("rw", encoding="utf-8")
        self.events = []
        self.lock = threading.Lock()  # the wires' threads ask too
        json.loads(self.file.readline())
        self.execute("qmp_capabilities")

    def execute(self, command):
        with self.lock:
            return self.ask(command)

    def ask(self, command):
        self.file.write(json.dumps({"execute": command}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "event" in answer:
                # Its firmware resets once by itself.
                if not answer.get("data", {}).get("guest"):
                    self.events.append(answer["event"])
            elif "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
            else:
                return answer["return"]

    def close(self):
        self.file.close()
        self.socket.close()


class UsbDevice:
    """A device of our own; what it tells is kept, and handed to wired() as it comes."""

    def __init__(self, model, path, env, wired=lambda words: None):
        self.told = []
        self.process = subprocess.Popen([USB_DEVICE, model, path], env=env, text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.wired = wired
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            t_ns, words = line.rstrip("\n").split(" ", 1)
            self.told.append((int(t_ns), words))
            self.wired(words)

    def put(self, words):
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def words(self, since=0):
        return [words for _, words in self.told[since:]]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.thread.join(10)
        self.process.stdout.close()


class Wired(RigTest):
    """The bench: two machines and the wires between them."""

    def setUp(self):
        super().setUp()
        why = missing_for_virtual_lab(KERNEL)
        if why or not shutil.which("cpio"):
            self.skipTest(why or "cpio is not installed: run setup/packages")
        self.start_target()
        self.start_controller()
        self.cp2112 = UsbDevice("cp2112", self.path("u0"), self.env, self.on_pin)
        self.addCleanup(self.cp2112.close)
        self.relay = UsbDevice("relay", self.path("u1"), self.env, self.on_relay)
        self.addCleanup(self.relay.close)
        self.cp2112.put(f"pin {PRESENCE_PIN} 0")
        self.await_text("@up", 90)
        self.guest_wait("[ -e /dev/gpiochip0 ]")
        self.guest("sed -i -e s/HUB/1-2/ -e s/GANGED/1-3/ /lab.yaml")
        self.guest_wait("grep -q 09 /sys/bus/usb/devices/1-3/bDeviceClass")
        self.guest_wait("grep -q 05df /sys/bus/usb/devices/1-*/idProduct")

    def qemu(self, *args):
        process = subprocess.Popen(
            ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-M", "q35", "-accel",
             "tcg,thread=single", *args], env=self.env, cwd=self.dir, stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)

    # The machine whose supply and reset are wired.

    def start_target(self):
        self.supply, self.held_in_reset, self.wires = True, False, threading.Lock()
        self.qemu("-m", "64", "-chardev", "socket,id=m,server=on,wait=off,path=m", "-mon",
                  "chardev=m,mode=control")
        self.monitor = Qmp(self.path("m"))
        self.addCleanup(self.monitor.close)

    def target_runs(self):
        return self.monitor.execute("query-status")["running"]

    def wire(self, **levels):
        """It runs from its reset while it has power and is not held in reset; the wires change one at a time."""
        with self.wires:
            ran = self.supply and not self.held_in_reset
            vars(self).update(levels)
            runs = self.supply and not self.held_in_reset
            for command in [] if runs == ran else ["system_reset", "cont"] if runs else ["stop"]:
                self.monitor.execute(command)

    def on_pin(self, words):
        if words.startswith(f"pin {POWER_PIN} "):
            on = not words.endswith(" 0")
            self.wire(supply=on)
            self.cp2112.put(f"pin {GOOD_PIN} {int(on)}")

    def on_relay(self, words):
        if words.startswith("relay 1 "):
            self.wire(held_in_reset=words.endswith(" 1"))

    # The machine that is the controller.

    def archive(self):
        """What the target's initramfs has not: coldrig with its libraries, modules, the lab, another init."""
        kernel, root = os.path.join(CACHE, "kernels", KERNEL), self.path("root")
        with open(os.path.join(kernel, "release"), encoding="utf-8") as file:
            release = file.read().strip()
        files, modules = {}, []
        for name in MODULES:
            done = subprocess.run(["/sbin/modprobe", "-C", "/dev/null", "-d", kernel, "-S", release, "--show-depends",
                                   name], capture_output=True, text=True, check=True)
            for path in re.findall(r"^insmod (\S+)", done.stdout, re.M):
                files[path] = "/lib/modules/" + os.path.basename(path)
                if files[path] not in modules:
                    modules.append(files[path])
        files[COLDRIG] = "/bin/coldrig"
        libraries = subprocess.run(["ldd", COLDRIG], capture_output=True, text=True, check=True,
                                   env=dict(self.env, LC_ALL="C")).stdout
        libraries += subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
        files.update({path: path for path in re.findall(r"(/\S+) \(0x|libgpiod\.so\.3 .* => (/\S+)", libraries) for path in path if path})
        for source, to in files.items():
            os.makedirs(os.path.dirname(root + to), exist_ok=True)
            shutil.copy(source, root + to)
        os.makedirs(root + "/etc", exist_ok=True)
        for applet in ("sed", "grep", "kill", "su", "chown", "chmod", "tr"):
            os.symlink("busybox", root + "/bin/" + applet)
        for name, text in {"lab.yaml": LAB, "etc/lines-modules": "\n".join(modules) + "\n", "init": INIT, **FILES}.items():
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
        os.chmod(root + "/init", 0o755)
        names = subprocess.run(["find", ".", "-mindepth", "1"], cwd=root, capture_output=True, check=True).stdout
        return subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=root, input=names, capture_output=True,
                              check=True).stdout

    def start_controller(self):
        kernel = os.path.join(CACHE, "kernels", KERNEL)
        with open(self.path("initrd"), "wb") as out, open(os.path.join(kernel, "initramfs.cpio"), "rb") as base:
            shutil.copyfileobj(base, out)
            out.write(self.archive())
        image = "vmlinux" if os.path.exists(os.path.join(kernel, "vmlinux")) else "vmlinuz"
        self.qemu("-m", "768", "-cpu", "max", "-kernel", os.path.join(kernel, image), "-initrd", "initrd", "-append",
                  "console=ttyS0 quiet loglevel=4 no_timer_check",
                  "-chardev", "file,id=console,path=console", "-device", "isa-serial,chardev=console,index=0",
                  "-chardev", "socket,id=shell,server=on,wait=off,path=shell",
                  "-device", "isa-serial,chardev=shell,index=1",
                  "-chardev", "socket,id=u0,server=on,wait=off,path=u0",
                  "-chardev", "socket,id=u1,server=on,wait=off,path=u1",
                  "-trace", "usb_hub_clear_port_feature", "-trace", "usb_hub_set_port_feature", "-D", "hub",
                  "-device", "qemu-xhci,id=x", "-device", "usb-redir,chardev=u0,bus=x.0,port=1",
                  "-device", "usb-hub,bus=x.0,port=3", "-device", "usb-hub,port-power=on,bus=x.0,port=2", "-device", "usb-redir,chardev=u1,bus=x.0,port=2.1")
        deadline = time.monotonic() + 20
        self.shell = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.shell.close)
        while self.shell.connect_ex(self.path("shell")) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.heard = ""

    def await_text(self, pattern, limit_s):
        deadline = time.monotonic() + limit_s
        while not (found := re.search(pattern, self.heard)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.shell], [], [], left)[0]:
                with open(self.path("console"), encoding="utf-8", errors="replace") as file:
                    self.fail(f"no {pattern!r} within {limit_s} s; heard {self.heard!r}; console:\n" + file.read()[-2000:])
            self.heard += self.shell.recv(65536).decode(errors="replace")
        before, self.heard = self.heard[:found.start()], self.heard[found.end():]
        return before, found

    def guest(self, command, status=0, limit_s=60):
        """Runs a command in the controller; its output."""
        self.shell.sendall(command.encode() + b"\n")
        output, found = self.await_text(r"@done (\d+)\r?\n", limit_s)
        if status is not None:
            self.assertEqual(int(found.group(1)), status, f"{command}: {output}")
        self.assertNotIn("Sanitizer", output)
        return output

    def guest_wait(self, command, limit_s=30):
        return self.guest(f"n=0; until {command} || [ $n -ge {limit_s * 5} ]; do sleep 0.2; n=$((n+1)); done; {command}",
                          limit_s=limit_s * 4)

    def line(self, *words, target="vt", **how):
        return self.guest(" ".join(("coldrig lab line --lab /lab.yaml --target", target, *words)), **how)

    def await_(self, condition, what, limit_s=30):
        """what: words, or what makes them once it is too late."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline:
                self.fail(what() if callable(what) else what)
            time.sleep(0.02)

    def events(self):
        self.monitor.execute("query-status")
        events, self.monitor.events = self.monitor.events, []
        return [event for event in events if event in ("STOP", "RESET", "RESUME")]

    def await_events(self, wanted):
        """What a line does comes by way of a process and a thread: it may be on its way still."""
        seen = []

        def all_came():
            seen.extend(self.events())
            return len(seen) >= len(wanted)

        self.await_(all_came, lambda: f"{seen} in place of {wanted}; CP2112: {self.cp2112.words()}; "
                                      f"relay: {self.relay.words()}")
        self.assertEqual(seen, wanted)


class Lines(Wired):
    def test_lines_do_outside_what_they_are_told_inside(self):
        self.check_sees_all_and_moves_nothing()
        self.gpio_powers_the_target()
        self.relay_resets_the_target()
        self.inputs_are_read_and_watched()
        self.exercise_is_verified_by_power_good()
        self.kill_9_lets_go()
        self.hub_switches_its_port()
        self.a_missing_permission_is_told()
        self.a_line_in_use_is_told()
        self.wrong_wiring_is_named()

    def findings(self, *args, target="vt"):
        text = self.guest(f"coldrig lab check --lab /lab.yaml --target {target} --json {' '.join(args)} 2>/dev/null", status=None)
        return {(f["what"], f["name"]): f for f in json.loads(text)["checks"]}

    def check_sees_all_and_moves_nothing(self):
        self.events()
        found = self.findings()
        lines = {name: (f["state"], f["active"]) for (what, name), f in found.items() if what == "line"}
        self.assertEqual(lines, {"power": ("ok", True), "reset": ("ok", False), "power-good": ("ok", True),
                                 "presence": ("ok", True), "force-off": ("not-wired", None), "perst": ("not-wired", None)})
        self.assertEqual(found["line", "power"]["text"], "cp2112_gpio (/dev/gpiochip0) line 0")
        self.assertRegex(found["line", "reset"]["text"], r"USB relay 6QMBS at 1-\S+, relay 1 of 2")
        self.assertEqual([w for w in self.cp2112.words() + self.relay.words() if w.startswith(("pin", "relay"))], [])
        self.assertTrue(self.target_runs())
        self.assertEqual(self.events(), [])

    def gpio_powers_the_target(self):
        self.line("power", "off")
        self.await_(lambda: not self.target_runs(), "the target still runs")
        self.assertEqual(self.cp2112.words()[-1], "pin 0 0")
        self.assertEqual(self.line("power-good", "read").strip(), "inactive")
        self.assertFalse(self.target_runs(), "it was let go when coldrig ended")
        self.line("power", "on")
        self.await_(self.target_runs, "the target does not run")
        self.await_events(["STOP", "RESET", "RESUME"])

    def relay_resets_the_target(self):
        before = len(self.relay.told)
        self.line("reset", "press")
        self.await_(self.target_runs, "the target does not run")
        told = [t for t in self.relay.told[before:] if t[1].startswith("relay")]
        self.assertEqual([words for _, words in told], ["relay 1 1", "relay 1 0"])
        self.assertGreaterEqual(told[1][0] - told[0][0], 300_000_000 * 0.9, "held too short")
        self.await_events(["STOP", "RESET", "RESUME"])

    def inputs_are_read_and_watched(self):
        self.assertEqual(self.line("presence", "read").strip(), "active")
        self.line("presence", "watch", "--for", "'60 s'", "& watcher=$!")
        self.await_text(r"\d+ \+-\d+ active", 30)
        for level, word in ((1, "inactive"), (0, "active")):
            self.cp2112.put(f"pin {PRESENCE_PIN} {level}")
            self.await_text(rf"\d+ \+-0 {word}", 15)
        self.guest("kill -INT $watcher; wait $watcher")

    def exercise_is_verified_by_power_good(self):
        relay, pins = len(self.relay.told), len(self.cp2112.told)
        found = self.findings("--exercise")
        self.assertEqual({name: f["state"] for (what, name), f in found.items() if what == "exercise"},
                         {"reset": "ok", "power": "ok"}, found)
        self.assertIn("as power-good tells", found["exercise", "power"]["text"])
        self.await_(self.target_runs, "the target does not run")
        # Reset and power come close behind one another, by two threads: where the second overtakes, the
        # target is stopped only once. So the devices are asked, which have times.
        told = sorted(t for t in self.relay.told[relay:] + self.cp2112.told[pins:] if re.match(r"relay|pin 0", t[1]))
        self.assertEqual([words for _, words in told], ["relay 1 1", "relay 1 0", "pin 0 0", "pin 0 1"])
        self.await_(lambda: "RESUME" in self.events(), "the target was not started anew")

    def kill_9_lets_go(self):
        before = len(self.cp2112.told)
        self.guest("sed -i 's/off_time: 400 ms/off_time: 60 s/' /lab.yaml")
        self.line("power", "press", "& press=$!")
        self.await_(lambda: not self.target_runs(), "the target still runs")
        self.guest("kill -9 $press; wait $press", status=137)
        self.await_(self.target_runs, "the supply was not left on")
        self.assertEqual([w for w in self.cp2112.words(before) if w.startswith("pin 0")], ["pin 0 0", "pin 0 1"])
        self.events()

    def hub_power(self):
        """What the emulated hub was told, as QEMU tells it: its devices stay attached all the same."""
        with open(self.path("hub"), encoding="utf-8") as file:
            return re.findall(r"usb_hub_(set|clear)_port_feature dev \d+, port 1, feature (?:power|PORT_POWER)", file.read())

    def hub_switches_its_port(self):
        before = len(self.hub_power())
        for word, active in (("off", "inactive"), ("on", "active")):
            self.line("power", word, target="shelf")
            self.assertEqual(self.line("power", "read", target="shelf").strip(), active)
        self.line("power", "press", target="shelf")
        self.assertEqual(self.hub_power()[before:], ["clear", "set"] * 2)

    def as_user(self, user, *words, **how):
        return self.guest(f"su {user} -c 'coldrig lab {' '.join(words)} 2>&1'", **how)

    def a_missing_permission_is_told(self):
        self.guest("chmod 1777 /run; rm -f /run/coldrig-*")
        check = self.as_user("nobody", "check --lab /lab.yaml", status=3)
        node = self.guest("echo /dev/bus/usb/001/00$(cat /sys/bus/usb/devices/1-2/devnum)").strip()
        for pattern in (r"power +failed +/lab\.yaml:7:15: lines: power: /dev/gpiochip0: no permission for user nobody: it is "
                        r"root:root, mode 0600: give it to a group of this user by a udev rule \(docs/lines\.md has them\)",
                        r"reset +failed +/lab\.yaml:8:15: lines: reset: USB device 1-2\.1: /dev/bus/usb/001/\d+: no permission",
                        rf"power +failed +/lab\.yaml:15:15: lines: power: USB device 1-2: {node}: no permission for user nobody: "
                        r"it is root:root, mode 0600: give it to a group"):
            self.assertRegex(check, pattern)
        # As the rules of docs/lines.md leave it.
        self.guest(f"chown root:plugdev /dev/gpiochip0 {node}; chmod 660 /dev/gpiochip0 {node}")
        self.assertIn("it is for root and group plugdev: join the group ('usermod -aG plugdev nobody', then log in anew)",
                      self.as_user("nobody", "line --lab /lab.yaml --target vt power read", status=3))
        for target in ("vt", "shelf"):
            self.assertEqual(self.as_user("lab", f"line --lab /lab.yaml --target {target} power read").strip(), "active")

    def a_line_in_use_is_told(self):
        self.guest("coldrig lab line --lab /other.yaml presence watch --for '60 s' & other=$!")
        self.await_text(r"\d+ \+-\d+ inactive", 30)
        self.assertIn("/lab.yaml:10:18: lines: presence: cp2112_gpio (/dev/gpiochip0) line 3: in use by coldrig: end that "
                      "program or driver, or wire another line", self.line("presence", "read", "2>&1", status=3))
        self.guest("kill -INT $other; wait $other")
        self.assertEqual(self.line("presence", "read").strip(), "active")

    def wrong_wiring_is_named(self):
        found = self.findings(target="wrong")
        self.assertRegex(found["line", "power"]["text"], r"^/lab.yaml:20:15: lines: power: hub 1-3: it cannot switch the power of "
                         r"one port.*: use another hub, or a relay \(docs/lines.md\)")
        self.assertEqual(found["line", "reset"]["state"], "failed")
        self.assertIn("lines: reset: /dev/gpiochip0: no line is called 9: 'gpioinfo' shows their names; their numbers "
                      "are 0 to 7", found["line", "reset"]["text"])
        self.assertRegex(found["line", "reset"]["text"], r"^/lab.yaml:\d+:15: ")
        self.cp2112.close()
        self.guest_wait("[ ! -e /dev/gpiochip0 ]")
        self.assertIn("no GPIO chip is called cp2112_gpio: there is none", self.line("power", "read", status=3))


if __name__ == "__main__":
    unittest.main(verbosity=2)
