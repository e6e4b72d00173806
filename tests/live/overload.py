#!/usr/bin/env python3
"""What is lost when more comes than one worker can take, and does anybody get to know?

    overload.py BINARY [NAME...]

tcpreplay sends at full speed over a veth pair in a network namespace of its own, `ehlotap live`
reads the other end with net_af_packet on the same CPU. Every frame that was sent must be among
those read or those counted as lost; a slow stream over a second pair must be judged as ever; memory
must not grow; the end comes within a second. The same with a distributor whose lanes are full.

Last line `N passed, N failed`. Exit 0: all passed; 1: not; 77: it cannot be run here (needs root,
network namespaces and tcpreplay).
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the source folder stays clean
import engine
import netns
import traffic

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.join(HERE, "..", "data", "sample.pcap")
FLOOD_S, FLOOD_CPU = 4, "0"
GROWTH_KIB = 32 << 10
HISTORY_KIB = 256 << 10  # what --sessions remembers and waits to write
SLOW_PPS = 1000
# some kilobytes of the kernel's ring, so that it is full at once
SOCKET = "blocksz=65536,framesz=2048,framecnt=512"
# of a record, all that is not a time or an end of the capture
PARTS = ("client", "server", "service", "mode", "starttls", "hello", "server_hello", "certs",
         "mail", "auth_clear", "packets", "bytes", "gaps", "quality")
BINARY = None


def sent_by(interface):
    """Frames; by netlink, for /sys shows another namespace."""
    done = subprocess.run(["ip", "-j", "-s", "link", "show", interface], check=True,
                          capture_output=True, timeout=engine.TIMEOUT_S)
    return json.loads(done.stdout)[0]["stats64"]["tx"]["packets"]


def replay(interface, path, *args, cpu=None):
    pin = ["taskset", "-c", cpu] if cpu else []
    return engine.popen([*pin, "tcpreplay", "-q", "-i", interface, *args, path],
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def port(number, interface):
    return f"net_af_packet{number},iface={interface},{SOCKET}"


def judged(lines):
    """{connection: what is said of it}, without times."""
    found = {}
    for line in lines:
        key = tuple(line[side][name] for side in ("client", "server") for name in ("ip", "port"))
        what = {part: line[part] for part in PARTS}
        what["tls"] = {name: value for name, value in line["tls"].items()
                       if name != "handshake_ms"}
        found.setdefault(key, []).append(what)
    return found


def sessions_of(path):
    """Without those of the flood, which are many."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if '"ip":"10.171.' not in line]


def read_sample():
    path = os.path.join(engine.new_folder(), "sessions")
    netns.run(BINARY, "read", "--quiet", "--sessions", path, SAMPLE)
    return judged(sessions_of(path))


def make_flood():
    path = os.path.join(engine.new_folder(), "flood.pcap")
    with open(path, "wb") as file:
        flood = traffic.Traffic(3000, 3)
        file.write(traffic.HEAD + flood.blob())
    return path


def test_socket():
    """The kernel's ring overflows."""
    netns.pair("flood")
    netns.pair("slow")
    sessions = os.path.join(engine.new_folder(), "sessions")
    live = engine.Engine(BINARY, [port(0, "floodb"), port(1, "slowb")], cores=FLOOD_CPU,
                         sessions=sessions)
    before = live.rss_kib()
    slow = replay("slowa", SAMPLE, f"--pps={SLOW_PPS}")
    flood = replay("flooda", make_flood(), "--topspeed", "--preload-pcap", "--loop=0",
                   cpu=FLOOD_CPU)
    slow.wait(engine.TIMEOUT_S)
    os.kill(flood.pid, signal.SIGTERM)
    flood.wait(engine.TIMEOUT_S)
    time.sleep(1.2)  # counters of ports are asked once a second
    after = live.rss_kib()
    ports = live.ask("/ehlotap/ports")
    sent, slow_sent = sent_by("flooda"), sent_by("slowa")
    code, took = live.end()
    said, problems = live.said(), []
    one, two = ports["net_af_packet0"], ports["net_af_packet1"]
    lost = one["imissed"] + one["ierrors"] + one["rx_nombuf"]
    print(f"    {sent} frames were sent, {one['packets']} read, {lost} counted as lost; "
          f"RSS {before} KiB, then {after} KiB; end in {took:.2f} s")
    if lost == 0:
        problems.append("nothing was lost: this was no overload")
    if one["packets"] + lost != sent:
        problems.append(f"{sent} frames were sent, {one['packets']} read, {lost} counted as lost: "
                        f"{sent - one['packets'] - lost} are missing")
    if two["packets"] + two["imissed"] != slow_sent:
        problems.append(f"of {slow_sent} slow frames {two['packets']} were read and "
                        f"{two['imissed']} counted as lost")
    if after - before > HISTORY_KIB:
        problems.append(f"memory grew from {before} to {after} KiB")
    if code != 0:  # with --sessions, the last minute's lines are still to be written: no limit
        problems.append(f"the end came with {code} after {took:.2f} s")
    if not re.search(rf"net_af_packet0 \(net_af_packet\): \d+ packets, {one['imissed']} missed",
                     said):
        problems.append(f"the counters at the end do not tell {one['imissed']} missed: {said}")
    if two["imissed"] == 0:
        found = judged(sessions_of(sessions))
        expected = read_sample()
        problems += [f"{key}: {found.get(key)} is not {expected.get(key)}"
                     for key in found.keys() | expected.keys()
                     if found.get(key) != expected.get(key)]
    else:
        problems.append("the slow stream has lost frames")
    return problems


def test_end_under_flood():
    """SIGTERM while the flood goes on."""
    netns.pair("end")
    live = engine.Engine(BINARY, [port(0, "endb")], cores=FLOOD_CPU)
    before = live.rss_kib()
    flood = replay("enda", make_flood(), "--topspeed", "--preload-pcap", "--loop=0",
                   cpu=FLOOD_CPU)
    time.sleep(FLOOD_S / 2)
    after = live.rss_kib()
    code, took = live.end()
    os.kill(flood.pid, signal.SIGTERM)
    flood.wait(engine.TIMEOUT_S)
    files = engine.new_folder()
    engine.export_once(BINARY, live.sensor, files)
    rows = [row[0]["capture"] for row in engine.minute_files(files).values()]
    told = sum(row["packets"] for row in rows if row["packets"])
    lost = sum(row["imissed"] for row in rows if row["imissed"])
    said = re.search(r"live: [0-9.]+ s, (\d+) packets", live.said())
    missed = re.search(r"packets, (\d+) missed", live.said())
    print(f"    {told} packets, {lost} missed; RSS {before} KiB, then {after} KiB; "
          f"end in {took:.2f} s")
    problems = []
    if after - before > GROWTH_KIB:
        problems.append(f"memory grew from {before} to {after} KiB")
    if code != 0 or took > 1:
        problems.append(f"the end came with {code} after {took:.2f} s")
    if not said or int(said[1]) != told:
        problems.append(f"minute rows tell {told} packets, the engine: {live.said()}")
    # a second's worth of losses may come behind the last mark
    if not missed or (lost == 0) != (int(missed[1]) == 0) or lost > int(missed[1]):
        problems.append(f"minute rows tell {lost} missed, the engine: {live.said()}")
    return problems


def test_lanes():
    """A distributor is faster than its workers: frames for a full lane are counted."""
    flood = traffic.Traffic(12000, 3)
    folder = engine.new_folder()
    path = os.path.join(folder, "flood.pcap")
    with open(path, "wb") as file:
        file.write(traffic.HEAD + flood.blob())
    sensor, lines, said = engine.run_live(BINARY, [engine.pcap_port(0, path)], flood.frames,
                                          cores="0,1,1",
                                          args=engine.SMALL + ("--mbufs", "65536"))
    engine.export_once(BINARY, sensor, folder)
    rows = engine.minute_files(folder)
    lost = sum(row[0]["engine"]["lane_lost"] or 0 for row in rows.values())
    packets_told = sum(row[0]["capture"]["packets"] or 0 for row in rows.values())
    without = sum(row[0]["capture"]["rx_nombuf"] or 0 for row in rows.values())
    told = re.search(r"(\d+) packets lost to full lanes", said)
    expected, wrong = traffic.read_outcomes(BINARY, path), 0
    for line in lines:
        was, now = expected[line["client"]["ip"]], line["tls"]["outcome"]
        wrong += now not in (was, "unknown", "incomplete", "none")
    print(f"    {flood.frames} frames, {lost} lost to full lanes, {without} without a buffer, "
          f"{len(lines)} sessions, {wrong} of them wrong")
    problems = []
    if packets_told + without != flood.frames:
        problems.append(f"{packets_told} of {flood.frames} packets are in the minute rows, "
                        f"{without} lost for want of a buffer")
    if lost == 0:
        problems.append("nothing was lost: this was no overload")
    elif not told or int(told[1]) != lost:
        problems.append(f"minute rows tell {lost} lost to lanes, the engine: {said}")
    # a frame that is missing may look like a close without an answer
    if wrong * 100 > len(lines):
        problems.append(f"{wrong} of {len(lines)} sessions have become definite and wrong")
    return problems


def main():
    global BINARY
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1].strip())
    BINARY = os.path.abspath(sys.argv[1])
    engine.need_live(BINARY)
    netns.enter("tcpreplay", "taskset")
    engine.main([test_socket, test_end_under_flood, test_lanes], sys.argv[2:])


main()
