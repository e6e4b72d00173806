#!/usr/bin/env python3
"""Does a capture still give the same bytes as when somebody last looked at them?

    run.py BINARY [--update] [NAME...]

For a capture tests/data/NAME.pcap (.pcapng, .pcap.gz, ...) four answers are kept here, as the
program gave them and a person approved them:

    NAME.sessions.jsonl   read --quiet --sessions -
    NAME.minutes/         read --quiet --minutes DIR: the files' names and bytes
    NAME.txt              read: the printed answer, without colour
    NAME.json             read --json

Captures with at least one of them are run; then all four must be there and the same. A mismatch
is shown as a unified diff. --update writes what the program says now (for a new capture: give its
NAME); read the difference in version control before it is committed.

Last line `N passed, N failed`, one per answer. Exit 0: all passed; 1: not all.
"""
import argparse
import difflib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")
SENSOR = "golden"
TIMEOUT_S = 60
DIFF_LINES = 60
MINUTES = ".minutes"
# suffix -> arguments between `read` and the capture; {} is an empty folder
ANSWERS = {
    ".sessions.jsonl": ["--quiet", "--sessions", "-"],
    MINUTES: ["--quiet", "--minutes", "{}"],
    ".txt": [],
    ".json": ["--json"],
}
# nothing of the caller's terminal or place may show in an answer
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC",
               "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100"}
# left to the sanitizers and to those who run under another library path
INHERITED = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH", "HOME")


class Failure(Exception):
    """The program gave no answer at all."""


def answer(binary, data, capture, suffix):
    """One answer as {file name: bytes}; for all but the minutes the one file is named ''."""
    environment = dict(ENVIRONMENT, **{k: os.environ[k] for k in INHERITED if k in os.environ})
    with tempfile.TemporaryDirectory() as folder:
        arguments = [folder if a == "{}" else a for a in ANSWERS[suffix]]
        command = [binary, "read", "--sensor", SENSOR, *arguments, capture]
        try:
            # run beside the capture, so that its name is printed without a path
            done = subprocess.run(command, cwd=data, env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f"no end after {TIMEOUT_S} s") from None
        # 1 says that the capture is damaged, which some are on purpose
        if done.returncode not in (0, 1):
            last = done.stderr.decode("utf-8", "replace").strip()[-500:]
            raise Failure(f"exit code {done.returncode}: {last}")
        return read_folder(folder) if suffix == MINUTES else {"": done.stdout}


def read_folder(folder):
    files = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            files[name] = file.read()
    return files


def stored(path):
    """What is kept at `path`, in the form of answer(); None if nothing is."""
    if path.endswith(MINUTES):
        return read_folder(path) if os.path.isdir(path) else None
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return {"": file.read()}


def store(path, files):
    if not path.endswith(MINUTES):
        with open(path, "wb") as out:
            out.write(files[""])
        return
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    for name, content in files.items():
        with open(os.path.join(path, name), "wb") as out:
            out.write(content)


def difference(label, before, after):
    """Unified diff of two answers, cut after DIFF_LINES lines."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        sides = [side.get(name, b"").decode("utf-8", "backslashreplace").splitlines()
                 for side in (before, after)]
        full = os.path.join(label, name) if name else label
        lines += difflib.unified_diff(*sides, f"{full} (golden)", f"{full} (now)", lineterm="")
        if before.get(name) != after.get(name) and sides[0] == sides[1]:
            lines.append(f"{full}: differs in line ends, or is there only once")
    more = len(lines) - DIFF_LINES
    return "\n".join(lines[:DIFF_LINES]) + (f"\n... {more} more lines" if more > 0 else "")


def captures(data):
    """{NAME: file} of the captures in `data`."""
    found = {}
    for file in sorted(os.listdir(data) if os.path.isdir(data) else []):
        name, dot, _ = file.partition(".pcap")
        if not dot:
            continue
        if name in found:
            raise SystemExit(f"{file} and {found[name]} would share one name: rename one")
        found[name] = file
    return found


def golden_names(folder):
    """Names with at least one answer kept in `folder`."""
    return {entry[:-len(suffix)] for entry in os.listdir(folder) for suffix in ANSWERS
            if entry.endswith(suffix)}


def check(options, name, capture, suffix):
    """None if the answer is as it was (or was written anew), else what is wrong."""
    path = os.path.join(options.golden, name + suffix)
    try:
        now = answer(options.binary, options.data, capture, suffix)
    except Failure as failure:
        return f"{name}{suffix}: {failure}"
    if options.update:
        store(path, now)
        return None
    before = stored(path)
    if before is None:
        return f"{name}{suffix}: not kept yet; look at the answer and run with --update {name}"
    return None if before == now else difference(name + suffix, before, now)


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=os.path.abspath, help="path of ehlotap")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these captures")
    parser.add_argument("--update", action="store_true", help="keep what the program says now")
    parser.add_argument("--data", default=DATA, metavar="DIR", help="folder of captures")
    parser.add_argument("--golden", default=HERE, metavar="DIR", help="folder of answers")
    options = parser.parse_intermixed_args(argv)
    available, passed, failed = captures(options.data), 0, 0
    names = options.names or sorted(golden_names(options.golden))
    for name in names:
        if name not in available:
            print(f"{name}: no capture {os.path.join(options.data, name)}.pcap*")
            failed += 1
            continue
        for suffix in ANSWERS:
            wrong = check(options, name, available[name], suffix)
            passed, failed = passed + (wrong is None), failed + (wrong is not None)
            if wrong:
                print(wrong)
    if not names:
        print("no answers kept: run with --update NAME")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
