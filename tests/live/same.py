#!/usr/bin/env python3
"""Does a live capture say the same as `ehlotap read` does of the same frames?

    same.py BINARY [NAME...]

Frames come from net_pcap, which bears the file's time stamps. `ehlotap live`, ended by SIGTERM,
and then `ehlotap export --once` must write the session lines and the minute files that `read`
writes: with one worker, with two behind a distributor, from one port and from two that see one
direction each. Tunnels, fragments and frames of several packet buffers must not matter.

Captures: tests/data/sample.pcap, and mail captures of $EHLOTAP_CAPTURES or ../shared/captures
beside the repository where there are any. NAME: parts of names of tests or captures.

Last line `N passed, N failed`. Exit 0: all passed; 1: not; 77: it cannot be run here.
"""
import csv
import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # the source folder stays clean
import engine
import packets
import traffic

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.join(HERE, "..", "data", "sample.pcap")
CAPTURES = os.environ.get("EHLOTAP_CAPTURES") or \
    os.path.join(HERE, "..", "..", "..", "shared", "captures")
SENSOR = "same"  # of records, so that they can be compared
# net_pcap is faster than a worker: what is beyond the slots of a lane may be lost
LANE = 4000
MAIL_MAX = int(os.environ.get("EHLOTAP_SAME_CAPTURES", "16"))
ONE, TWO = "0", "0,1,1"
KINDS = ("peer", "hello", "cert", "fallback")
COUNTS = ("packets", "bytes", "drops")
# What is found when a connection ages counts in the minute in which that is noticed
SUMS = ("duplicates", "gaps", "flows_new")
BINARY = None


class Said:
    """Session lines and minute files."""

    def __init__(self, sessions, files):
        self.sessions = sorted(named(json.dumps(line, sort_keys=True)) for line in sessions)
        self.files = files


def named(text):
    return re.sub(r'"sensor": ?"[^"]*"', '"sensor":"-"', text)


def read(*paths):
    folder = engine.new_folder()
    sessions = os.path.join(folder, "sessions")
    done = subprocess.run(
        [BINARY, "read", "--quiet", "--sensor", SENSOR, "--minutes", folder, "--sessions",
         sessions, *paths], capture_output=True, text=True, timeout=engine.TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise engine.Failure(f"read ended with {done.returncode}: {done.stderr}")
    with open(sessions, encoding="utf-8") as file:
        said = Said([json.loads(line) for line in file], engine.minute_files(folder))
    shutil.rmtree(folder)
    return said


def paced(path, frames, cores, args):
    """Through a FIFO in a second: buffers for long frames are few, and a frame may be cut."""
    folder = engine.new_folder()
    with open(path, "rb") as file:
        feeder = traffic.Feeder(folder, [file.read()[len(traffic.HEAD):]], 1)
    try:
        return live([feeder.path], frames, cores, args)
    finally:
        feeder.end()
        shutil.rmtree(folder)


def live(paths, frames, cores, args=()):
    ports = [engine.pcap_port(i, path) for i, path in enumerate(paths)]
    sensor, sessions, errors = engine.run_live(BINARY, ports, frames, cores=cores,
                                               args=engine.SMALL + tuple(args))
    folder = engine.new_folder()
    try:
        engine.export_once(BINARY, sensor, folder)
        files = engine.minute_files(folder)
        left = engine.rings(sensor)
    finally:
        engine.forget(sensor)
        shutil.rmtree(folder)
    if left:
        raise engine.Failure(f"the exporter has left {left}")
    if "lost to full lanes" in errors:
        raise engine.Failure(f"frames were lost on the way to a worker: {errors}")
    return Said(sessions, files)


def short(text, other):
    """Where the two differ."""
    at = next((i for i, (a, b) in enumerate(zip(text, other)) if a != b),
              min(len(text), len(other)))
    return text[max(0, at - 60):at + 60]


def compare_lines(what, ours, theirs):
    only_ours, only_theirs = list(ours), []
    for line in theirs:
        if line in only_ours:
            only_ours.remove(line)
        else:
            only_theirs.append(line)
    problems = []
    if only_ours or only_theirs:
        problems.append(f"{what}: {len(ours)} live, {len(theirs)} read, of them "
                        f"{len(only_ours)} and {len(only_theirs)} alone")
    for a, b in zip(only_ours[:3], only_theirs[:3]):
        problems.append(f"    live ...{short(a, b)}...")
        problems.append(f"    read ...{short(b, a)}...")
    return problems


def compare(ours, theirs, counts):
    """counts: the minute row's counters must be the same, too."""
    problems = compare_lines("sessions", ours.sessions, theirs.sessions)
    if ours.files.keys() != theirs.files.keys():
        problems.append(f"minutes: live {sorted(ours.files)}, read {sorted(theirs.files)}")
    for minute in sorted(ours.files.keys() & theirs.files.keys()):
        rows = [[named(json.dumps(row)) for row in said.files[minute] if row["type"] in KINDS]
                for said in (ours, theirs)]
        if rows[0] != rows[1]:
            problems += compare_lines(f"rows of {minute}", *rows) or [f"{minute}: other order"]
        if counts:
            captures = [said.files[minute][0]["capture"] for said in (ours, theirs)]
            # a minute without a frame has no mark of its own, so that live does not know
            problems += [f"{minute} {name}: live {captures[0][name]}, read {captures[1][name]}"
                         for name in COUNTS if captures[0][name] != captures[1][name] and
                         (captures[0][name], captures[1][name]) != (None, 0)]
    for name in SUMS if counts else ():
        sums = [sum(rows[0]["capture"][name] or 0 for rows in said.files.values())
                for said in (ours, theirs)]
        if sums[0] != sums[1]:
            problems.append(f"{name}: live {sums[0]}, read {sums[1]}")
    return problems


def each(name, problems):
    return [f"{name}: {problem}" for problem in problems]


# ---- the same frames ----

def check_capture(path):
    """One port and two, one worker and two."""
    frames = packets.read(path)
    folder = engine.new_folder()
    halves = packets.split(frames)
    parts = [packets.write(os.path.join(folder, name), half)
             for name, half in zip(("up.pcap", "down.pcap"), halves)]
    if "," in path:  # which DPDK takes for the end of an argument
        path = packets.write(os.path.join(folder, "whole.pcap"), frames)
    whole, merged = read(path), read(*parts)
    problems = each("1 worker", compare(live([path], len(frames), ONE), whole, True))
    if all(halves):
        problems += each("2 ports, 1 worker",
                         compare(live(parts, len(frames), ONE), merged, True))
    if len(frames) < LANE:
        problems += each("2 workers", compare(live([path], len(frames), TWO), whole, False))
    if len(frames) < LANE and all(halves):
        problems += each("2 ports, 2 workers",
                         compare(live(parts, len(frames), TWO), merged, False))
    shutil.rmtree(folder)
    return problems


def mail_captures():
    """One of each group of near duplicates, in a fixed order that mixes their sources."""
    index = os.path.join(CAPTURES, "INDEX.tsv")
    if not os.path.exists(index):
        return []
    with open(index, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                if row["class"] == "mail"]
    found, groups = [], set()
    # long ones first: they have most to be wrong about
    for row in sorted(rows, key=lambda row: (-int(row["packets"] or 0), row["path"])):
        path = os.path.join(CAPTURES, "files", row["path"])
        group = row["group"] or row["path"]
        if group in groups or not os.path.exists(path) or int(row["size"]) > 4 << 20:
            continue
        frames = packets.read(path)
        if frames and all(len(frame.data) >= 14 for frame in frames):
            groups.add(group)
            found.append(path)
    step = max(1, len(found) // MAIL_MAX)
    return found[::step][:MAIL_MAX]


# ---- wrapped ----

HOW = ("vlan", "qinq", "vxlan", "gre", "erspan", "fragments", "swapped", "outer_fragments",
       "outer_swapped", "inner_fragments", "inner_swapped")


def check_wrapped(how):
    frames = packets.read(SAMPLE)
    wrapped = packets.wrapped(frames, getattr(packets, how))
    folder = engine.new_folder()
    path = packets.write(os.path.join(folder, "wrapped.pcap"), wrapped)
    whole = read(SAMPLE)
    problems = each("1 worker", compare(live([path], len(wrapped), ONE), whole, False))
    problems += each("2 workers", compare(live([path], len(wrapped), TWO), whole, False))
    shutil.rmtree(folder)
    return problems


def check_both():
    """Fragments in fragments are not put together: they are counted, and nothing is made up."""
    wrapped = packets.wrapped(packets.read(SAMPLE), packets.both_fragments)
    folder = engine.new_folder()
    path = packets.write(os.path.join(folder, "both.pcap"), wrapped)
    ours, whole, problems = live([path], len(wrapped), ONE), read(SAMPLE), []
    drops = sum(rows[0]["capture"]["drops"].get("fragment", 0) for rows in ours.files.values())
    if drops == 0:
        problems.append("nothing was counted as a fragment")
    outcomes = {ends(line): line["tls"]["outcome"] for line in map(json.loads, whole.sessions)}
    for line in map(json.loads, ours.sessions):
        if line["tls"]["outcome"] not in ("unknown", "incomplete", "none", outcomes[ends(line)]):
            problems.append(f"{ends(line)}: {outcomes[ends(line)]} became "
                            f"{line['tls']['outcome']}")
    shutil.rmtree(folder)
    return problems


def ends(line):
    return tuple(line[side][name] for side in ("client", "server") for name in ("ip", "port"))


def check_jumbo():
    """Segments as long as the sample gives them, in packet buffers of 1024 bytes."""
    frames = packets.merged(packets.read(SAMPLE), 8000)
    if max(len(frame.data) for frame in frames) < 2100:
        return ["the sample has no segments that make a long frame"]
    folder = engine.new_folder()
    path = packets.write(os.path.join(folder, "jumbo.pcap"), frames)
    tunnel = packets.write(os.path.join(folder, "tunnel.pcap"),
                           packets.wrapped(frames, packets.vxlan))
    whole, small = read(path), ("--mbuf-size", "1024")
    problems = each("1 worker", compare(live([path], len(frames), ONE, small), whole, True))
    problems += each("2 workers", compare(paced(path, len(frames), TWO, small), whole, False))
    problems += each("VXLAN, 2 workers",
                     compare(paced(tunnel, len(frames), TWO, small), whole, False))
    shutil.rmtree(folder)
    return problems


def check_trailed(size, mbuf_size):
    """Frames of `size` bytes, most of them behind the IP packet."""
    frames = packets.trailed(packets.read(SAMPLE), size)
    folder = engine.new_folder()
    path = packets.write(os.path.join(folder, "trailed.pcap"), frames)
    whole, args = read(SAMPLE), ("--mbuf-size", str(mbuf_size), "--mbufs", "65536")
    problems = each("1 worker", compare(live([path], len(frames), ONE, args), whole, False))
    problems += each("2 workers", compare(paced(path, len(frames), TWO, args), whole, False))
    shutil.rmtree(folder)
    return problems


def test(name, function, *args):
    def run():
        return function(*args)
    run.__name__ = name
    return run


def main():
    global BINARY
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1].strip())
    BINARY = os.path.abspath(sys.argv[1])
    engine.need_live(BINARY)
    tests = [test("sample", check_capture, SAMPLE)]
    tests += [test(how, check_wrapped, how) for how in HOW]
    tests += [test("both_fragments", check_both), test("jumbo", check_jumbo),
              test("trailed_1024", check_trailed, 9000, 1024),
              test("trailed_2048", check_trailed, 9000, 2048),
              test("trailed_long", check_trailed, 60000, 8192)]
    tests += [test(os.path.relpath(path, os.path.join(CAPTURES, "files")), check_capture, path)
              for path in mail_captures()]
    engine.main(tests, sys.argv[2:])


main()
