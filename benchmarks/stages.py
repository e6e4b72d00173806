"""Where the time of a packet goes: samples of a polling thread, by room. See README.md here."""

import collections
import json
import math
import os
import pathlib
import re
import shutil
import subprocess

from common import Trouble, first_line

HZ = 3989  # no multiple of what the program or the system does so many times a second
SECONDS = 1
PARANOID = pathlib.Path("/proc/sys/kernel/perf_event_paranoid")
LEAST_KNOWN = 0.5  # of the program's own samples, with a line of its sources
KERNEL = 1 << 63  # addresses from here on
LINES = "-g"

SOURCE, MATCH, FEED = "source", "match, hyperscan", "feed, ring"
OTHER = "other"
# as a frame goes through them; what is not here comes behind `wire`
ORDER = [SOURCE, "app/live", "port", "packet", "flow", "app/engine", "conn", "order", MATCH, "mail",
         "tls", "iana", "dict", "session", FEED, "base", "wire"]
LAST = ["libc", "kernel", OTHER]
JOINED = {"match": MATCH, "feed": FEED, "ring": FEED}
# objects that are not ours, by the begin of the file's name
OBJECTS = {"replay.so": SOURCE, "librte_": SOURCE, "libhs.": MATCH, "libcrypto.": "openssl",
           "libc.": "libc", "libm.": "libc", "ld-linux": "libc", "[vdso]": "libc",
           "libstdc++": "libc", "libgcc_s": "libc"}
OURS = re.compile(r".*/(?:lib/(?P<room>[^/]+)|(?P<app>app/[^/]+))/[^/]+\.[ch]$")
# their functions that are not inlined have no file of ours: who includes them
HEADERS = {"xxhash.h": "base"}
# inlined into whoever takes packets and gives them back
OF_DPDK = re.compile(r".*/rte_(?:mbuf|mempool|ethdev)\w*\.h$")


class Unavailable(Exception):
    """Why there are no samples here; no failure."""


def ask_for_lines(folder):
    """Lets the build in this folder, made or not, have line tables. They change no instruction."""
    if not (folder / "build.ninja").exists():
        os.environ["CFLAGS"] = f"{os.environ.get('CFLAGS', '')} {LINES}".strip()
        return
    options = json.loads(subprocess.run(["meson", "introspect", "--buildoptions", folder],
                                        check=True, capture_output=True, text=True).stdout)
    args = next(o["value"] for o in options if o["name"] == "c_args")
    if LINES not in args:
        value = ",".join([*args, LINES])
        subprocess.run(["meson", "configure", f"-Dc_args={value}", folder], check=True,
                       stdout=subprocess.DEVNULL)


# ---- from an address to a room

Mapping = collections.namedtuple("Mapping", "start end offset path")


def mappings(pid):
    """What a process runs."""
    found = []
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        fields = line.split(None, 5)
        if "x" in fields[1] and len(fields) == 6:
            start, end = (int(x, 16) for x in fields[0].split("-"))
            found.append(Mapping(start, end, int(fields[2], 16), fields[5]))
    return found


def segments(path):
    """[(offset in the file, its address when linked, bytes)]"""
    text = subprocess.run(["readelf", "-lW", path], check=True, capture_output=True,
                          text=True).stdout
    loads = re.findall(r"^\s+LOAD\s+(\S+)\s+(\S+)\s+\S+\s+(\S+)", text, re.MULTILINE)
    return [tuple(int(x, 16) for x in load) for load in loads]


def files_of(path, offsets):
    """{offset: [files that the code there stands in, innermost first]}"""
    parts = segments(path)
    linked = {offset: offset - at + address for offset in offsets
              for at, address, n in parts if at <= offset < at + n}
    text = subprocess.run(["addr2line", "-a", "-i", "-e", path], check=True, capture_output=True,
                          text=True, input="".join(f"{x:#x}\n" for x in linked.values())).stdout
    files = {}
    for line in text.splitlines():
        if re.fullmatch("0x[0-9a-f]+", line):
            files[int(line, 16)] = here = []
        else:
            here.append(os.path.normpath(line.rsplit(":", 1)[0]))
    return {offset: files.get(address, []) for offset, address in linked.items()}


def room_of(files):
    """Inlined code is of the room that it stands in; a system's header, of who includes it."""
    for path in files:
        if OF_DPDK.match(path):
            return SOURCE
        ours = OURS.match(path)
        if ours:
            room = ours["room"] or ours["app"]
            return JOINED.get(room, room)
    return HEADERS.get(os.path.basename(files[-1])) if files else None


def rooms_of(addresses, maps):
    """How many of the addresses are of each room."""
    rooms = collections.Counter()
    own = collections.defaultdict(collections.Counter)  # path: offset
    for address, cnt in collections.Counter(addresses).items():
        if address >= KERNEL:
            rooms["kernel"] += cnt
            continue
        here = next((m for m in maps if m.start <= address < m.end), None)
        name = os.path.basename(here.path) if here else ""
        if name.startswith("ehlotap"):
            own[here.path][address - here.start + here.offset] += cnt
            continue
        rooms[next((room for begin, room in OBJECTS.items() if name.startswith(begin)),
                   OTHER)] += cnt
    for path, offsets in own.items():
        files = files_of(path, offsets)
        unknown = 0
        for offset, cnt in offsets.items():
            room = room_of(files.get(offset, []))
            rooms[room or OTHER] += cnt
            unknown += 0 if room else cnt
        if unknown > (1 - LEAST_KNOWN) * offsets.total():
            raise Unavailable(f"{path} has no line tables: it is to be built with {LINES}")
    return rooms


# ---- a run

class Sample:
    """Of one polling thread. ns: CPU time of a packet; hz: of the time stamp counter."""

    def __init__(self, rooms, ns, hz):
        self.rooms, self.ns, self.hz = rooms, ns, hz
        self.samples = rooms.total()

    def share(self, room):
        return self.rooms[room] / self.samples

    def cycles(self, room):
        return self.share(room) * self.ns * self.hz / 1e9


def require_tools():
    for tool in ("perf", "addr2line", "readelf"):
        if not shutil.which(tool):
            raise Unavailable(f"{tool} is not installed")


def kernel_hidden():
    return os.geteuid() != 0 and PARANOID.exists() and int(PARANOID.read_text()) > 1


def record(thread, path):
    """Addresses where the thread was found."""
    event = "cpu-clock:u" if kernel_hidden() else "cpu-clock"
    done = subprocess.run(["perf", "record", "-q", "-N", "-e", event, "-F", str(HZ), "-t", thread,
                           "-o", path, "--", "sleep", str(SECONDS)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"perf record failed: {first_line(done.stderr.strip())}")
    text = subprocess.run(["perf", "script", "-i", path, "-F", "ip"], check=True,
                          capture_output=True, text=True).stdout
    return [int(line, 16) for line in text.split()]


def take(engine, work):
    """Samples a running engine with one polling thread, whose warm-up is over."""
    require_tools()

    def now():
        worker = engine.worker()
        return engine.sample() | {"cycles": worker["busy_cycles"] + worker["idle_cycles"]}

    maps = mappings(engine.process.pid)
    first = now()
    addresses = record(engine.threads[0].parent.name, work / "perf.data")
    grown = {k: v - first[k] for k, v in now().items()}
    if not addresses:
        raise Unavailable("perf record took no sample")
    if grown["packets"] <= 0:
        raise Trouble("no packets came while samples were taken")
    return Sample(rooms_of(addresses, maps), grown["thread_s"] * 1e9 / grown["packets"],
                  grown["cycles"] / grown["s"])


# ---- the report

def rows_of(samples):
    seen = {room for s in samples for room in s.rooms}
    more = sorted(seen - set(ORDER) - set(LAST))
    return [*ORDER, *more, *LAST]


def table(samples, timed_ns):
    """samples: {title: Sample}; timed_ns: {title: of a packet in the runs without samples}"""
    lines = ["| room | " + " | ".join(f"{title}: ns | cycles | %" for title in samples) + " |",
             "|---" * (1 + 3 * len(samples)) + "|"]
    of = samples.values()
    for room in rows_of(of):
        lines.append(f"| {room} | " + " | ".join(
            f"{s.share(room) * s.ns:.1f} | {s.cycles(room):.0f} | {100 * s.share(room):.1f}"
            for s in of) + " |")
    sums = [[sum(each(room) for room in s.rooms) for each in (s.share, s.cycles)] for s in of]
    lines.append("| **sum** | " + " | ".join(
        f"{share * s.ns:.1f} | {cycles:.0f} | {100 * share:.1f}"
        for s, (share, cycles) in zip(of, sums)) + " |")
    lines.append("| in the timed runs | " + " | ".join(
        f"{timed_ns[t]:.1f} | {timed_ns[t] * s.hz / 1e9:.0f} | " if t in timed_ns else " | | "
        for t, s in samples.items()) + " |")
    return [*lines, ""]


def section(samples, timed_ns, reasons):
    """reasons: sentences that say why something is not there."""
    lines = ["## Where the time goes", ""]
    if samples:
        few = min(s.samples for s in samples.values())
        hz = next(iter(samples.values())).hz
        lines += [
            f"One worker, a run of its own each: {HZ:,} samples a second of the polling thread's "
            "CPU time, by the source file that the code stands in, also where it was inlined. "
            "*ns*: the share of the samples times the CPU time of a packet in this run. *cycles*: "
            f"of the time stamp counter ({hz / 1e9:.2f} GHz). {few:,} samples at least: a tenth is "
            f"right to {200 * math.sqrt(0.09 / few):.1f} points (two sigma)."
            + (" The kernel's part may not be sampled by this user and is missing."
               if kernel_hidden() else ""), "", *table(samples, timed_ns)]
    return [*lines, *(f"- {r}" for r in dict.fromkeys(reasons)), *([""] if reasons else [])]
