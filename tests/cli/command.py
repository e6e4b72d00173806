"""Runs of the program, and what its output is made of."""
import collections
import json
import os
import subprocess
import sys
import tempfile

import capture

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = os.path.normpath(os.path.join(HERE, "..", "data", "sample.pcap"))
BINARY = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
FRAMES = capture.read(SAMPLE)
TIMEOUT_S = 60
HOUR_US = 3600 * 1000000
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
ENVIRONMENT.update(LC_ALL="C.UTF-8", TZ="UTC", TERM="xterm-256color")

Done = collections.namedtuple("Done", "code out err")


class Skip(Exception):
    """A question that cannot be put here."""


def run(*arguments, data=None, env=None, **more):
    """One run to its end; stdin is `data`, or empty."""
    done = subprocess.run([BINARY, *arguments], input=data if data is not None else b"",
                          stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                          env=dict(ENVIRONMENT, **(env or {})), timeout=TIMEOUT_S, check=False,
                          **more)
    return Done(done.returncode, done.stdout, done.stderr.decode())


def read(*arguments, **more):
    return run("read", *arguments, **more)


def records(*arguments, code=0, **more):
    """The bytes of the session records."""
    done = read("--quiet", "--sessions", "-", *arguments, **more)
    assert done.code == code, (done.code, done.err)
    return done.out


def sessions(*arguments, **more):
    return [json.loads(line) for line in records(*arguments, **more).splitlines()]


def minutes(*arguments):
    """The minute files as {name: bytes}."""
    with tempfile.TemporaryDirectory() as folder:
        done = read("--quiet", "--minutes", folder, *arguments)
        assert (done.code, done.out, done.err) == (0, b"", ""), done
        files = {}
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                files[name] = file.read()
        return files


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def in_folder(test):
    """Gives the test an empty folder of its own."""
    def with_folder():
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
    return with_folder


def is_usage_error(done, word, command="ehlotap read"):
    """A mistake gets one sentence that names it, and the way to help, and nothing else."""
    lines = done.err.splitlines()
    assert done.code == 2 and done.out == b"", done
    assert len(lines) == 2 and lines[0].startswith(command + ": "), done.err
    assert word in lines[0] and lines[1] == f"Try: {command} --help", done.err


def is_refusal(done, *words):
    """Exit code 2 and one sentence on standard error, no answer."""
    assert done.code == 2 and not done.out, done
    assert len(done.err.splitlines()) == 1 and done.err.startswith("ehlotap read: "), done.err
    for word in words:
        assert word in done.err, (word, done.err)


def rows_of(files):
    for name, content in files.items():
        assert content.endswith(b"\n"), name
        yield name, [json.loads(line) for line in content.splitlines()]


def totals(files):
    """The sums of all peer rows."""
    sums = collections.Counter()
    for _, rows in rows_of(files):
        for row in rows:
            if row["type"] == "peer":
                sums.update({k: v for k, v in row.items() if isinstance(v, int)})
    return sums


def stamps(seconds):
    """The sample, moved so that it begins at a time that pcapng can tell."""
    offset = min(seconds, 0)
    return capture.pcapng([f.later(seconds * 1000000 - FRAMES[0].us) for f in FRAMES], offset)
