#!/usr/bin/env python3
"""Lets Pktgen-DPDK replay a capture to one port at one rate, and says what it sent.

memif.sh, veth.sh and physical.sh call this; README.md tells how they are used. Pktgen gets a
terminal, without which it does not run, and its port's counters are asked for by DPDK's telemetry.
The last line of standard output is JSON: frames, seconds, pps.
"""

import argparse
import fcntl
import json
import os
import pathlib
import pty
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from common import Trouble, say  # noqa: E402
from live_run import Telemetry, end_by_signal  # noqa: E402

ON_WIRE = 24  # bytes that a frame takes more than its own there: Pktgen counts so, too
POLL_S = 0.02
START_S = 30
GRACE_S = 1.0  # a sender that is late by so much has not reached the rate
ORDERS = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}
NANO = {b"\x4d\x3c\xb2\xa1": b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d": b"\xa1\xb2\xc3\xd4"}


def readable(path, folder):
    """Pktgen takes no capture with nanoseconds; times do not matter to it, so only the mark does."""
    data = path.read_bytes()
    if data[:4] not in NANO:
        return path
    out = folder / "microseconds.pcap"
    out.write_bytes(NANO[data[:4]] + data[4:])
    return out


def mean_frame(path):
    """Bytes of a frame on average; Pktgen reckons rates with it."""
    data = path.read_bytes()
    order = ORDERS.get(data[:4])
    if not order:
        raise Trouble(f"{path} is no pcap file (Pktgen reads no pcapng)")
    at, frames, total = 24, 0, 0
    while at + 16 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        at += 16 + size
        frames, total = frames + 1, total + size
    if not frames:
        raise Trouble(f"{path} has no frames")
    return total / frames


class Pktgen:
    """Runs it at a terminal of our own."""

    def __init__(self, args, folder):
        self.prefix = f"pktgen-{os.getpid()}"
        self.commands = folder / "commands.pkt"
        self.said = bytearray()
        self.telemetry = Telemetry(self.prefix)
        main, sender = args.cpus
        device = ["--no-pci", "--vdev", args.vdev] if args.vdev else ["-a", args.pci]
        self.cmd = [args.pktgen, "--lcores", f"0@{main},1@{sender}", "--main-lcore", "0",
                    *device, "--file-prefix", self.prefix, *shlex.split(args.eal), "--",
                    "-P", "-m", "1.0", "-s", f"0:{args.pcap}", "-f", str(self.commands)]
        self.process = None

    def start(self):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 200, 0, 0))
        self.process = subprocess.Popen(self.cmd, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True)
        os.close(slave)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """A terminal that nobody reads stops the program."""
        try:
            while data := os.read(self.master, 65536):
                self.said += data
                del self.said[:-65536]
        except OSError:
            pass  # it has ended

    def type(self, line):
        os.write(self.master, line.encode() + b"\r")

    def complain(self, what):
        text = self.said.decode(errors="replace").replace("\033", "")
        lines = [x.strip() for x in text.splitlines()]
        why = [x for x in lines if "PANIC" in x or "Cannot" in x or "rror" in x or "EAL:" in x]
        raise Trouble(f"pktgen {what}; it says: {' '.join([*why[-3:], *lines[-3:]])}")

    def sent(self):
        """Frames that the port took, or None when it does not answer yet."""
        if self.process.poll() is not None:
            self.complain(f"ended ({self.process.returncode})")
        try:
            return self.telemetry.ask("/ethdev/stats,0")["opackets"]
        except (OSError, KeyError, TypeError, ValueError):
            self.telemetry.close()
            return None

    def link_is_up(self):
        status = self.telemetry.ask("/ethdev/link_status,0")
        return "UP" in json.dumps(status).upper()

    def until_ready(self):
        end = time.monotonic() + START_S
        while self.sent() is None or not self.link_is_up():
            if time.monotonic() > end:
                self.complain("gets no link: is the other side there?")
            time.sleep(0.1)
        time.sleep(1)  # its commands are read after its ports are open

    def stop(self):
        self.telemetry.close()
        if not self.process:
            return
        if self.process.poll() is None:
            self.type("quit")
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        os.close(self.master)
        shutil.rmtree(pathlib.Path(self.telemetry.path).parent, ignore_errors=True)


def percent_of(args, mean):
    """What Pktgen calls a rate: percent of the link, a frame's share of the wire with it."""
    if args.pps == "max":
        return 100.0
    return min(100.0, float(args.pps) * (mean + ON_WIRE) * 8 / (args.link_mbit * 1e6) * 100)


def send(args, pktgen):
    """Sends; (frames, seconds)."""
    pktgen.start()
    pktgen.until_ready()
    total = 0 if args.pps == "max" else round(float(args.pps) * args.seconds)
    before = pktgen.sent()
    samples = []
    pktgen.type("start 0")
    end = time.monotonic() + START_S
    while True:
        now, cnt = time.monotonic(), (pktgen.sent() or before) - before
        if cnt and not samples:
            end = now + args.seconds + (GRACE_S if total else 0)
        if cnt:
            samples.append((now, cnt))
        if now > end or (total and cnt >= total):
            break
        time.sleep(POLL_S)
    pktgen.type("stop 0")
    if len(samples) < 2:
        pktgen.complain("sends nothing")
    time.sleep(0.5)  # the receiver takes what still lies in the ring
    rate = (samples[-1][1] - samples[0][1]) / (samples[-1][0] - samples[0][0])
    frames = pktgen.sent() - before
    return frames, frames / rate


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = p.add_mutually_exclusive_group(required=True)
    where.add_argument("--vdev", help="a virtual device with its arguments")
    where.add_argument("--pci", help="address of a NIC bound to vfio-pci")
    p.add_argument("--pcap", type=pathlib.Path, required=True)
    p.add_argument("--pps", default="max", help="frames a second, or max (%(default)s)")
    p.add_argument("--seconds", type=float, default=10, help="(%(default)s)")
    p.add_argument("--link-mbit", type=float, required=True, help="speed that the port tells")
    p.add_argument("--cpus", default="0,1", help="of the terminal and of the sender (%(default)s)")
    p.add_argument("--eal", default="", help="more arguments for EAL")
    p.add_argument("--pktgen", default="pktgen", help="the program (%(default)s)")
    p.add_argument("--show", action="store_true", help="print the commands, run nothing")
    args = p.parse_args(argv)
    try:
        args.cpus = [int(x) for x in args.cpus.split(",")]
        if len(args.cpus) != 2 or (args.pps != "max" and float(args.pps) <= 0) or \
                args.seconds <= 0 or args.link_mbit <= 0:
            raise ValueError
    except ValueError:
        p.error("--cpus takes two, --pps max or a number; numbers are more than 0")
    return args


def main(argv):
    args = parse(argv)
    signal.signal(signal.SIGTERM, end_by_signal)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pktgen-"))
    pktgen = None
    try:
        args.pcap = readable(args.pcap, folder)
        pktgen = Pktgen(args, folder)
        mean = mean_frame(args.pcap)
        total = 0 if args.pps == "max" else round(float(args.pps) * args.seconds)
        lines = [f"set 0 count {total}", f"set 0 rate {percent_of(args, mean):.6g}"]
        pktgen.commands.write_text("\n".join(lines) + "\n")
        if args.show:
            print(shlex.join(pktgen.cmd), *lines, "start 0", sep="\n")
            return 0
        frames, seconds = send(args, pktgen)
    except (Trouble, OSError, KeyboardInterrupt) as e:
        say(f"pktgen_send: {e!r}" if isinstance(e, KeyboardInterrupt) else f"pktgen_send: {e}")
        return 2
    finally:
        if pktgen:
            pktgen.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"frames": frames, "seconds": round(seconds, 6),
                      "pps": round(frames / seconds)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
