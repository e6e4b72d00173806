"""What the run-* programs share: the machine, the build, the captures, small words."""

import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(os.path.abspath(__file__)).parent
ROOT = HERE.parent
WORK = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / "ehlotap-bench"
SEED = 1
BYTES_PER_SESSION = 130000  # of the larger mix, for what has to be free


class Trouble(Exception):
    """Ends the run with a sentence."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def output_of(*cmd):
    try:
        done = subprocess.run(cmd, capture_output=True, text=True, check=True, cwd=ROOT)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return (done.stdout or done.stderr).strip()


def first_line(text):
    return text.splitlines()[0] if text else "unknown"


def build(folder, *programs, tools=("bench",)):
    """A release of these programs of app/, and of these tools of this folder (default: all)."""
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", "--buildtype=release", "-Db_lto=true",
                        str(folder), str(ROOT)], check=True, stdout=sys.stderr)
    targets = [*(f"app/{name}" for name in programs),
               *(name if name == "bench" else f"benchmarks/{name}" for name in tools)]
    subprocess.run(["ninja", "-C", str(folder), *targets], check=True, stdout=sys.stderr)
    return folder


# ---- captures

def stamp(profile):
    """Another one when the profile or the generator is."""
    digest = hashlib.sha256(profile.encode())
    for path in sorted((ROOT / "app" / "gen").glob("*.[ch]")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def capture(mix, sessions, folder=WORK):
    """
    The paths of the capture and the truth of that many sessions of profiles/<mix>.ini. They are
    made once; a half-made one never has the final name. Older ones of the same mix and number, of
    another profile or generator, are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    profile, changed = re.subn(r"(?m)^sessions = \d+$", f"sessions = {sessions}",
                               (HERE / "profiles" / f"{mix}.ini").read_text())
    if changed != 1:
        raise Trouble(f"profiles/{mix}.ini has no line \"sessions = N\"")
    name = f"{mix}-{sessions}-{stamp(profile)}"
    pcap, truth = folder / f"{name}.pcap", folder / f"{name}.truth.jsonl"
    if pcap.exists() and truth.exists():
        return pcap, truth
    if shutil.disk_usage(folder).free < sessions * BYTES_PER_SESSION:
        raise Trouble(f"{folder} needs {sessions * BYTES_PER_SESSION >> 20} MiB free for {name}")
    for old in [*folder.glob(f"{mix}-{sessions}-*.pcap"),
                *folder.glob(f"{mix}-{sessions}-*.truth.jsonl")]:
        old.unlink(missing_ok=True)
    gen = build(folder / "build", "ehlotap-gen", tools=()) / "app" / "ehlotap-gen"
    part = folder / f"{name}.{os.getpid()}"
    files = [part.with_suffix(x) for x in (".ini", ".part", ".truth")]
    try:
        files[0].write_text(profile)
        subprocess.run([gen, "--profile", files[0], "--seed", str(SEED), "--quiet",
                        "--out", files[1], "--truth", files[2]], check=True)
        files[2].rename(truth)
        files[1].rename(pcap)
    finally:
        for path in files:
            path.unlink(missing_ok=True)
    return pcap, truth


# ---- what was found, and what is true

SUMS = ("sessions", "tls_established", "tls_failed")


def minute_lines(folder):
    for path in sorted(folder.iterdir()):
        if path.name.endswith(".jsonl.zst"):
            yield from subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True,
                                      text=True).stdout.splitlines()
        elif path.name.endswith(".jsonl"):
            with open(path) as f:
                yield from f


def minute_sums(folder):
    """Of all peer rows of the minute files in a folder."""
    sums = dict.fromkeys(SUMS, 0)
    for line in minute_lines(folder):
        rec = json.loads(line)
        if rec.get("type") == "peer":
            for name in sums:
                sums[name] += rec.get(name, 0)
    return sums


def truth_sums(outcomes):
    """The same of the outcomes of all sessions."""
    return dict(zip(SUMS, (len(outcomes), outcomes.count("established"),
                           outcomes.count("failed"))))


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def machine(load, ran_ehlotap=True):
    """Rows that every report begins with."""
    cpu = "unknown"
    for line in open("/proc/cpuinfo"):
        if line.startswith(("model name", "Model")):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    commit = output_of("git", "describe", "--always", "--dirty", "--abbrev=12")
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB, {cpu}",
        "system": f"{system}, Linux {platform.release()}",
        "load average before, after": f"{load[0]:.2f}, {os.getloadavg()[0]:.2f}",
        "ehlotap": f"commit {commit}" if ran_ehlotap else "not run",
        "compiler": first_line(output_of("cc", "--version")),
    }


def machine_table(rows):
    return ["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items()), ""]
