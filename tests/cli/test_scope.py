# SPDX-License-Identifier: GPL-3.0-or-later
"""coldrig meter on a scripted oscilloscope that libsigrok's hameg-hmo reads: frames of samples, not single readings."""

import collections
import csv
import json
import os
import re
import socket
import socketserver
import sqlite3
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rigtest import RigTest  # noqa: E402

RATE_HZ, FRAME = 1_000_000, 1000
# What the driver asks for when it opens the scope and before each frame.
ANSWERS = (
    (r"\*IDN\?", "Rohde&Schwarz,RTB2004,1333.1005k04/100001,02.300"),
    (r":CHAN[1-4]:STAT\?", "1"), (r":CHAN\d:SCAL\?", "1.00E+00"), (r":CHAN\d:POS\?", "0.00E+00"),
    (r":CHAN\d:COUP\?", "DCL"), (r":PROB2:SET:ATT:UNIT\?", "A"), (r":PROB\d:SET:ATT:UNIT\?", "V"),
    (r":(LOG|POD)\d+:STAT\?", "0"), (r":DIG\d+:TECH\?", "TTL"), (r":POD\d:THR\?", "TTL"),
    (r":TIM:DIV\?", "12"), (r":TIM:SCAL\?", "1.00E-04"), (r":TIM:POS\?", "0.00E+00"), (r":TRIG:A:SOUR\?", "CH1"),
    (r":TRIG:A:EDGE:SLOP\?", "POS"), (r":TRIG:A:PATT:SOUR\?", '"0"'), (r":ACQ:SRAT\?", f"{RATE_HZ:.2E}"),
    (r"\*OPC\?", "1"),
)


class Dialog(socketserver.StreamRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for line in self.rfile:
                text = line.decode().strip()
                if "DATA?" in text:
                    if not self.send_frame(int(re.search(r":CHAN(\d):DATA", text).group(1))):
                        return
                elif "?" in text:
                    self.wfile.write(self.server.answer(text).encode() + b"\n")
        except OSError:
            pass

    def send_frame(self, channel):
        """Sample i of frame n of a channel is 1000 n + i, and 0.5 more for each channel after the first."""
        scope = self.server
        n = scope.frames.get(channel, 0)
        scope.frames[channel] = n + 1
        data = struct.pack(f"<{FRAME}f", *(FRAME * n + i + (channel - 1) / 2 for i in range(FRAME)))
        block = f"#4{len(data)}".encode() + data + b"\n"
        time.sleep(0.005)
        if n == scope.fault_at and not scope.fault_over:
            scope.fault_over = True
            return scope.fault(self, block)
        for begin in range(0, len(block), scope.piece):
            self.wfile.write(block[begin:begin + scope.piece])
            if scope.piece < len(block):
                time.sleep(0.001)
        return True


class Scope(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Dialog)
        self.frames, self.unknown = {}, []
        self.piece = 1 << 20
        self.fault_at, self.fault_over, self.fault = None, False, None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def spec(self):
        return f"hameg-hmo:conn=tcp-raw/127.0.0.1/{self.server_address[1]}"

    def answer(self, text):
        for pattern, answer in ANSWERS:
            if re.fullmatch(pattern, text):
                return answer
        self.unknown.append(text)
        return "0"


class ScopeTest(RigTest):
    def setUp(self):
        super().setUp()
        self.scope = Scope()
        self.addCleanup(self.scope.server_close)
        self.addCleanup(self.scope.shutdown)

    def record(self, *args):
        """Of two channels; what it said, and the samples of each channel: (time, error, value)."""
        done = self.coldrig("meter", "record", self.scope.spec, "--channel", "CH1", "--channel", "CH2", *args,
                            "--out", "r.db", "--json", timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Sanitizer", done.stderr)
        self.assertEqual(self.coldrig("export", "--format", "csv", "r.db").returncode, 0)
        with open(self.path("r.csv"), newline="", encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        return done, json.loads(done.stdout), [
            [float(row[name]) for row in rows if row[name]] for name in ("CH1_V", "CH2_A")]

    def events(self, kind):
        db = sqlite3.connect(self.path("r.db"))
        try:
            bodies = [json.loads(b) for b, in db.execute("SELECT body FROM journal ORDER BY seq")]
        finally:
            db.close()
        return [b["text"] for b in bodies if b.get("event") == kind]

    def test_who_it_is_and_what_it_delivers(self):
        done = self.coldrig("meter", "show", self.scope.spec, "--json", timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual((said["vendor"], said["model"]), ("Rohde&Schwarz", "RTB2004"))
        self.assertEqual([(c["name"], c["unit"]) for c in said["channels"]],
                         [("CH1", "V"), ("CH2", "A"), ("CH3", "V"), ("CH4", "V")])

    def test_frames_are_recorded_whole_and_it_is_said_what_their_times_are(self):
        done, said, values = self.record("--samples", "20000")
        self.assertEqual([(c["unit"], c["samples"], c["rate_hz"]) for c in said["channels"]],
                         [("V", 20000, RATE_HZ), ("A", 20000, RATE_HZ)])
        self.assertEqual(values[0], [float(i) for i in range(20000)])
        self.assertEqual(values[1], [i + 0.5 for i in range(20000)])
        self.assertIn("does not tell when a frame was sampled", done.stderr)
        self.assertLess(said["channels"][0]["arrived_hz"], RATE_HZ)  # 5 ms between frames of 1 ms

    def test_a_frame_in_pieces_is_put_together(self):
        self.scope.piece = 700
        _, said, values = self.record("--samples", "3000")
        self.assertEqual((said["losses"], values[0]), (0, [float(i) for i in range(3000)]))

    def test_a_scope_that_is_lost_within_a_frame_is_back_and_nothing_is_made_up(self):
        def closes(dialog, block):
            dialog.wfile.write(block[:2000])
            return False

        def resets(dialog, block):
            dialog.wfile.write(block[:2000])
            dialog.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False

        for fault in (closes, resets, lambda *_: True):  # the last one stalls
            with self.subTest(fault):
                self.scope.frames, self.scope.fault, self.scope.fault_at = {}, fault, 5
                self.scope.fault_over = False
                begin = time.monotonic()
                _, said, values = self.record("--samples", "12000")
                self.assertLess(time.monotonic() - begin, 20)
                self.assertEqual(said["losses"], 1)
                self.assertEqual(len(self.events("ready")), 2)
                # What was sent before the loss, and the rest from a frame's beginning on; frame 5 is lost.
                for k in range(2):
                    frames = collections.Counter(int(v) // FRAME for v in values[k])
                    self.assertEqual(set(frames.values()), {FRAME}, frames)
                    self.assertEqual([v - k / 2 for v in values[k]], sorted({v - k / 2 for v in values[k]}))
                    self.assertTrue(all(v - k / 2 == int(v - k / 2) for v in values[k]))
                os.unlink(self.path("r.db"))
                os.unlink(self.path("r.csv"))

    def test_where_times_must_be_true_it_is_refused_with_the_reason(self):
        done = self.coldrig("meter", "read", self.scope.spec, "--channel", "CH1", timeout=60)
        self.assert_one_message(done, 2, "hameg-hmo delivers frames", "meter record")


if __name__ == "__main__":
    unittest.main(verbosity=2)
