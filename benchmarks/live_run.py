"""Starts and watches the programs that run-live compares: ehlotap live and dpdk-testpmd."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from common import Trouble

HUGE_PAGES = 1024  # of 2 MiB
HUGE_COUNT = pathlib.Path("/proc/sys/vm/nr_hugepages")
MEMORY_MIB = 1024  # of DPDK, without hugepages
WARM_S = 0.6


class Pages:
    """Hugepages for the time of a run: reserved, mounted; afterwards as it was before."""

    def __init__(self, work):
        self.folder = work / "huge"
        self.before = None
        self.mounted = False

    def reserve(self):
        """False where they cannot be had."""
        try:
            self.before = HUGE_COUNT.read_text()
            if int(self.before) < HUGE_PAGES:
                HUGE_COUNT.write_text(str(HUGE_PAGES))
            if int(HUGE_COUNT.read_text()) < HUGE_PAGES:
                return False
            self.folder.mkdir()
            subprocess.run(["mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "ehlotap-bench",
                            self.folder], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
        self.mounted = True
        return True

    def give_back(self):
        if self.mounted:
            subprocess.run(["umount", self.folder], check=False)
        if self.before and HUGE_COUNT.read_text() != self.before:
            HUGE_COUNT.write_text(self.before)


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
    """A running program with one polling thread, whose first port is looked at."""

    def __init__(self, cmd, prefix, log):
        self.cmd, self.log = [str(c) for c in cmd], log
        self.telemetry = Telemetry(prefix)
        with open(log, "w") as out:
            self.process = subprocess.Popen(self.cmd, stdin=subprocess.PIPE, stdout=out,
                                            stderr=subprocess.STDOUT)
        self.thread = None

    def text(self):
        return self.log.read_text(errors="replace")

    def complain(self, what):
        lines = [x for x in self.text().splitlines() if x.strip()]
        raise Trouble(f"{pathlib.Path(self.cmd[0]).name} {what}; it says: {' '.join(lines[-3:])}")

    def until(self, what, condition, seconds=20.0):
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

    def until_open(self):
        self.until("listening", lambda: self.telemetry.ask("/ethdev/stats,0") is not None)

    def until_packets(self):
        # net_pcap counts those that it loads, too: they are no sign of life
        if "live" in self.cmd:
            self.until("packets", lambda: self.worker()["packets"] > 0)
        self.until("packets", lambda: self.telemetry.ask("/ethdev/stats,0")["ipackets"] > 0)
        self.thread = self.find_thread()

    def find_thread(self):
        """The polling thread: DPDK names it."""
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text().startswith(("rte-worker", "lcore-worker")):
                return task / "schedstat"
        self.complain("has no polling thread")

    def sample(self):
        stats = self.telemetry.ask("/ethdev/stats,0")
        now = {"s": time.monotonic(), "packets": stats["ipackets"], "bytes": stats["ibytes"],
               "sent": stats["opackets"],
               "thread_s": int(self.thread.read_text().split()[0]) / 1e9,
               "cpu_s": cpu_seconds(self.process.pid)}
        if "live" in self.cmd:
            worker = self.worker()
            now["flows"] = worker["flows_new"]
            now["open"] = worker["flows_open"]
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

    def start(self, kind, cmd, prefix):
        engine = Engine(cmd, prefix, self.work / f"{kind}.log")
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

    def testpmd(self, vdevs, huge, mbufs, mode="rxonly", cpu=None, kind="testpmd"):
        prefix = self.prefix()
        cmd = ["dpdk-testpmd", "--lcores",
               f"0@{self.other},1@{self.cpu if cpu is None else cpu}", "--main-lcore", 0,
               *self.memory(huge), "--no-pci", "--file-prefix", prefix,
               *(x for v in vdevs for x in ("--vdev", v)), "--",
               f"--forward-mode={mode}", f"--total-num-mbufs={mbufs}", "--no-mlockall",
               "--disable-link-check", "--stats-period=60"]
        return self.start(kind, cmd, prefix)

    def live(self, port, huge, mbufs, *more, mib=MEMORY_MIB):
        prefix = self.prefix()
        eal = ["--huge-dir", self.pages.folder, "--"] if huge else []
        memory = [] if huge else ["--no-huge", "--memory", f"{mib}M"]
        cmd = [self.exe, "live", *eal, "--sensor", self.name, "--cores", self.cpu, *memory,
               "--file-prefix", prefix, "--mbufs", mbufs, "--port", port, *more]
        return self.start("live", cmd, prefix)

    def sweep(self):
        """Removes what ended programs leave: rings, and DPDK's folders."""
        shm = pathlib.Path("/dev/shm")
        for path in shm.glob(f"ehlotap*{self.name}*"):
            path.unlink(missing_ok=True)
        for path in pathlib.Path(Telemetry("").path).parent.parent.glob(f"{self.name}-*"):
            subprocess.run(["rm", "-rf", path], check=False)


LONGEST = re.compile(r"longest round ([0-9.]+) us")


def longest_round_us(text):
    return max((float(x) for x in LONGEST.findall(text)), default=None)
