"""What run-read and run-live share: the machine, the build, small words."""

import datetime
import os
import pathlib
import platform
import statistics
import subprocess
import sys

HERE = pathlib.Path(os.path.abspath(__file__)).parent
ROOT = HERE.parent


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


def build(folder, *programs):
    """A release of these programs of app/, and the tools of this folder."""
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", "--buildtype=release", "-Db_lto=true",
                        str(folder), str(ROOT)], check=True, stdout=sys.stderr)
    targets = [*(f"app/{name}" for name in programs), "bench"]
    subprocess.run(["ninja", "-C", str(folder), *targets], check=True, stdout=sys.stderr)
    return folder


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
