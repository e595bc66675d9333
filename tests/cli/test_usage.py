# SPDX-License-Identifier: GPL-3.0-or-later
"""Usage, bad input and broken agents: one clear message, the right exit status, nothing hung."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import AGENT, COLDRIG, SOURCE, RigTest, lab_text, plan_text  # noqa: E402

PLAN = plan_text(["{scenario: idle, cycles: 1}"])


def exec_lab(transport, spec="fake:w=1"):
    return f"""lab: bench
meters:
  - name: m
    spec: "{spec}"
    rate: 100 Hz
    accuracy: {{gain: 1 %, offset: 1 mW}}
targets:
  - name: box
    transport: "{transport}"
    devices:
      - bdf: "0000:01:00.0"
        model: a card
        rails:
          - {{name: slot, meter: m, channel: P1}}
"""


# An agent that says hello and then has never heard of anybody: EPROTO, as the real one says it.
FORGETFUL = """
import json, struct, sys, zlib
while head := sys.stdin.buffer.read(12):
    asked = json.loads(sys.stdin.buffer.read(struct.unpack("<I", head[4:8])[0]))
    said = {"id": asked["id"], "ok": False, "errno": 71, "error": "no session: say hello first"}
    if asked["op"] == "hello":
        said = {"id": asked["id"], "ok": True, "proto": 2, "nonce": asked["nonce"], "release": "1.2.3", "version": "#1"}
    text = json.dumps(said).encode()
    sys.stdout.buffer.write(b"CRG\\x01" + struct.pack("<II", len(text), zlib.crc32(text)) + text)
    sys.stdout.buffer.flush()
"""


class Usage(RigTest):
    def test_no_command_prints_usage_and_fails(self):
        done = self.coldrig()
        self.assertEqual(done.returncode, 2)
        self.assertIn("Usage: coldrig", done.stderr)

    def test_help_of_each_command_is_on_stdout(self):
        names = re.findall(r"^  (\w+) ", self.coldrig("--help").stdout, flags=re.M)
        self.assertIn("run", names)
        for name in names:
            done = self.coldrig(name, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertIn(f"Usage: coldrig {name}", done.stdout)

    def test_unknown_commands_and_options_are_named(self):
        self.assert_one_message(self.coldrig("rnu"), 2, "rnu")
        self.assert_one_message(self.coldrig("run", "--lba", "x"), 2, "--lba")
        self.assert_one_message(self.coldrig("run"), 2, "--lab and --plan")
        self.assert_one_message(self.coldrig("resume"), 2, "run directory")
        self.assert_one_message(self.coldrig("replay", "a", "b"), 2, "run directory")

    def test_output_that_cannot_be_written_is_no_success(self):
        for stdout in (">/dev/full", ">&-"):
            for words in ("--help", "meter show fake:w=1", "meter read fake:w=1 --count 1",
                          f"meter record fake:w=1 --samples 1 --out {self.path(f'{len(stdout)}.db')}"):
                done = subprocess.run(f"{COLDRIG} {words} {stdout}", shell=True, capture_output=True, text=True,
                                      timeout=60)
                self.assertEqual(done.returncode, 3, (words, stdout, done.stderr))
                self.assertRegex(done.stderr, "could be written|cannot write", (words, stdout))

    def test_directories_that_are_no_runs_are_refused(self):
        for command in ("resume", "replay"):
            self.assert_one_message(self.coldrig(command, self.dir), 2, self.dir, "run.db")
        self.write("run.db", "this is no database, it is only text" * 100)
        for command in ("resume", "replay"):
            self.assert_one_message(self.coldrig(command, self.dir), 2, "run.db")


class BadInput(RigTest):
    def run_with(self, lab, plan):
        return self.coldrig("run", "--lab", self.write("lab.yaml", lab), "--plan",
                            self.write("plan.yaml", plan), "--out", self.path("run"), timeout=60)

    def assert_refused_at(self, lab, plan, file, what, *parts):
        """The message has the file, the line and column of the offending text, and the parts."""
        text = lab if file == "lab.yaml" else plan
        at = text.index(what)
        line = text.count("\n", 0, at) + 1
        column = at - (text.rfind("\n", 0, at) + 1) + 1
        self.assert_one_message(self.run_with(lab, plan), 2, f"{file}:{line}:{column}:", *parts)
        self.assertFalse(os.path.exists(self.path("run")), "a run was begun all the same")

    def test_wrong_key(self):
        plan = PLAN.replace("dwell: 400 ms\nhold", "dwel: 400 ms\nhold")
        self.assert_refused_at(lab_text(), plan, "plan.yaml", "dwel: 400", "dwel", "dwell")

    def test_wrong_unit(self):
        self.assert_refused_at(lab_text(), PLAN.replace("400 ms", "400 W"), "plan.yaml", "400 W", "dwell")

    def test_missing_unit(self):
        self.assert_refused_at(lab_text(), PLAN.replace("dwell: 400 ms", "dwell: 400"), "plan.yaml",
                               "400\n", "dwell")

    def test_negative_dwell(self):
        self.assert_refused_at(lab_text(), PLAN.replace("400 ms", "-400 ms"), "plan.yaml", "-400 ms",
                               "dwell")

    def test_bad_bdf(self):
        lab = lab_text(extra={'"0000:01:00.0"': '"0000:01:00.8"'})
        self.assert_refused_at(lab, PLAN, "lab.yaml", '"0000:01:00.8"', "0000:01:00.8")

    def test_unknown_meter(self):
        lab = lab_text(extra={"meter: dp832, channel: P2": "meter: dp831, channel: P2"})
        self.assert_refused_at(lab, PLAN, "lab.yaml", "dp831", "dp831", "dp832")

    def test_unknown_meter_driver(self):
        lab = lab_text(extra={"scpi-pps:conn": "scpi-psp:conn"})
        self.assert_refused_at(lab, PLAN, "lab.yaml", '"scpi-psp:conn', "scpi-psp")

    def test_broken_yaml(self):
        done = self.run_with(lab_text() + "\n  ]broken: [\n", PLAN)
        self.assert_one_message(done, 2, "lab.yaml:")
        self.assertRegex(done.stderr, r"lab\.yaml:\d+:\d+:")

    def test_files_that_are_not_there(self):
        self.assert_one_message(self.coldrig("run", "--lab", "no.yaml", "--plan", "no.yaml"), 2, "no.yaml")

    def test_unknown_target(self):
        done = self.coldrig("run", "--lab", self.write("lab.yaml", lab_text()), "--plan",
                            self.write("plan.yaml", PLAN), "--target", "nobody", "--out", "x")
        self.assert_one_message(done, 2, "lab.yaml", "nobody")

    def test_kernel_that_is_not_in_the_cache(self):
        self.env["COLDRIG_CACHE"] = self.path("empty")
        self.assert_one_message(self.run_with(lab_text(), PLAN), 3, "6.1", "kernel/fetch")

    def test_run_directory_that_cannot_be_made(self):
        self.write("run", "a file")
        self.assert_one_message(self.run_with(exec_lab("exec:cat"), PLAN), 3, "run")


class BadAgent(RigTest):
    """Agents that answer nonsense, half a frame or nothing end a run at once, with status 3."""

    def run_agent(self, transport, limit="boot_limit: 2 s"):
        return self.coldrig("run", "--lab", self.write("lab.yaml", exec_lab(transport)), "--plan",
                            self.write("plan.yaml", PLAN + limit + "\n"), "--out", self.new_dir(),
                            timeout=60)

    def new_dir(self):
        self.runs = getattr(self, "runs", 0) + 1
        return self.path(f"run{self.runs}")

    def test_garbage(self):
        done = self.run_agent("exec:echo hello world; sleep 30")
        self.assert_one_message(done, 3, "box", "not a frame", "hello world")
        self.assert_nothing_left_running()

    def test_half_a_frame_and_the_end(self):
        done = self.run_agent("exec:printf 'CRG\\\\001\\\\100\\\\000\\\\000\\\\000\\\\000'")
        self.assert_one_message(done, 3, "middle of a frame")

    def test_half_a_frame_and_silence(self):
        done = self.run_agent("exec:printf 'CRG\\\\001\\\\100\\\\000'; sleep 30")
        self.assert_one_message(done, 3, "no agent answered within 2 s")
        self.assert_nothing_left_running()

    def test_an_agent_that_forgot_the_session_is_of_a_machine_that_was_started_anew(self):
        self.write("plan.yaml", PLAN.replace('"6.1"', '"1.2"'))
        self.write("agent.py", FORGETFUL)
        done = self.coldrig("run", "--lab", self.write("lab.yaml", exec_lab(f"exec:python3 {self.path('agent.py')}")),
                            "--plan", "plan.yaml", "--out", "run", timeout=60)
        self.assert_one_message(done, 3, "target box: the agent was started anew")

    def test_no_agent_at_all(self):
        self.assert_one_message(self.run_agent("exec:exit 127"), 3, "ended the connection")
        self.assert_one_message(self.run_agent("unix:/nonexistent/socket"), 3, "/nonexistent/socket")
        self.assert_one_message(self.run_agent("tcp:127.0.0.1:1"), 3, "127.0.0.1:1")

    def test_an_agent_that_lacks_the_device_refuses_it_by_name(self):
        os.makedirs(self.path("root/sys/bus/pci/devices"))
        release = os.uname().release
        self.write("plan.yaml", PLAN.replace('"6.1"', f'"{release.split("-")[0]}"'))
        done = self.coldrig("run", "--lab", self.write("lab.yaml", exec_lab(
            f"exec:{AGENT} --root {self.path('root')}")), "--plan", "plan.yaml", "--out", "run", timeout=60)
        self.assert_one_message(done, 3, "0000:01:00.0")
        self.assert_nothing_left_running()

    def test_a_kernel_that_is_not_the_arms(self):
        os.makedirs(self.path("root/sys/bus/pci/devices"))
        self.write("plan.yaml", PLAN.replace('"6.1"', '"0.99"'))
        done = self.coldrig("run", "--lab", self.write("lab.yaml", exec_lab(
            f"exec:{AGENT} --root {self.path('root')}")), "--plan", "plan.yaml", "--out", "run", timeout=60)
        self.assert_one_message(done, 3, "0.99", os.uname().release)


class Docs(RigTest):
    """What the documents say that a command prints is what it prints."""

    def test_console_blocks(self):
        blocks = 0
        names = ["README.md"] + [os.path.join("docs", name) for name in sorted(os.listdir(os.path.join(SOURCE, "docs")))]
        for name in filter(lambda n: n.endswith(".md"), names):
            with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
                text = file.read()
            for command, shown in re.findall(r"```console\n\$ (coldrig [^\n]*)\n(.*?)```", text, flags=re.S):
                done = subprocess.run([COLDRIG, *command.split()[1:]], capture_output=True, text=True,
                                      cwd=SOURCE, env=self.env, check=False, timeout=30)
                self.assertEqual(done.stdout + done.stderr, shown, f"{name}: $ {command}")
                blocks += 1
        self.assertGreater(blocks, 3)

    def test_links_lead_somewhere(self):
        for directory, _, names in os.walk(SOURCE):
            if "/build" in directory or "/out" in directory or "/.git" in directory:
                continue
            for name in filter(lambda n: n.endswith(".md"), names):
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", file.read())
                for link in links:
                    self.assertTrue(os.path.exists(os.path.join(directory, link)), f"{name}: {link}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
