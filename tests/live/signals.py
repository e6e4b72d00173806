#!/usr/bin/env python3
"""Does `ehlotap live` start, go on and end as an operator expects, and say clearly why not?

    signals.py BINARY [NAME...]

Signals, a second instance, what a killed one leaves, wrong arguments, missing rights, an interface
that goes away, the sessions file after a rename, counters by rte_telemetry.

Last line `N passed, N failed`. Exit 0: all passed; 1: not; 77: it cannot be run here (needs root
and network namespaces).
"""
import ast
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the source folder stays clean
import engine
import netns
import packets
import traffic

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.join(HERE, "..", "data", "sample.pcap")
FRAMES = len(packets.read(SAMPLE))
OPEN = 50000
NOBODY = "65534"
BINARY = None


def sample_port():
    return engine.pcap_port(0, SAMPLE)


def sample_engine(**options):
    options.setdefault("args", engine.TINY)
    return engine.Engine(BINARY, [sample_port()], **options)


# ---- the end ----

def ended(live, number):
    code, took = live.end(number)
    if code == 0 and took <= 1:
        return []
    return [f"signal {number}: exit {code} after {took:.2f} s: {live.said()}"]


def test_end():
    """SIGTERM and SIGINT, with --sessions and without, polling and sleeping."""
    problems = []
    for number in (signal.SIGTERM, signal.SIGINT):
        for options in ({}, {"cores": "0,1,1"}, {"idle_sleep_us": 0},
                        {"sessions": os.path.join(engine.new_folder(), "sessions")}):
            live = sample_engine(**options)
            live.wait_packets(FRAMES)
            problems += ended(live, number)
    return problems


def test_end_before_frames():
    """A signal right behind the start."""
    problems = []
    for _ in range(3):
        problems += ended(sample_engine(), signal.SIGTERM)
    return problems


def open_connections():
    """A capture of connections that the server has greeted, and no more."""
    greeting = next(frames[:4] for frames in packets.connections(packets.read(SAMPLE)).values()
                    if packets.Segment(frames[3].data).payload().startswith(b"220 "))
    client = packets.Segment(greeting[0].data).ends[0]
    path = os.path.join(engine.new_folder(), "open.pcap")
    with open(path, "wb") as file:
        file.write(traffic.HEAD)
        for i in range(OPEN):
            for frame in greeting:
                data = packets.renamed(frame.data, client, traffic.address(i), 20000)
                file.write(struct.pack("<IIII", *divmod(traffic.BEGIN_NS + i * 1000000, 10**9),
                                       len(data), len(data)))
                file.write(data)
    return path, OPEN * len(greeting)


def test_end_with_open_connections():
    path, frames = open_connections()
    live = engine.Engine(BINARY, [engine.pcap_port(0, path)], args=(
        "--flows", "131072", "--undecided", "65536", "--ring-size", "64M"))
    live.wait_packets(frames)
    time.sleep(0.2)  # counters are shown 200 times a second, while there is a CPU for it
    worker = live.ask("/ehlotap/workers")["worker_0"]
    problems = ended(live, signal.SIGTERM)
    if worker["flows_open"] != OPEN:
        problems.append(f"{worker['flows_open']} connections were open")
    folder = engine.new_folder()
    engine.export_once(BINARY, live.sensor, folder)
    told = sum(row["sessions"] for rows in engine.minute_files(folder).values() for row in rows
               if row["type"] == "peer")
    if told != OPEN:
        problems.append(f"{told} of {OPEN} sessions are in the minute files")
    return problems


# ---- SIGHUP ----

def test_sessions_renamed():
    """Behind a SIGHUP lines go into a new file, and none is lost or doubled."""
    flow, folder = traffic.Traffic(600, 6), engine.new_folder()
    part = flow.frames // 2
    feeder = traffic.Feeder(folder, [flow.blob(0, 0, part), flow.blob(0, part)])
    path = os.path.join(folder, "sessions")
    live = engine.Engine(BINARY, [engine.pcap_port(0, feeder.path)], args=engine.TINY,
                         sessions=path)
    live.wait_packets(part - 1000)
    end = time.monotonic() + 10
    while not os.path.getsize(path) and time.monotonic() < end:
        time.sleep(0.01)
    os.rename(path, path + ".1")
    live.send(signal.SIGHUP)
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.01)
    feeder.go_on()
    live.wait_packets(flow.frames)
    problems = ended(live, signal.SIGTERM)
    feeder.end()
    clients = []
    for name in (path + ".1", path):
        if not os.path.exists(name):
            return problems + [f"{name} is not there"]
        with open(name, encoding="utf-8") as file:
            lines = [json.loads(line)["client"]["ip"] for line in file]
        if not lines:
            problems.append(f"{name} is empty")
        clients += lines
    if len(clients) != flow.sessions or len(set(clients)) != flow.sessions:
        problems.append(f"{len(clients)} lines of {len(set(clients))} clients, "
                        f"not {flow.sessions}")
    return problems


def test_hang_up_without_sessions():
    live = sample_engine()
    live.wait_packets(FRAMES)
    live.send(signal.SIGHUP)
    time.sleep(0.3)
    if live.process.poll() is not None:
        return [f"it has ended: {live.said()}"]
    return ended(live, signal.SIGTERM)


# ---- two of them, and what is left ----

def refused(words, args, wrap=(), sensor=None, environment=None):
    """Exit 2, and the last sentence matches words; nothing of it is left in /dev/shm."""
    sensor = sensor or engine.new_sensor()
    command = [*wrap, BINARY, "live", "--sensor", sensor, "--file-prefix", sensor,
               *engine.TINY, *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=engine.TIMEOUT_S,
                          check=False, env=environment)
    ours = [line for line in done.stderr.splitlines() if line.startswith("ehlotap live: ")]
    what = f"{' '.join(args)}: exit {done.returncode}: {done.stderr}"
    if done.returncode != 2 or len(ours) != 1 or not re.search(words, ours[0]):
        return [f"/{words}/ was expected. {what}"]
    if engine.rings(sensor):
        return [f"left over: {engine.rings(sensor)}. {what}"]
    return []


def test_second_instance():
    live = sample_engine()
    done = subprocess.run(
        [BINARY, "live", "--sensor", live.sensor, "--file-prefix", live.sensor + "-2", "--no-huge",
         "--cores", "0", "--port", sample_port(), *engine.TINY],
        capture_output=True, text=True, timeout=engine.TIMEOUT_S, check=False)
    problems = []
    if done.returncode != 2 or \
            f"sensor {live.sensor} is taken by process {live.process.pid};" not in done.stderr or \
            len(done.stderr.splitlines()) != 1:
        problems.append(f"exit {done.returncode}: {done.stderr}")
    live.wait_packets(FRAMES)
    return problems + ended(live, signal.SIGTERM)


def test_same_prefix():
    """Two DPDK programs with one file prefix."""
    live = sample_engine()
    problems = refused("file-prefix", ("--no-huge", "--cores", "0", "--port", sample_port(),
                                       "--file-prefix", live.prefix))
    return problems + ended(live, signal.SIGTERM)


def test_after_kill():
    """Nothing that a killed engine leaves hinders the next one, of the same sensor and prefix."""
    sensor, problems = engine.new_sensor(), []
    for _ in range(3):
        live = sample_engine(sensor=sensor)
        live.wait_packets(FRAMES)
        live.process.kill()
        live.process.wait(engine.TIMEOUT_S)
    live = sample_engine(sensor=sensor)
    live.wait_packets(FRAMES)
    problems += ended(live, signal.SIGTERM)
    if len(engine.rings(sensor)) != 4:
        problems.append(f"rings: {engine.rings(sensor)}")
    return problems


def test_many_left():
    """Rings of many runs that nobody read: the oldest go, and it is said."""
    sensor = engine.new_sensor()
    for _ in range(11):
        live = sample_engine(sensor=sensor)
        live.end()
    if len(engine.rings(sensor)) > 10 or "no exporter has read it" not in live.said():
        return [f"{len(engine.rings(sensor))} rings are there: {live.said()}"]
    return []


# ---- refused ----

def test_wrong_arguments():
    base = ("--no-huge", "--cores", "0")
    problems = []
    for words, args in (
            (r"no port 0000:ff:00\.0", ("--port", "0000:ff:00.0")),
            (r'PCI address .* or a vdev .*, not "eth0"', ("--port", "eth0")),
            (r'no driver for the device "net_nonsense0"', ("--port", "net_nonsense0")),
            (r"net_pcap0 did not start: .*No such file", ("--port", engine.pcap_port(0, "/no"))),
            (r"net_af_packet0 did not start: .*No such device",
             ("--port", "net_af_packet0,iface=nonsense0")),
            (r"no port is given", ()),
            (r"has 1 RX queues, not 9; ask for fewer", ("--port", sample_port(), "--queues", "9")),
            (r"names CPU 1000", ("--port", sample_port(), "--cores", "1000")),
            (r"names net_pcap0 a second time", ("--port", sample_port(), "--port", sample_port()))):
        problems += refused(words, base + args)
    return problems


def test_wrong_sessions():
    """Refused late, when the rings are there: they go with it."""
    return refused("cannot write /no/where: No such file", (
        "--no-huge", "--cores", "0", "--port", sample_port(), "--sessions", "/no/where"))


def test_no_rights():
    engine.need_tool("setpriv")
    folder = engine.new_folder()
    os.chmod(folder, 0o777)
    where = {"HOME": folder, "XDG_RUNTIME_DIR": folder, "PATH": os.environ["PATH"]}
    wrap = ("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups")
    if subprocess.run([*wrap, BINARY, "live", "--help"], capture_output=True,
                      check=False).returncode != 0:
        return []  # the build folder is not for everybody
    return refused("want of rights .*CAP_NET_RAW", (
        "--no-huge", "--cores", "0", "--port", "net_af_packet0,iface=lo"), wrap,
        environment=where)


# A machine without hugepages, for one process: mounts of its own hide them
NO_HUGEPAGES = """
umount -a -t hugetlbfs
sizes=/sys/kernel/mm/hugepages
mount -t tmpfs none $sizes && mkdir $sizes/hugepages-2048kB || exit 99
for file in nr_hugepages free_hugepages resv_hugepages surplus_hugepages nr_overcommit_hugepages
do
    echo 0 >$sizes/hugepages-2048kB/$file
done
mount --bind $sizes/hugepages-2048kB/nr_hugepages /proc/sys/vm/nr_hugepages || exit 99
exec "$@"
"""


def test_no_hugepages():
    return refused("There are no hugepages; .*--no-huge", ("--cores", "0", "--port", sample_port()),
                   ("unshare", "--mount", "sh", "-c", NO_HUGEPAGES, "sh"))


# ---- an interface that goes ----

def test_removed():
    """One of two ports is removed: the engine says so, goes on, and ends as ever."""
    netns.pair("gone")
    netns.pair("stays")
    live = engine.Engine(BINARY, ["net_af_packet0,iface=goneb", "net_af_packet1,iface=staysb"],
                         args=engine.TINY)
    netns.run("tcpreplay", "-q", "-i", "gonea", "--pps=20000", SAMPLE)
    live.wait_packets(FRAMES)
    netns.run("ip", "link", "del", "gonea")
    problems = []
    try:
        live.wait_for("net_af_packet0", 5)
    except engine.Failure as failure:
        problems.append(f"the removal was not noticed: {failure}")
    time.sleep(0.3)
    netns.run("tcpreplay", "-q", "-i", "staysa", "--pps=20000", SAMPLE)
    try:
        live.wait_packets(2 * FRAMES, 5)
    except (engine.Failure, OSError) as failure:
        problems.append(f"it did not go on: {failure}")
    print("    " + "; ".join(line for line in live.said().splitlines() if "packet0" in line))
    return problems + ended(live, signal.SIGTERM)


def test_removed_only():
    """The only port is removed: the engine waits for what it is told."""
    netns.pair("only")
    live = engine.Engine(BINARY, ["net_af_packet0,iface=onlyb"], args=engine.TINY)
    netns.run("tcpreplay", "-q", "-i", "onlya", "--pps=20000", SAMPLE)
    live.wait_packets(FRAMES)
    netns.run("ip", "link", "del", "onlya")
    live.wait_for("was removed", 5)
    time.sleep(0.5)
    if live.process.poll() is not None:
        return [f"it has ended: {live.said()}"]
    problems = ended(live, signal.SIGTERM)
    if f": {FRAMES} packets" not in live.said():
        problems.append(f"the counters of the port are gone: {live.said()}")
    return problems


# ---- telemetry ----

def numbers(said):
    """Of the counters at the end."""
    packets_read = re.search(r"s, (\d+) packets, (\d+) bytes", said)
    worker = re.search(r"worker 0: (?:\d+ packets, )?(\d+) flows \((\d+) aged, (\d+) evicted, "
                       r"(\d+) open\)", said)
    return [int(value) for match in (packets_read, worker) for value in match.groups()]


def test_telemetry():
    # frames of other kinds beside the sample's, so that there are drops
    folder = engine.new_folder()
    frames = packets.read(SAMPLE)
    odd = [packets.Frame(frame.ts_ns, frame.data[:12] + b"\x08\x06" + frame.data[14:])
           for frame in frames[:100]]
    path = packets.write(os.path.join(folder, "odd.pcap"), frames + odd)
    live = engine.Engine(BINARY, [engine.pcap_port(0, path)], args=engine.TINY)
    live.wait_packets(FRAMES + 100)
    time.sleep(0.2)  # the worker shows its counters 200 times a second
    info, workers, ports, drops = (live.ask("/ehlotap/" + name)
                                   for name in ("info", "workers", "ports", "drops"))
    script = by_script(live)
    problems = ended(live, signal.SIGTERM)
    said, worker = live.said(), workers["worker_0"]
    if info["sensor"] != live.sensor or info["workers"] != 1 or info["distributor"] != 0:
        problems.append(f"/ehlotap/info: {info}")
    told = [worker["packets"], worker["bytes"], worker["flows_new"], worker["flows_aged"],
            worker["flows_evicted"]]
    if told != numbers(said)[:5]:
        problems.append(f"/ehlotap/workers: {worker}, at the end: {said}")
    port = ports["net_pcap0"]
    if f"net_pcap0 ({port['driver']}): {port['packets']} packets, {port['imissed']} missed" \
            not in said or port["packets"] != FRAMES + 100:
        problems.append(f"/ehlotap/ports: {port}, at the end: {said}")
    given_up = sum(int(cnt) for cnt in re.findall(r"^  (\d+) ", said, re.MULTILINE))
    if sum(drops.values()) < 100 or sum(drops.values()) != given_up:
        problems.append(f"/ehlotap/drops: {drops}, at the end: {said}")
    if script is not None and script["/ehlotap/info"]["sensor"] != live.sensor:
        problems.append(f"dpdk-telemetry.py: {script}")
    return problems


def by_script(live):
    """/ehlotap/info by DPDK's own script; None where that is not installed."""
    script = shutil.which("dpdk-telemetry.py")
    if not script:
        return None
    done = subprocess.run([sys.executable, script, "-f", live.prefix],
                          input="/ehlotap/info\nquit\n", capture_output=True, text=True,
                          timeout=engine.TIMEOUT_S, check=False)
    found = re.search(r'\{"?/ehlotap/info.*?\}\}|\{\s*"/ehlotap/info.*\}', done.stdout, re.DOTALL)
    if not found:
        raise engine.Failure(f"dpdk-telemetry.py: {done.stdout} {done.stderr}")
    try:
        return json.loads(found[0])
    except ValueError:
        return ast.literal_eval(found[0])


def main():
    global BINARY
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1].strip())
    BINARY = os.path.abspath(sys.argv[1])
    engine.need_live(BINARY)
    netns.enter("tcpreplay")
    engine.main([function for name, function in globals().items() if name.startswith("test_")],
                sys.argv[2:])


main()
