#!/usr/bin/env python3
"""Is what `ehlotap gen --port` sends what it writes to a file, and does `ehlotap live` count it so?

    port.py EHLOTAP [NAME...]

Frames go through net_pcap into a file, through net_memif and through a pair of virtual Ethernets
into `ehlotap live`, whose minute files have to say what the truth adds up to.

Last line `N passed, N failed`. Exit 0: all passed; 1: not; 77: it cannot be run here.
"""
import collections
import ipaddress
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))
import agree  # noqa: E402
import engine  # noqa: E402
import minutes  # noqa: E402
import netns  # noqa: E402

PROFILE = HERE / "profiles" / "port.ini"
SESSIONS = 400
# one CPU for both lcores: sending is paced, and others want the rest
EAL = ("--lcores", "0@0,1@0", "--")
TIMES = ("start", "end", "fallback", "decided", "quality")
FIRST_NETS = [*range(10, 127), *range(1, 10)]
BINARY = None


def gen(*args, wait=True, eal=EAL):
    """`ehlotap gen`; (exit code, standard error), or the process."""
    process = engine.popen([BINARY, "gen", *eal, "--no-huge", *map(str, args)],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    if not wait:
        return process
    try:
        out, error = process.communicate(timeout=engine.TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise engine.Failure(f"gen did not end: {process.communicate()[1]}") from None
    return process.returncode, out + error


def sent_by(*args, profile=PROFILE, **more):
    """Sends a profile. (lines of the truth, the line of what was sent)"""
    truth = pathlib.Path(engine.new_folder()) / "truth.jsonl"
    code, said = gen("--profile", profile, "--truth", truth, *args, **more)
    if code != 0:
        raise engine.Failure(f"exit code {code}: {said}")
    lines = agree.read(truth)
    if lines[-1]["type"] != "sent" or any(line["type"] != "session" for line in lines[:-1]):
        raise engine.Failure(f"the truth does not end with what was sent: {lines[-1]}")
    return lines[:-1], lines[-1]


def to_file(profile=PROFILE):
    """(frames, lines of the truth) of the generator without a port."""
    folder = pathlib.Path(engine.new_folder())
    subprocess.run([BINARY, "gen", "--quiet", "--profile", profile, "--out", folder / "x.pcap",
                    "--truth", folder / "truth.jsonl"], timeout=engine.TIMEOUT_S, check=True)
    return frames_of(folder / "x.pcap"), agree.read(folder / "truth.jsonl")


def frames_of(path):
    """(time in microseconds, bytes) of each frame of a pcap file."""
    data, at, frames = pathlib.Path(path).read_bytes(), 24, []
    parts = 1000 if data[:4] == bytes.fromhex("4d3cb2a1") else 1  # nanoseconds
    while at < len(data):
        seconds, part, size = struct.unpack_from("<III", data, at)
        frames.append((seconds * 1000000 + part // parts, data[at + 16:at + 16 + size]))
        at += 16 + size
    return frames


def pcap(name="sent.pcap"):
    """(path, --port) of a file that net_pcap writes."""
    path = os.path.join(engine.new_folder(), name)
    return path, ("--port", f"net_pcap0,tx_pcap={path}")


def bytes_of(frames):
    return [frame for _, frame in frames]


# ---- the same bytes

def test_file():
    """While they are made and out of memory: the frames, their order and the truth of a file."""
    frames, truth = to_file()
    problems = []
    for more in ((), ("--loops", 1)):
        path, port = pcap()
        lines, sent = sent_by(*port, "--rate", "20kpps", *more)
        if bytes_of(frames_of(path)) != bytes_of(frames):
            problems.append(f"{more}: the frames differ")
        if lines != truth:
            problems.append(f"{more}: the truth differs")
        wanted = {"frames": len(frames), "bytes": sum(len(x) for x in bytes_of(frames)),
                  "wire_bytes": sum(max(len(x) + 24, 84) for x in bytes_of(frames)),
                  "dropped": 0, "lost": 0, "loops": len(more) // 2, "interrupted": False}
        problems += [f"{more}: {key}: {sent[key]}, not {value}"
                     for key, value in wanted.items() if sent[key] != value]
    return problems


def unturned(ip, loop):
    """The client's address in the first loop; 100 clients take 7 bits."""
    address = ipaddress.ip_address(ip)
    if address.version == 6:
        number = int(address)
        if number >> 32 & 0xffffffff != loop:
            raise engine.Failure(f"{ip} is not of loop {loop}")
        return str(ipaddress.ip_address(number & ~(0xffffffff << 32)))
    net, rest = int(address) >> 24, int(address) & 0xffffff
    if FIRST_NETS.index(net) != loop >> 17 or rest >> 7 != loop & 0x1ffff:
        raise engine.Failure(f"{ip} is not of loop {loop}")
    return str(ipaddress.ip_address(10 << 24 | rest & 127))


def loop_of(ip):
    address = ipaddress.ip_address(ip)
    if address.version == 6:
        return int(address) >> 32 & 0xffffffff
    return FIRST_NETS.index(int(address) >> 24) << 17 | (int(address) & 0xffffff) >> 7


def test_loops():
    """Each loop's sessions are new ones, with the first loop's truth and with right checksums."""
    path, port = pcap()
    truth, sent = sent_by(*port, "--rate", "50kpps", "--loops", 3)
    out = os.path.join(engine.new_folder(), "sessions")
    subprocess.run([BINARY, "read", "--quiet", "--sessions", out, path], check=True,
                   timeout=engine.TIMEOUT_S)
    loops = collections.defaultdict(list)
    for record in agree.read(out):
        loop = loop_of(record["client"]["ip"])
        record["client"]["ip"] = unturned(record["client"]["ip"], loop)
        loops[loop].append(record)
    problems = [] if sorted(loops) == [0, 1, 2] and sent["loops"] == 3 else \
        [f"loops {sorted(loops)}, sent {sent}"]
    for loop, records in sorted(loops.items()):
        wanted = json.loads(json.dumps(truth))
        for line in wanted:
            for key in TIMES:
                line.pop(key, None)
            line["start"] = ""
        for record in records:
            record["start"] = ""
        tally = agree.compare(wanted, records)
        if tally.bad:
            problems.append(f"loop {loop}: {sum(tally.bad.values())} differences")
    return problems + bad_sums(bytes_of(frames_of(path)))


def folded(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def bad_sums(frames):
    """Frames without a tunnel whose checksums are wrong."""
    seen = bad = 0
    for frame in frames:
        kind, ip = frame[12:14], frame[14:]
        if kind == b"\x08\x00" and ip[9] == 6:
            tcp, ends, head = ip[20:int.from_bytes(ip[2:4], "big")], ip[12:20], ip[:20]
        elif kind == b"\x86\xdd":
            tcp, ends, head = ip[40:40 + int.from_bytes(ip[4:6], "big")], ip[8:40], None
        else:
            continue
        seen += 1
        bad += folded(ends + struct.pack(">HH", 6, len(tcp)) + tcp) != 0xffff or \
            (head is not None and folded(head) != 0xffff)
    return [f"{bad} of {seen} frames have wrong checksums"] if bad or seen < 1000 else []


# ---- rates

def test_rates():
    """Never faster than the rate; how much slower is the machine's matter, and is told."""
    problems = []
    frames, _ = to_file()
    wire_bits = sum(max(len(x) + 24, 84) * 8 for x in bytes_of(frames))
    span_s = (frames[-1][0] - frames[0][0]) / 1e6
    for rate, least_s in (("20kpps", (len(frames) - 1) / 20e3), ("40Mbit", wire_bits / 40e6 * 0.99),
                          ("0.02Mpps", (len(frames) - 1) / 20e3), ("time", span_s), ("max", 0)):
        path, port = pcap()
        _, sent = sent_by(*port, "--rate", rate, "--loops", 1)
        stamps = [stamp for stamp, _ in frames_of(path)]
        took_s = (stamps[-1] - stamps[0]) / 1e6
        # the file's stamps and the sender's clock begin at different frames of a burst
        if sent["seconds"] < least_s * 0.999 or took_s < least_s - sent["lag_s"] - 0.01:
            problems.append(f"{rate}: {sent['seconds']:.3f} s, stamps {took_s:.3f}, due {least_s}")
        if sent["seconds"] > least_s + sent["lag_s"] + 0.2 and rate != "max":
            problems.append(f"{rate}: {sent['seconds']:.3f} s, due {least_s}, and no lag: {sent}")
        if rate == "max" and sent["lag_s"] != 0:
            problems.append(f"max has no schedule to lag behind: {sent}")
    return problems


def test_seconds():
    begin = time.monotonic()
    _, sent = sent_by("--port", "net_null0", "--rate", "1kpps", "--seconds", 2)
    problems = [] if 1.9 < sent["seconds"] < 3 and time.monotonic() - begin < 40 else [str(sent)]
    if abs(sent["frames"] - 1000 * sent["seconds"]) > 50 + 1000 * sent["lag_s"]:
        problems.append(f"not 1000 a second: {sent}")
    return problems


# ---- ends

def test_interrupt():
    problems = []
    for more in (("--loops", 0), ()):
        process = gen("--profile", PROFILE, "--port", "net_null0", "--rate", "100pps", *more,
                      wait=False)
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        said = process.communicate(timeout=engine.TIMEOUT_S)[1]
        if process.returncode != 0 or "interrupted" not in said or "sent " not in said:
            problems.append(f"{more}: exit code {process.returncode}: {said}")
        if time.monotonic() - begin > 10:
            problems.append(f"{more}: took {time.monotonic() - begin:.0f} s to end")
    return problems


def test_full_port():
    """A ring that nobody empties: what it does not take is dropped only when that is asked for."""
    lines, sent = sent_by("--port", "net_ring0", "--rate", "max", "--loops", 1, "--drop")
    problems = [] if len(lines) == SESSIONS and sent["dropped"] > 1000 and \
        sent["dropped"] == sent["refused"] else [f"--drop: {sent}"]
    process = gen("--profile", PROFILE, "--port", "net_ring0", "--rate", "max", "--loops", "1",
                  wait=False)
    time.sleep(4)
    if process.poll() is not None:
        problems.append("ended although nobody takes the frames")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=engine.TIMEOUT_S)[1]
    if not re.search(r"refused by the port at first: [1-9]\d*; dropped: 0;", said):
        problems.append(said)
    return problems


WRONG = (
    (("--rate", "fast"), 2, "--rate takes max, time, or a number with pps, kpps"),
    (("--rate", "5"), 2, "--rate takes max"),
    (("--rate", "0kpps"), 2, "--rate takes max"),
    (("--rate", "-1kpps"), 2, "--rate takes max"),
    (("--loops", "x"), 2, "--loops takes a number"),
    (("--memory", "1X"), 2, "--memory takes a size as 512M"),
    (("--out", "x.pcap"), 2, "--out and --port do not go together"),
    (("--port", "net_null0", "x"), 2, "\"x\" is no option; arguments for EAL come first"),
    (("--memory", "1M", "--loops", "1"), 1, "more than --memory 1M; give more"),
    (("--port", "net_nul0"), 1, "DPDK has no driver for the device \"net_nul0"),
    (("--port", "net_pcap0,rx_pcap=/dev/null"), 1, "net_pcap0"),
    (("--truth", "/no/such/folder/x"), 1, "/no/such/folder/x: No such file"),
)


def test_refusals():
    problems = []
    for args, code, words in WRONG:
        got, said = gen("--profile", PROFILE, "--port", "net_null0", *args)
        if got != code or words not in said:
            problems.append(f"{args}: exit code {got}: {said}")
    got, said = gen("--port", "net_null0")
    return problems + ([] if got == 2 and "--profile is missing" in said else [said])


def test_files_need_no_dpdk():
    """The program that writes files, and what it is linked with."""
    program = pathlib.Path(BINARY).parent / "ehlotap-gen"
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return ["ehlotap-gen is linked with DPDK"] if "librte" in libraries else []


# ---- through `ehlotap live`

def by_peers(rows):
    """Without the minutes: the time of sending is not the profile's."""
    sums = collections.defaultdict(collections.Counter)
    for key, counts in rows.items():
        sums[key[1:]].update(counts)
    return {key: +counts for key, counts in sums.items()}


def live_counts(port, send):
    """(sums of the minute files by peers, sums of the truth, what was sent)"""
    live = engine.Engine(BINARY, [port], cores="0")
    folder = pathlib.Path(engine.new_folder())
    try:
        truth, sent = send()
        live.wait_packets(sent["frames"])
        missed = live.missed()
        code, _ = live.end()
        said = live.said()
    finally:
        live.kill()
    if code != 0 or missed:
        raise engine.Failure(f"live ended with {code}, missed {missed}: {said}")
    engine.export_once(BINARY, live.sensor, folder)
    (folder / "truth").write_text("".join(json.dumps(line) + "\n" for line in truth))
    wanted = by_peers(minutes.sum_truth(folder / "truth"))
    (folder / "truth").unlink()
    return by_peers(minutes.sum_minutes(folder)), wanted, sent


def differences(said, wanted, sent):
    problems = [f"{' '.join(key)}: truth {wanted.get(key)}, live {said.get(key)}"
                for key in sorted(said.keys() | wanted.keys()) if said.get(key) != wanted.get(key)]
    sessions = sum(counts["sessions"] for counts in said.values())
    if sessions != SESSIONS or sent["dropped"] or sent["lost"]:
        problems.append(f"{sessions} sessions, {sent}")
    return problems


def test_memif():
    socket = os.path.join(engine.new_folder(), "memif.sock")
    vdev = f"net_memif0,socket={socket},socket-abstract=no,rsize=11,role="
    problems = []
    for more in ((), ("--loops", 1)):
        problems += differences(*live_counts(f"{vdev}server", lambda more=more: sent_by(
            "--port", f"{vdev}client", "--rate", "10kpps", *more)))
    return problems


def test_veth():
    netns.pair("gen")
    ring = "blocksz=4096,framesz=2048"
    return differences(*live_counts(
        f"net_af_packet0,iface=genb,{ring},framecnt=16384",
        lambda: sent_by("--port", f"net_af_packet0,iface=gena,{ring}", "--rate", "5kpps")))


def main():
    global BINARY
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n\n")[1].strip())
    BINARY = os.path.abspath(sys.argv[1])
    engine.need_live(BINARY)
    netns.enter()
    engine.main([f for name, f in sorted(globals().items()) if name.startswith("test_")],
                sys.argv[2:])


main()
