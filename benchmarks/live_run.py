"""Starts and watches the programs that run-live and run-engine compare: ehlotap live and testpmd."""

import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from common import HERE, ROOT, WORK, Trouble, build, say

HUGE_PAGES = 1024  # of 2 MiB
HUGE_COUNT = pathlib.Path("/proc/sys/vm/nr_hugepages")
MEMORY_MIB = 1024  # of DPDK, without hugepages
WARM_S = 0.6


class Pages:
    """Hugepages for the time of a run: reserved, mounted; afterwards what was added is taken off."""

    def __init__(self, work):
        self.folder = work / "huge"
        self.added = 0
        self.mounted = False

    def reserve(self):
        """False where they cannot be had. What other programs hold is left to them."""
        try:
            self.add(max(HUGE_PAGES - free_pages(), 0))
            if free_pages() < HUGE_PAGES:
                return False
            self.folder.mkdir()
            subprocess.run(["mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "ehlotap-bench",
                            self.folder], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
        self.mounted = True
        return True

    def add(self, pages):
        before = int(HUGE_COUNT.read_text())
        if pages:
            HUGE_COUNT.write_text(str(before + pages))
            self.added += int(HUGE_COUNT.read_text()) - before

    def give_back(self):
        if self.mounted:
            subprocess.run(["umount", self.folder], check=False)
        if self.added:
            self.add(-self.added)


def free_pages():
    return int(re.search(r"HugePages_Free:\s+(\d+)",
                         pathlib.Path("/proc/meminfo").read_text()).group(1))


class Telemetry:
    """Asks a DPDK program for its counters."""

    def __init__(self, prefix):
        base = "/var/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "/tmp")
        self.path = f"{base}/dpdk/{prefix}/dpdk_telemetry.v2"
        self.socket = None

    def ask(self, command):
        if self.socket is None:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.settimeout(5)
            try:
                s.connect(self.path)
                s.recv(16384)
            except OSError:
                s.close()
                raise
            self.socket = s
        self.socket.send(command.encode())
        # null is the answer to a command that is not known yet
        return json.loads(self.socket.recv(1 << 17))[command.split(",")[0]]

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None


class Engine:
    """A running program with polling threads, whose first port is looked at."""

    def __init__(self, cmd, prefix, log, env=None):
        self.cmd, self.log = [str(c) for c in cmd], log
        self.env = {name: str(value) for name, value in (env or {}).items()}
        self.telemetry = Telemetry(prefix)
        with open(log, "w") as out:
            self.process = subprocess.Popen(self.cmd, stdin=subprocess.PIPE, stdout=out,
                                            stderr=subprocess.STDOUT, env=os.environ | self.env)
        self.threads = []

    def text(self):
        return self.log.read_text(errors="replace")

    def complain(self, what):
        lines = [x for x in self.text().splitlines() if x.strip()]
        raise Trouble(f"{pathlib.Path(self.cmd[0]).name} {what}; it says: {' '.join(lines[-3:])}")

    def until(self, what, condition, seconds=60.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.complain(f"ended ({self.process.returncode}) before {what}")
            try:
                if condition():
                    return
            except (OSError, KeyError, TypeError, ValueError):
                self.telemetry.close()  # not there yet
            time.sleep(0.02)
        self.complain(f"does not come to {what}")

    def worker(self):
        return self.telemetry.ask("/ehlotap/workers")["worker_0"]

    def workers(self):
        return list(self.telemetry.ask("/ehlotap/workers").values())

    def until_open(self):
        self.until("listening", lambda: self.telemetry.ask("/ethdev/stats,0") is not None)

    def until_packets(self):
        # net_pcap counts those that it loads, too: they are no sign of life
        if "live" in self.cmd:
            self.until("packets", lambda: self.worker()["packets"] > 0)
        self.until("packets", lambda: self.telemetry.ask("/ethdev/stats,0")["ipackets"] > 0)
        self.threads = self.find_threads()

    def find_threads(self):
        """The polling threads: DPDK names them."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        found = [task / "schedstat" for task in tasks
                 if (task / "comm").read_text().startswith(("rte-worker", "lcore-worker"))]
        return found or self.complain("has no polling thread")

    def memory_mib(self):
        """Of its own; hugepages; shared memory."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {name: int(re.search(rf"{field}:\s+(\d+) kB", text).group(1)) >> 10
                for name, field in (("own", "RssAnon"), ("huge", "HugetlbPages"),
                                    ("shared", "RssShmem"))}

    def sample(self):
        stats = self.telemetry.ask("/ethdev/stats,0")
        now = {"s": time.monotonic(), "packets": stats["ipackets"], "bytes": stats["ibytes"],
               "sent": stats["opackets"],
               "thread_s": sum(int(t.read_text().split()[0]) for t in self.threads) / 1e9,
               "cpu_s": cpu_seconds(self.process.pid)}
        if "live" in self.cmd:
            workers = self.workers()
            now["flows"] = sum(w["flows_new"] for w in workers)
            now["open"] = sum(w["flows_open"] for w in workers)
            now["dropped"] = sum(self.telemetry.ask("/ehlotap/drops").values())
        return now

    def port_counts(self):
        """Of a sender: what its first port read, and its second sent."""
        return {"packets": self.telemetry.ask("/ethdev/stats,0")["ipackets"],
                "sent": self.telemetry.ask("/ethdev/stats,1")["opackets"]}

    def measure(self, seconds):
        """What grew within so many seconds, per second."""
        time.sleep(WARM_S)
        first = self.sample()
        time.sleep(seconds)
        last = self.sample()
        took = last["s"] - first["s"]
        out = {k: (last[k] - first[k]) / took for k in first if k != "s"}
        out["open"] = last.get("open")
        return out

    def stop(self):
        """Ends it; what it printed. A program that does not end is killed."""
        self.telemetry.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        return self.text()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    """How programs are started: where, on which CPUs, with which memory."""

    def __init__(self, exe, work, cpus):
        self.exe, self.work, (self.cpu, self.other) = exe, work, cpus
        self.pages = Pages(work)
        self.name = f"bench{os.getpid()}"
        self.running = []
        self.count = 0

    def start(self, kind, cmd, prefix, env=None):
        engine = Engine(cmd, prefix, self.work / f"{kind}.log", env)
        self.running.append(engine)
        return engine

    def stop(self, engine):
        text = engine.stop()
        self.running.remove(engine)
        return text

    def stop_all(self):
        for engine in list(self.running):
            self.stop(engine)

    def prefix(self):
        # one of its own each time: what a program leaves behind must not meet the next
        self.count += 1
        return f"{self.name}-{self.count}"

    def memory(self, huge, mib=MEMORY_MIB):
        return ["--huge-dir", self.pages.folder] if huge else ["--no-huge", "-m", mib]

    def lcores(self, workers, cpu=None):
        """The main lcore, which polls nothing, shares its CPU with a second worker."""
        where = [self.other, self.cpu if cpu is None else cpu, self.other][:workers + 1]
        return ["--lcores", ",".join(f"{i}@{c}" for i, c in enumerate(where)), "--main-lcore", 0]

    def testpmd(self, vdevs, huge, mbufs, mode="rxonly", cpu=None, kind="testpmd", workers=1,
                env=None):
        prefix = self.prefix()
        queues = [f"--nb-cores={workers}", f"--rxq={workers}", f"--txq={workers}"]
        cmd = ["dpdk-testpmd", *self.lcores(workers, cpu),
               *self.memory(huge), "--no-pci", "--file-prefix", prefix,
               *(x for v in vdevs for x in ("--vdev", v)), "--",
               f"--forward-mode={mode}", f"--total-num-mbufs={mbufs}", "--no-mlockall",
               "--disable-link-check", "--stats-period=60", *(queues if workers > 1 else [])]
        return self.start(kind, cmd, prefix, env)

    def live(self, port, huge, mbufs, *more, mib=MEMORY_MIB, workers=1, env=None):
        prefix = self.prefix()
        eal = ["--huge-dir", self.pages.folder] if huge else []
        memory = [] if huge else ["--no-huge", "--memory", f"{mib}M"]
        cores = ["--cores", self.cpu]
        if workers > 1:
            eal, cores = [*self.lcores(workers), *eal], []
        cmd = [self.exe, "live", *eal, *(["--"] if eal else []), "--sensor", self.name, *cores,
               *memory, "--file-prefix", prefix, "--mbufs", mbufs, "--port", port, *more]
        return self.start("live", cmd, prefix, env)

    def sweep(self):
        """Removes what ended programs leave: rings, and DPDK's folders."""
        shm = pathlib.Path("/dev/shm")
        for path in shm.glob(f"ehlotap*{self.name}*"):
            path.unlink(missing_ok=True)
        for path in pathlib.Path(Telemetry("").path).parent.glob(f"{self.name}-*"):
            subprocess.run(["rm", "-rf", path], check=False)


LONGEST = re.compile(r"longest round ([0-9.]+) us")


def longest_round_us(text):
    return max((float(x) for x in LONGEST.findall(text)), default=None)


# ---- a whole run

def once(path, make):
    """A file that is made when it is not there; a half-made one never has its name."""
    if not path.exists():
        part = path.with_suffix(".part")
        make(part)
        part.rename(path)
    return path


def parse(argv, name, doc, more=None):
    """What run-live and run-engine let one choose. more: adds what only one of them has."""
    p = argparse.ArgumentParser(prog=f"run-{name}", description=doc)
    p.add_argument("--dir", type=pathlib.Path, default=WORK, help="work folder (%(default)s)")
    p.add_argument("--ehlotap", type=pathlib.Path, help="use this binary, do not build one")
    p.add_argument("--rounds", type=int, help="3; 1 with --quick")
    p.add_argument("--seconds", type=float, default=2, help="measured in each run (%(default)g)")
    p.add_argument("--cpus", help="the worker's CPU and the one for all else, as 0,1 (the first "
                   "two that may be used)")
    p.add_argument("--quick", action="store_true", help="one short round: does it all work?")
    p.add_argument("--results", type=pathlib.Path,
                   help=f"report (benchmarks/results/{name}.md; in --dir with --quick)")
    if more:
        more(p)
    args = p.parse_args(argv)
    if args.quick:
        args.seconds = min(args.seconds, 0.5)
    args.rounds = args.rounds or (1 if args.quick else 3)
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        p.error("two CPUs are needed")
    try:
        args.cpus = [int(x) for x in args.cpus.split(",")] if args.cpus else allowed[:2]
    except ValueError:
        args.cpus = []
    if len(set(args.cpus)) != 2 or not set(args.cpus) <= set(allowed):
        p.error(f"--cpus takes two of {allowed}")
    if args.rounds < 1 or args.seconds <= 0:
        p.error("--rounds and --seconds are more than 0")
    args.dir = args.dir.absolute()
    args.name = name
    args.again = shlex.join([f"benchmarks/run-{name}", *argv])
    args.results = args.results or (args.dir / f"{name}-partial.md" if args.quick else
                                    HERE / "results" / f"{name}.md")
    return args


def shown(args, bench, engine):
    """A program's command line as it can be repeated."""
    text = " ".join([*(f"{k}={v}" for k, v in engine.env.items()), shlex.join(engine.cmd)])
    for path, name in ((bench.work, "$WORK"), (args.dir, "$DIR"), (ROOT, "."),
                       (pathlib.Path.home(), "~")):
        text = text.replace(str(path), name)
    return re.sub(rf"{bench.name}-\d+", "$PREFIX", text).replace(bench.name, "$SENSOR")


def end_by_signal(number, frame):
    raise Trouble("ended by a signal")


def run(args, programs, tools, measure):
    """
    Builds, measures, writes the report; the exit code. measure(args, bench, tools, load) gives the
    report and whether all was right.
    """
    load = os.getloadavg()
    signal.signal(signal.SIGTERM, end_by_signal)
    bench = None
    began = time.monotonic()
    try:
        if not shutil.which("dpdk-testpmd"):
            raise Trouble("dpdk-testpmd is not installed")
        args.dir.mkdir(parents=True, exist_ok=True)
        folder = build(args.dir / "build", *([] if args.ehlotap else programs), tools=tools)
        exe = (args.ehlotap or folder / "app" / "ehlotap").absolute()
        work = pathlib.Path(tempfile.mkdtemp(prefix=f"run-{args.name}-", dir=args.dir))
        bench = Bench(exe, work, args.cpus)
        text, good = measure(args, bench, folder / "benchmarks", load)
    except (Trouble, OSError, subprocess.SubprocessError, KeyboardInterrupt) as e:
        say(f"run-{args.name}: {e!r}" if isinstance(e, KeyboardInterrupt) else
            f"run-{args.name}: {e}")
        return 2
    finally:
        if bench:
            bench.stop_all()
            bench.sweep()
            bench.pages.give_back()
            shutil.rmtree(bench.work, ignore_errors=True)
    args.results.parent.mkdir(parents=True, exist_ok=True)
    args.results.write_text(text)
    print(text)
    say(f"run-{args.name}: {time.monotonic() - began:.0f} s; written to {args.results}")
    return 0 if good else 1


def take_pages(args, bench, huge=True):
    """Hugepages, if there are; all but the polling threads is kept from their CPU."""
    bench.huge = huge and bench.pages.reserve()
    if huge and not bench.huge:
        say(f"run-{args.name}: no hugepages (root and 2 GiB of free memory are needed): without "
            "them")
    os.sched_setaffinity(0, {bench.other})
