"""Starts and stops `ehlotap live` and `ehlotap export` for the tests of this folder.

Every sensor gets a name of its own. What a test leaves behind (processes, rings, EAL's files,
folders) is taken away when it ends, also when it fails; children die with the test however that
ends.
"""
import atexit
import ctypes
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

SKIPPED = 77
TIMEOUT_S = 60
SHM = "/dev/shm"
RUNTIME = "/var/run/dpdk"
SMALL = ("--flows", "65536", "--undecided", "4096", "--ring-size", "16M")
TINY = ("--flows", "4096", "--undecided", "512", "--ring-size", "4M")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_lock = threading.Lock()
_next = iter(range(100000))
_sensors, _processes, _folders = [], [], []


class Failure(Exception):
    """What is expected did not come; the text says what."""


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(SKIPPED)


def need_live(binary):
    """Ends the test with SKIP where the engine was not built, or EAL has no folder for itself."""
    if not os.path.exists(os.path.join(os.path.dirname(binary), "ehlotap-live")) and \
            subprocess.run([binary, "live", "--help"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=TIMEOUT_S,
                           check=False).returncode != 0:
        skip("ehlotap live is not here")
    if os.geteuid() != 0:
        skip("needs root: EAL's files and /dev/shm")


def need_tool(*names):
    for name in names:
        if not shutil.which(name):
            skip(f"{name} is missing")


def new_sensor():
    with _lock:
        sensor = f"lt{os.getpid()}-{next(_next)}"
        _sensors.append(sensor)
    return sensor


def new_folder():
    folder = tempfile.mkdtemp(prefix="ehlotap-live-")
    with _lock:
        _folders.append(folder)
    return folder


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def popen(args, **options):
    process = subprocess.Popen(args, preexec_fn=_die_with_parent, **options)
    with _lock:
        _processes.append(process)
    return process


def rings(sensor):
    """Names of the sensor's rings that are there, oldest generation first."""
    return sorted(name for name in glob.glob(f"{SHM}/ehlotap.{sensor}.*")
                  if not name.endswith(".lock"))


def forget(sensor):
    """Takes away what the sensor has left."""
    for name in glob.glob(f"{SHM}/ehlotap.{sensor}.*"):
        os.unlink(name)
    shutil.rmtree(f"{RUNTIME}/{sensor}", ignore_errors=True)


@atexit.register
def clean():
    for process in _processes:
        if process.poll() is None:
            process.kill()
            process.wait()
    for sensor in _sensors:
        forget(sensor)
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end_in_order(number, _frame):
    sys.exit(128 + number)  # atexit cleans


for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(_number, _end_in_order)


class Engine:
    """A running `ehlotap live`. ports: --port arguments. Its standard error is a file."""

    def __init__(self, binary, ports, cores="0", args=SMALL, sessions=None, sensor=None,
                 idle_sleep_us=500, huge=False, wrap=(), wait=True, prefix=None):
        self.sensor = sensor or new_sensor()
        self.prefix = prefix or self.sensor
        self.folder = new_folder()
        self.errors = os.path.join(self.folder, "stderr")
        command = [*wrap, binary, "live", "--sensor", self.sensor, "--file-prefix", self.prefix]
        command += ["--cores", cores] if cores else []
        command += [] if huge else ["--no-huge"]
        for port in ports:
            command += ["--port", port]
        command += [*args]
        command += ["--idle-sleep", str(idle_sleep_us)] if idle_sleep_us else []
        command += ["--sessions", sessions] if sessions else []
        with open(self.errors, "wb") as errors:
            self.process = popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=errors)
        if wait:
            self.wait_for(" listens\n")

    def said(self):
        with open(self.errors, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for(self, text, timeout_s=TIMEOUT_S):
        """Until standard error holds text."""
        end = time.monotonic() + timeout_s
        while text not in self.said():
            if self.process.poll() is not None and text not in self.said():
                raise Failure(f"the engine ended with {self.process.returncode}: {self.said()}")
            if time.monotonic() > end:
                raise Failure(f"no {text!r} in {timeout_s} s: {self.said()}")
            time.sleep(0.005)

    def ask(self, command):
        """A command of rte_telemetry, over its socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(TIMEOUT_S)
            sock.connect(f"{RUNTIME}/{self.prefix}/dpdk_telemetry.v2")
            sock.recv(4096)
            sock.send(command.encode())
            return json.loads(sock.recv(1 << 20))[command]

    def packets(self):
        return sum(one["packets"] for one in self.ask("/ehlotap/workers").values())

    def missed(self):
        return sum(one["imissed"] + one["ierrors"] + one["rx_nombuf"]
                   for one in self.ask("/ehlotap/ports").values())

    def wait_packets(self, cnt, timeout_s=TIMEOUT_S):
        """Until so many were read, or counted as missed."""
        end = time.monotonic() + timeout_s
        while (now := self.packets()) < cnt and (now := now + self.missed()) < cnt:
            if time.monotonic() > end:
                raise Failure(f"{now} of {cnt} packets after {timeout_s} s: {self.said()}")
            time.sleep(0.005)

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, timeout_s=TIMEOUT_S / 2):
        """Ends it and returns (exit code, seconds that it took)."""
        begin = time.monotonic()
        self.process.send_signal(number)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"signal {number} did not end it: {self.said()}") from None
        return code, time.monotonic() - begin

    def kill(self):
        self.process.kill()
        self.process.wait(TIMEOUT_S)
        shutil.rmtree(f"{RUNTIME}/{self.prefix}", ignore_errors=True)


def run_live(binary, ports, frames, **options):
    """Reads `frames` frames of net_pcap ports, ends; returns (sensor, session lines, stderr)."""
    folder = new_folder()
    sessions = os.path.join(folder, "sessions")
    engine = Engine(binary, ports, sessions=sessions, **options)
    try:
        engine.wait_packets(frames)
        code, _ = engine.end()
    finally:
        engine.kill()
    if code != 0:
        raise Failure(f"the engine ended with {code}: {engine.said()}")
    with open(sessions, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    shutil.rmtree(folder)
    return engine.sensor, lines, engine.said()


def pcap_port(number, path):
    return f"net_pcap{number},rx_pcap={path}"


def export_command(binary, sensor, folder, *args):
    return [binary, "export", "--to", folder, "--sensor", sensor, *args]


def export_once(binary, sensor, folder, *args):
    done = subprocess.run(export_command(binary, sensor, folder, "--once", *args),
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise Failure(f"export ended with {done.returncode}: {done.stderr}")
    return done.stderr


def minute_files(folder):
    """{minute: rows} of all files; Failure if one of them is not whole."""
    files = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.jsonl"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        rows = [json.loads(line) for line in text.splitlines()]
        if not text.endswith("\n") or not rows or rows[0]["type"] != "minute" or \
                rows[-1] != {"type": "end", "rows": len(rows) - 1}:
            raise Failure(f"{path} is not whole: {len(rows)} rows, the last: {rows[-1:]}")
        minute = rows[0]["minute"]
        if minute in files:
            raise Failure(f"{minute} is there twice in {folder}")
        files[minute] = rows
    return files


def main(tests, names=()):
    """Runs the functions; each returns nothing, or a list of problems. Ends the process."""
    passed = failed = 0
    for test in tests:
        if names and not any(name in test.__name__ for name in names):
            continue
        begin = time.monotonic()
        try:
            problems = test() or []
        except Failure as failure:
            problems = [str(failure)]
        except Exception:  # a fault of the test is a failure like others
            problems = [traceback.format_exc()]
        took = time.monotonic() - begin
        passed, failed = passed + (not problems), failed + bool(problems)
        print(f"{'ok' if not problems else 'FAILED'} {test.__name__} ({took:.1f} s)", flush=True)
        for problem in problems[:20]:
            print(f"    {problem}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
