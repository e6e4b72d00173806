"""Traffic made of the sample's connections: many short ones, each with a client of its own."""
import json
import os
import struct
import subprocess
import threading
import time

import engine
import packets

SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "sample.pcap")
MINUTE_NS = 60 * 10**9
BEGIN_NS = 29_000_000 * MINUTE_NS  # in 2025
HEAD = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)


def short_connections(cnt):
    """The frames of the sample's shortest connections over IPv4 that end by themselves."""
    out = []
    for frames in packets.connections(packets.read(SAMPLE)).values():
        segments = [packets.Segment(frame.data) for frame in frames]
        flags = [segment.flags for segment in segments]
        fins = {tuple(s.ends) for s in segments if s.flags & packets.FIN}
        if segments[0].width == 4 and flags[0] & packets.SYN and \
                (len(fins) == 2 or any(f & packets.RST for f in flags)):
            out.append((frames, segments[0].ends[0]))
    return sorted(out, key=lambda pair: len(pair[0]))[:cnt]


class Traffic:
    """Sessions one after the other: `sessions` of them over so many minutes."""

    def __init__(self, sessions, minutes, kinds=12):
        self.sessions, self.minutes = sessions, minutes
        self.records = []  # (time stamp without shift, frame)
        pool = short_connections(kinds)
        for i in range(sessions):
            frames, client = pool[i % len(pool)]
            start = i * minutes * MINUTE_NS // sessions
            for frame in frames:
                at = start + (frame.ts_ns - frames[0].ts_ns) % MINUTE_NS
                self.records.append((at, packets.renamed(frame.data, client, address(i),
                                                         20000 + i % 30000)))
        self.records.sort(key=lambda record: record[0])
        self.frames = len(self.records)

    def blob(self, shift=0, begin=0, end=None):
        """Records of a pcap file, later by `shift` times the traffic's length."""
        shift_ns = BEGIN_NS + shift * (self.minutes + 1) * MINUTE_NS
        parts = []
        for at, data in self.records[begin:end]:
            parts.append(struct.pack("<IIII", *divmod(at + shift_ns, 10**9), len(data), len(data)))
            parts.append(data)
        return b"".join(parts)


def address(i):
    return b"\x0a\xab" + struct.pack(">H", i)


def client_name(i):
    return "10.171." + ".".join(str(byte) for byte in struct.pack(">H", i))


class Feeder:
    """Writes a capture into a FIFO, at a pace if one is given."""

    def __init__(self, folder, blobs, seconds=0.0):
        self.path = os.path.join(folder, f"fifo{id(self)}")
        os.mkfifo(self.path)
        self.blobs, self.seconds, self.hold = list(blobs), seconds, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            with open(self.path, "wb", buffering=0) as file:
                file.write(HEAD)
                for i, blob in enumerate(self.blobs):
                    if i > 0:
                        self.hold.wait(engine.TIMEOUT_S)  # the second part waits for go_on
                    self.feed(file, blob)
        except BrokenPipeError:
            pass  # the engine was killed

    def feed(self, file, blob):
        step = max(4096, len(blob) // 200)
        for at in range(0, len(blob), step):
            left = memoryview(blob)[at:at + step]
            while left:
                left = left[file.write(left):]
            if self.seconds:
                time.sleep(self.seconds / 200)

    def go_on(self):
        self.hold.set()

    def end(self):
        self.go_on()
        try:  # an engine that was killed early may never have opened it
            os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            pass
        self.thread.join(engine.TIMEOUT_S)
        os.unlink(self.path)


def read_outcomes(binary, path):
    """{client: outcome} as `ehlotap read` tells it."""
    done = subprocess.run([binary, "read", "--quiet", "--sessions", "-", path], check=True,
                          capture_output=True, timeout=engine.TIMEOUT_S)
    lines = map(json.loads, done.stdout.splitlines())
    return {line["client"]["ip"]: line["tls"]["outcome"] for line in lines}
