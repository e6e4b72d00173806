"""Help, and what is said about mistakes in the arguments."""
import os
import re

from command import SAMPLE, is_usage_error, read, run

HERE = os.path.dirname(os.path.abspath(__file__))
MANUAL = os.path.join(HERE, "..", "..", "docs", "man", "ehlotap-read.1")


def test_help_and_version_answer_on_stdout():
    for arguments in (["--help"], ["-h"], ["help"], ["read", "--help"], ["read", "-h"]):
        done = run(*arguments)
        assert done.code == 0 and done.err == "" and done.out.startswith(b"Usage: "), arguments
        assert max(len(line) for line in done.out.decode().splitlines()) <= 100, arguments
    versions = {run(*a).out for a in (["--version"], ["-V"], ["read", "--version"], ["read", "-V"])}
    assert len(versions) == 1 and re.fullmatch(rb"ehlotap \d+\.\d+\.\d+\n", versions.pop())


def test_every_option_of_the_help_is_in_the_manual():
    options = set(re.findall(r"--([a-z][a-z-]+)", run("read", "--help").out.decode()))
    with open(MANUAL, encoding="utf-8") as file:
        lines = [line for line in file if re.match(r"\.(It )?Fl ", line)]
    manual = set(re.findall(r"-([a-z][a-z-]+)", "".join(lines)))
    assert len(options) > 10 and not options - manual, options - manual


def test_no_command_and_an_unknown_one():
    done = run()
    assert done.code == 2 and done.out == b"" and done.err.startswith("Usage: ehlotap COMMAND")
    is_usage_error(run("raed"), '"raed"', command="ehlotap")
    is_usage_error(run("--sessions", "-", "read"), '"--sessions"', command="ehlotap")


def test_mistakes_in_options_are_named():
    for arguments, word in (
            (["--bogus"], "--bogus"), (["-x"], "'x'"),             (["--quiet=1"], "--quiet"), (["--m", "x"], "ambiguous"),
            (["--workers", "0"], '"0"'), (["--workers", "257"], "256"), (["--workers", ""], '""'),
            (["--workers", "2x"], '"2x"'), (["--workers", "-1"], '"-1"'),
            (["--workers", " 1"], '" 1"'), (["--workers", "+1"], '"+1"'),
            (["--workers", "9" * 40], "--workers"), (["--top", "1e3"], '"1e3"'),
            (["--max-flows", "10"], "--max-flows"),
            (["--ports", "25"], "--ports"), (["--ports", "25=http"], "25=http"),
            (["--ports", "0=smtp"], "0=smtp"), (["--ports", "65536=smtp"], "65536=smtp"),
            (["--ports", "=smtp"], "=smtp"), (["--ports", "25=smtp,,26=smtp"], "--ports"),
            (["--gateway", "mx"], '"mx"'), (["--gateway", ""], '""'),
            (["--gateway", "192.0.2.1/33"], "/33"), (["--gateway", "192.0.2.1/"], "192.0.2.1/"),
            (["--gateway", "2001:db8::/129"], "/129"), (["--gateway", "192.0.2.1/-1"], "/-1"),
            (["--gateway=192.0.2.1"] * 65, "64"),
            (["--sensor", ""], '""'), (["--sensor", "a/b"], "a/b"), (["--sensor", ".a"], ".a"),
            (["--sensor", "a" * 65], "64"), (["--color", "red"], '"red"')):
        is_usage_error(read(*arguments, SAMPLE), word)
    is_usage_error(read("--sessions"), "--sessions")
    is_usage_error(read(), "no capture file")
    is_usage_error(read("--json"), "no capture file")


def test_values_at_their_ends_are_taken():
    for arguments in (["--workers", "256"], ["--top", "0"], ["--max-flows", "1000"],
                      ["--sensor", "a" * 64], ["--gateway", "0.0.0.0/0"], ["--gateway", "::/0"],
                      ["--gateway=192.0.2.1"] * 64, ["--ports", "65535=smtp,1=none"]):
        done = read(*arguments, SAMPLE)
        assert done.code == 0 and done.err == "", (arguments, done.err)
